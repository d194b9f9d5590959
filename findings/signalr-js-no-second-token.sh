#!/usr/bin/env bash
# @microsoft/signalr 10.0.11: a poll or send that gets 401 is not repeated with a new token.
#
# Behaviour: the client has code for it. When a request is answered 401, `AccessTokenHttpClient` asks
# `accessTokenFactory` for another token and sends the request once more. The built-in HTTP client
# throws an HttpError for every status but 2xx, though, so the code never sees a 401: the factory is
# not asked, and the request fails. With an `httpClient` of one's own that returns the 401 as a
# response, the same package does ask and repeat.
# Expected: the same with the client that everybody has.
# Hurts: an app whose tokens end after an hour gives a factory that renews them, and still loses its
# long polling connections at the first request after the hour.
#
# Output seen:
#   | the client that everybody has
#   |   sent with token-1
#   |   send failed: true
#   | one that returns a 401
#   |   sent with token-1
#   |   sent with token-2
#   |   send failed: false
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @microsoft/signalr@10.0.11 > /dev/null

cat > "$folder/renewed.mjs" <<'JS'
import { createServer } from "node:http";
import {
  DefaultHttpClient, HttpClient, HttpError, HttpResponse, HttpTransportType, HubConnectionBuilder,
  LogLevel, NullLogger,
} from "@microsoft/signalr";

const HANDSHAKE = "{}\u001e";
let polls = 0;
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    if (request.url.includes("/negotiate")) {
      polls = 0;
      response.setHeader("Content-Type", "application/json");
      const availableTransports = [{ transport: "LongPolling", transferFormats: ["Text"] }];
      const ids = { negotiateVersion: 1, connectionId: "c", connectionToken: "t" };
      response.end(JSON.stringify({ ...ids, availableTransports }));
    } else if (request.method === "GET") {
      polls += 1;
      // The first poll is answered at once, the second with the handshake, and the third waits.
      if (polls < 3) response.end(polls === 2 ? HANDSHAKE : "");
    } else if (body.includes('"target":"hello"')) {
      const token = request.headers.authorization.replace("Bearer ", "");
      console.log(`  sent with ${token}`);
      response.writeHead(token === "token-1" ? 401 : 200).end();
    } else {
      response.end();
    }
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

class ReturnsEveryStatus extends HttpClient {
  #inner = new DefaultHttpClient(NullLogger.instance);

  async send(request) {
    try {
      return await this.#inner.send(request);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return new HttpResponse(error.statusCode, error.message, "");
    }
  }

  getCookieString(url) {
    return this.#inner.getCookieString(url);
  }
}

async function run(options) {
  let tokens = 0;
  const connection = new HubConnectionBuilder()
    .withUrl(`http://127.0.0.1:${server.address().port}/hub`, {
      ...options,
      accessTokenFactory: () => `token-${(tokens += 1)}`,
      transport: HttpTransportType.LongPolling,
    })
    .configureLogging(LogLevel.None)
    .build();
  await connection.start();
  const failed = await connection.send("hello").then(() => false, () => true);
  console.log(`  send failed: ${failed}`);
}

console.log("the client that everybody has");
await run({});
console.log("one that returns a 401");
await run({ httpClient: new ReturnsEveryStatus() });
process.exit(0);
JS

node "$folder/renewed.mjs" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
