// An agent of @microsoft/signalr, and of @aspnet/signalr before it: does what lines of JSON on its
// standard input tell, and reports in lines of JSON. interop/README.md describes both.
//
//   node agent.mjs <folder with node_modules> <scope of the packages>
//     --url URL --transport websockets|serverSentEvents|longPolling --protocol json|messagepack
//     [--token TOKEN]

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string" },
    transport: { type: "string" },
    protocol: { type: "string" },
    token: { type: "string" },
  },
});
const [folder, scope] = positionals;
const require = createRequire(join(resolve(folder), "agent.cjs"));
const library = `${scope}/signalr`;
const { version } = require(`${library}/package.json`);
const major = scope === "@aspnet" ? 1 : Number.parseInt(version, 10);
// This line takes a global fetch for that of a browser, and Node 18 has one too.
if (major === 5) delete globalThis.fetch;
const signalR = require(library);

const TRANSPORTS = {
  websockets: signalR.HttpTransportType.WebSockets,
  serverSentEvents: signalR.HttpTransportType.ServerSentEvents,
  longPolling: signalR.HttpTransportType.LongPolling,
};
const say = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const text = (error) => error?.message ?? null;

function build() {
  const chosen = { transport: TRANSPORTS[options.transport] };
  if (options.token) chosen.accessTokenFactory = () => options.token;
  let builder = new signalR.HubConnectionBuilder()
    .withUrl(options.url, chosen)
    .configureLogging({ log: (level, message) => level > 2 && console.error(message) });
  if (options.protocol === "messagepack") {
    const { MessagePackHubProtocol } = require(`${scope}/signalr-protocol-msgpack`);
    builder = builder.withHubProtocol(new MessagePackHubProtocol());
  }
  return (builder.withAutomaticReconnect?.() ?? builder).build();
}

const connection = build();
connection.onclose((error) => say("closed", { error: text(error) }));
connection.onreconnecting?.((error) => say("reconnecting", { error: text(error) }));
connection.onreconnected?.(() => say("reconnected"));

const failed = (error) => say("failed", { error: text(error) });
const commands = {
  start: () => connection.start().then(() => say("connected"), failed),
  on: ({ target }) => connection.on(target, (...args) => say("message", { target, arguments: args })),
  answer: ({ target, value }) => connection.on(target, () => value),
  send: ({ target, arguments: args }) => connection.send(target, ...args).then(() => say("sent"), failed),
  invoke: ({ id, target, arguments: args }) =>
    connection.invoke(target, ...args).then(
      (value) => say("result", { id, value: value ?? null }),
      (error) => say("result", { id, error: text(error) }),
    ),
  // Its closed event is that of onclose.
  stop: () => connection.stop().catch(failed),
};

const capabilities = ["send", "invoke"];
if (connection.onreconnected) capabilities.push("reconnect");
if (major >= 7) capabilities.push("results");
say("ready", { library, version, capabilities });
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { do: command, ...details } = JSON.parse(line);
    commands[command](details);
  })
  .on("close", () => process.exit(0));
