// A real SignalR client that comes with a bearer token, and may renew its sign-in by the module of
// the demo. Says in JSON lines what it sees, and ends when its standard input does. A line of it,
// {"renew": [token]}, has it renew the sign-in with another token of the same user.
//
//   node renewing_client.mjs <function URL> <transport> <renews|does not> <token>

import { createInterface } from "node:readline";
import { DefaultHttpClient, HttpTransportType, HubConnectionBuilder, LogLevel, NullLogger } from "@microsoft/signalr";
import { AuthenticationRefresh } from "../../demo/authentication-refresh.mjs";

const [url, transport, renews, first] = process.argv.slice(2);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
let token = first;

const options = {
  transport: HttpTransportType[transport],
  accessTokenFactory: () => token,
  httpClient: new DefaultHttpClient(NullLogger.instance),
};
const refresh = new AuthenticationRefresh(options);
const connection = new HubConnectionBuilder()
  .withUrl(url, renews === "renews" ? refresh.connectionOptions : options)
  .configureLogging(LogLevel.None)
  .withAutomaticReconnect()
  .build();
if (renews === "renews") refresh.follow(connection);
connection.on("newMessage", (...args) => say({ event: "newMessage", arguments: args }));
connection.onreconnecting((error) => say({ event: "reconnecting", error: error?.message ?? null }));

await connection.start();
say({ event: "connected", connectionId: connection.connectionId, expiresAt: refresh.expiresAt });

const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  [token] = JSON.parse(line).renew;
  try {
    say({ event: "renewed", lifetime: await refresh.refreshAuthentication() });
  } catch ({ status, reason }) {
    say({ event: "refused", status, reason });
  }
});
lines.on("close", () => connection.stop());
