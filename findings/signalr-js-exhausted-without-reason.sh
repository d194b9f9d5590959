#!/usr/bin/env bash
# @microsoft/signalr 10.0.11: who gives up reconnecting is told of no error.
#
# Behaviour: with `withAutomaticReconnect`, a lost connection whose attempts to come back all fail
# ends with `onclose(undefined)`, exactly as after `stop()`. Neither the error that broke the
# connection is given, nor the refusal that ended the attempts, though the client has both: the one
# went to `onreconnecting`, the other to the retry policy as `retryReason`. Without automatic
# reconnecting the same loss gives `onclose` its error.
# Expected: the last refusal or the first error; `undefined` after `stop()` alone.
# Hurts: programs that show "connection lost" or log an error "if there is one" say nothing when the
# app begins to refuse its clients with 403, and take that for a stop of their own.
#
# Output seen:
#   | no reconnecting: closed with an error
#   | reconnecting: lost with an error
#   | reconnecting: asked the policy after "… Status code '403'"
#   | reconnecting: closed with undefined
#   | stop(): closed with undefined
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @microsoft/signalr@10.0.11 > /dev/null

cat > "$folder/exhausted.mjs" <<'JS'
import { createServer } from "node:http";
import { HttpTransportType, HubConnectionBuilder, NullLogger } from "@microsoft/signalr";

let isRefusing = false;
let held;
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    if (request.url.includes("/negotiate")) {
      if (isRefusing) return response.writeHead(403).end("not any more");
      const availableTransports = [{ transport: "ServerSentEvents", transferFormats: ["Text"] }];
      const ids = { negotiateVersion: 1, connectionId: "c", connectionToken: "t" };
      return response.end(JSON.stringify({ ...ids, availableTransports }));
    }
    if (request.method === "POST") {
      held.write("data: {}\u001e\r\n\r\n");
      return response.end();
    }
    held = response;
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(":\r\n\r\n");
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const said = (error) => (error === undefined ? "undefined" : "an error");

async function show(title, prepare, end) {
  isRefusing = false;
  const builder = new HubConnectionBuilder().configureLogging(NullLogger.instance);
  const transport = HttpTransportType.ServerSentEvents;
  builder.withUrl(`http://127.0.0.1:${server.address().port}`, { transport });
  const connection = prepare(builder).build();
  connection.onreconnecting((error) => console.log(`${title}: lost with ${said(error)}`));
  const closed = new Promise((resolve) => connection.onclose(resolve));
  await connection.start();
  isRefusing = true;
  end(connection);
  console.log(`${title}: closed with ${said(await closed)}`);
}

const policy = {
  nextRetryDelayInMilliseconds({ previousRetryCount, retryReason }) {
    if (previousRetryCount === 0) return 0;
    const [status] = /Status code '\d+'/.exec(retryReason.message) ?? ["none"];
    console.log(`reconnecting: asked the policy after "… ${status}"`);
    return null;
  },
};
const lose = () => held.destroy();
await show("no reconnecting", (builder) => builder, lose);
await show("reconnecting", (builder) => builder.withAutomaticReconnect(policy), lose);
await show("stop()", (builder) => builder, (connection) => connection.stop());
process.exit(0);
JS

node "$folder/exhausted.mjs" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
