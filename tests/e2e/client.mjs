// A real SignalR client for the tests: connects through the function URL and says in JSON lines
// what it sees. Ends when its standard input does.
//
//   node client.mjs <function URL> [header=value ...]

import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";

const [url, ...pairs] = process.argv.slice(2);
const headers = Object.fromEntries(pairs.map((pair) => pair.split("=", 2)));
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const connection = new HubConnectionBuilder()
  .withUrl(url, { headers, transport: HttpTransportType.WebSockets })
  .configureLogging(LogLevel.None)
  .build();
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

process.stdin.resume();
process.stdin.on("end", async () => {
  await connection.stop();
});
