// A client that renews its sign-in by its public option httpClient: each line of standard input is
// its client token from then on, with which it invokes a method.
//
//   node refresh.mjs <hub URL> <client token> <transport>

import { createInterface } from "node:readline";
import * as signalR from "@microsoft/signalr";

const [url, firstToken, transport] = process.argv.slice(2);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
let token = firstToken;

class RenewingHttpClient extends signalR.HttpClient {
  #http = new signalR.DefaultHttpClient(signalR.NullLogger.instance);

  async send(request) {
    request.headers = { ...request.headers, Authorization: `Bearer ${token}` };
    const response = await this.#http.send(request);
    if (request.url.includes("/negotiate")) {
      say({ event: "negotiated", ...JSON.parse(response.content) });
    }
    return response;
  }
}

const connection = new signalR.HubConnectionBuilder()
  .withUrl(url, {
    accessTokenFactory: () => token,
    httpClient: new RenewingHttpClient(),
    transport: signalR.HttpTransportType[transport],
  })
  .configureLogging(signalR.LogLevel.None)
  .build();
connection.on("say", (...args) => say({ event: "say", arguments: args }));
connection.onclose((error) => say({ event: "closed", error: error?.message ?? null }));
await connection.start();
say({ event: "connected" });
const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  token = line;
  await connection.invoke("note");
  say({ event: "invoked" });
});
lines.on("close", () => connection.stop());
