#!/usr/bin/env bash
# @microsoft/signalr 10.0.11: a header "authorization" of the program's own goes to the service too.
#
# Behaviour: a program gives `withUrl` a header for the app that it negotiates with. The app redirects
# to the SignalR service with a token for it. Where the header is called `Authorization`, that token
# takes its place; where it is called `authorization`, both are sent, joined in one header, although
# the case of a header's name means nothing in HTTP.
# Expected: the service's token alone, however the name is written.
# Hurts: no service accepts two tokens in one header, so the client gets 401 for a token that is
# right; and the program's own credential reaches a server that it was not meant for.
#
# Output seen:
#   | Authorization
#   |   app: Bearer OWN
#   |   service: Bearer SERVICE
#   | authorization
#   |   app: Bearer OWN
#   |   service: Bearer OWN, Bearer SERVICE
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @microsoft/signalr@10.0.11 > /dev/null

cat > "$folder/redirected.mjs" <<'JS'
import { createServer } from "node:http";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";

const listen = (respond) =>
  new Promise((resolve) => {
    const server = createServer(respond).listen(0, "127.0.0.1", () => resolve(server));
  });
const address = (server) => `http://127.0.0.1:${server.address().port}`;

const service = await listen((request, response) => {
  console.log(`  service: ${request.headers.authorization}`);
  response.writeHead(401).end();
});
const app = await listen((request, response) => {
  console.log(`  app: ${request.headers.authorization}`);
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ url: `${address(service)}/client/?hub=h`, accessToken: "SERVICE" }));
});

for (const name of ["Authorization", "authorization"]) {
  console.log(name);
  const connection = new HubConnectionBuilder()
    .withUrl(`${address(app)}/api`, { headers: { [name]: "Bearer OWN" } })
    .configureLogging(LogLevel.None)
    .build();
  await connection.start().catch(() => {});
}
process.exit(0);
JS

node "$folder/redirected.mjs" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
