// An app and a SignalR service, as far as the renewal of a sign-in needs them, on one free port.
// What they answer to a refresh is scripted, which no real app is.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

// The socket that the SignalR client itself uses.
const { Server: WebSocketServer } = createRequire(createRequire(import.meta.url).resolve("@microsoft/signalr"))("ws");
const HANDSHAKE = "{}\u001e";

export async function startStub({ lifetime = 3600, version = 1, transport = "WebSockets", stateful = false, cookie } = {}) {
  const requests = [];   // of everything: { name, token, headers, query }
  const refreshes = [];  // answers to come, { status, body, headers } or "hang"
  const polls = [];      // answers to polls to come, { status, body }
  const waiting = [];    // polls that are held open
  const sockets = new Set();
  let negotiations = 0, renewals = 0, firstPoll = true, acknowledge = false, open = true;

  const answers = {
    "POST /api/negotiate": () => {
      negotiations += 1;
      firstPoll = true;
      const body = { url: `${url}/client/?hub=chat`, accessToken: `service-${negotiations}` };
      return {
        status: 200,
        body: lifetime ? { ...body, tokenLifetimeSeconds: lifetime } : body,
        headers: cookie && { "Set-Cookie": cookie },
      };
    },
    "POST /client/negotiate": () => ({
      status: 200,
      body: {
        ...(version && { negotiateVersion: 1, connectionToken: `secret-${negotiations}` }),
        ...(stateful && { useStatefulReconnect: true }),
        connectionId: `id-${negotiations}`,
        availableTransports: [{ transport, transferFormats: ["Text", "Binary"] }],
      },
    }),
    "POST /api/refresh": () => {
      const scripted = refreshes.shift();
      if (scripted) return scripted;
      renewals += 1;
      return { status: 200, body: { accessToken: `renewed-${renewals}`, tokenLifetimeSeconds: lifetime } };
    },
    "GET /client/": () => {
      if (firstPoll) { firstPoll = false; return { status: 200 }; }
      if (acknowledge) { acknowledge = false; return { status: 200, content: HANDSHAKE }; }
      return polls.shift() ?? "hang";
    },
    "POST /client/": (sent) => {
      if (sent.includes('"protocol"')) { acknowledge = true; poll({ status: 200, content: HANDSHAKE }); }
      return { status: 200 };
    },
    "DELETE /client/": () => { poll({ status: 204 }); return { status: 202 }; },
  };

  // What holds a poll open gets its answer now.
  function poll(answer) {
    const response = waiting.shift();
    if (!response) return void (acknowledge || polls.push(answer));
    acknowledge = false;
    reply(response, answer);
  }

  function reply(response, { status, body, content, headers }) {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(content ?? (body && JSON.stringify(body)));
  }

  function noted(request) {
    const { pathname, searchParams } = new URL(request.url, url);
    const token = request.headers.authorization?.replace("Bearer ", "");
    const name = `${request.method} ${pathname}`;
    requests.push({ name, token, headers: request.headers, query: searchParams });
    return name;
  }

  const server = createServer(async (request, response) => {
    const name = noted(request);
    const answer = answers[name]?.(await text(request)) ?? { status: 404 };
    if (answer !== "hang") return reply(response, answer);
    if (name === "GET /client/") waiting.push(response);
  });
  const webSockets = new WebSocketServer({ server, verifyClient: () => open });
  webSockets.on("connection", (socket, request) => {
    noted({ method: "WebSocket", url: request.url, headers: request.headers });
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("message", (data) => String(data).includes('"protocol"') && socket.send(HANDSHAKE));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url, requests, refreshes, poll,
    tokensOf: (name) => requests.filter((each) => each.name === name).map((each) => each.token),
    count: (name) => requests.filter((each) => each.name === name).length,
    refuseWebSockets: () => { open = false; },
    disconnect: () => server.closeAllConnections(),
    drop: () => sockets.forEach((socket) => socket.terminate()),
    stop: () => { webSockets.close(); sockets.forEach((socket) => socket.terminate()); server.closeAllConnections(); server.close(); },
  };
}
