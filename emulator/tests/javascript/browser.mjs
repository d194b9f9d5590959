// The same client in headless Chromium, once per line of arguments on the command line:
//
//   node browser.mjs <hub URL> <client token> <transport>/<protocol>[/<mode>] ...
//
// Each line that it prints names its client. Ends when its standard input does.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

const [url, token, ...clients] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const file = (name) => readFile(new URL(name, import.meta.url), "utf8");

const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  args: ["--no-sandbox"],
});
const scripts = [
  require.resolve("@microsoft/signalr").replace(/dist.cjs.*$/, "dist/browser/signalr.min.js"),
  require
    .resolve("@microsoft/signalr-protocol-msgpack")
    .replace(/dist.cjs.*$/, "dist/browser/signalr-protocol-msgpack.min.js"),
];
const page = await browser.newPage();
await page.exposeFunction("say", say);
// Another origin than the service's, as a web app's is.
const app = createServer((_request, response) => {
  response.setHeader("Content-Type", "text/html");
  response.end("<!doctype html><title>client</title>");
});
await new Promise((resolve) => app.listen(0, "127.0.0.1", resolve));
await page.goto(`http://127.0.0.1:${app.address().port}/`);
for (const path of scripts) {
  await page.addScriptTag({ path });
}
await page.addScriptTag({
  content: (await file("scenario.mjs")).replace("export async function", "window.run = async function"),
});
say({ event: "browser", version: browser.version() });
await Promise.all(
  clients.map((client) =>
    page.evaluate(
      ([url, token, client]) => {
        const [transport, protocol, mode] = client.split("/");
        const say = (event) => window.say({ client, ...event });
        const MessagePackHubProtocol = signalR.protocols.msgpack.MessagePackHubProtocol;
        return window
          .run({ signalR, MessagePackHubProtocol, say, url, token, transport, protocol, mode })
          .then(() => null);
      },
      [url, token, client],
    ),
  ),
);
process.stdin.resume();
process.stdin.on("end", async () => {
  await browser.close();
  app.closeAllConnections();
  app.close();
});
