// A real SignalR client for the tests: connects through the function URL and says in JSON lines
// what it sees. Ends when its standard input does. A line of its standard input calls the hub:
// {"invoke": [target, ...arguments]}, {"send": [...]} or {"stream": [...]}.
//
//   node client.mjs <function URL> <json|messagepack> [header=value ...]

import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { createInterface } from "node:readline";

const [url, protocol, ...pairs] = process.argv.slice(2);
const headers = Object.fromEntries(pairs.map((pair) => pair.split("=", 2)));
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const builder = new HubConnectionBuilder()
  .withUrl(url, { headers, transport: HttpTransportType.WebSockets })
  .configureLogging(LogLevel.None);
if (protocol === "messagepack") {
  const { MessagePackHubProtocol } = await import("@microsoft/signalr-protocol-msgpack");
  builder.withHubProtocol(new MessagePackHubProtocol());
}
const connection = builder.build();
connection.on("newMessage", (...args) => say({ event: "newMessage", arguments: args }));
connection.on("add", (one, other) => one + other);
connection.on("fail", () => {
  throw new Error("Not today");
});
connection.onclose((error) => say({ event: "closed", error: error?.message ?? null }));

try {
  await connection.start();
  say({ event: "connected", connectionId: connection.connectionId });
} catch (error) {
  say({ event: "refused", error: error.message });
  process.exit(0);
}

const completed = (result) => say({ event: "completed", result });
const failed = (error) => say({ event: "failed", error: error.message });
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { invoke, send, stream } = JSON.parse(line);
  if (invoke) connection.invoke(...invoke).then(completed, failed);
  if (send) connection.send(...send).then(() => say({ event: "sent" }), failed);
  if (stream) connection.stream(...stream).subscribe({ next() {}, complete: completed, error: failed });
});
lines.on("close", async () => {
  await connection.stop();
});
