#!/usr/bin/env bash
# @microsoft/signalr 10.0.11 in Node: WebSockets send the attributes of cookies as cookies.
#
# Behaviour: in Node the client keeps cookies itself. A server sets `session=ann; Path=/; HttpOnly`
# in the negotiation. Requests made with fetch send back `session=ann`; the request that opens the
# WebSocket sends `session=ann; Path=/; HttpOnly`, attributes and all, as one `Cookie` header.
# Expected: the same header both times: names and values alone (RFC 6265, section 5.4).
# Hurts: a server reads a cookie named `Path` that nobody set. Where a cookie's value decides
# (affinity of a load balancer, a session), one called like an attribute, `Domain` or `Expires`,
# is read wrong on WebSockets alone, with a client that is right on every other transport.
#
# Output seen:
#   | negotiation 1: no cookie
#   | negotiation 2: session=ann
#   | WebSocket: session=ann; Path=/; HttpOnly
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @microsoft/signalr@10.0.11 > /dev/null

cat > "$folder/cookies.mjs" <<'JS'
import { createServer } from "node:http";
import { DefaultHttpClient, HttpTransportType, HubConnectionBuilder, LogLevel, NullLogger } from "@microsoft/signalr";

let negotiations = 0;
const server = createServer((request, response) => {
  negotiations += 1;
  console.log(`negotiation ${negotiations}: ${request.headers.cookie ?? "no cookie"}`);
  response.setHeader("Set-Cookie", "session=ann; Path=/; HttpOnly");
  response.setHeader("Content-Type", "application/json");
  response.end(
    JSON.stringify({
      negotiateVersion: 1,
      connectionId: "c",
      connectionToken: "t",
      availableTransports: [{ transport: "WebSockets", transferFormats: ["Text"] }],
    }),
  );
});
server.on("upgrade", (request, socket) => {
  // The first connection only brings the cookie.
  if (negotiations === 2) {
    console.log(`WebSocket: ${request.headers.cookie}`);
  }
  socket.destroy();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const httpClient = new DefaultHttpClient(NullLogger.instance);
for (let time = 0; time < 2; time += 1) {
  const connection = new HubConnectionBuilder()
    .withUrl(`http://127.0.0.1:${server.address().port}/hub`, {
      httpClient,
      transport: HttpTransportType.WebSockets,
    })
    .configureLogging(LogLevel.None)
    .build();
  await connection.start().catch(() => {});
}
process.exit(0);
JS

node "$folder/cookies.mjs" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
