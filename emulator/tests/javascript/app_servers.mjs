// The inspector's app servers: looks at those that are there, and uses their buttons in turn.
//
//   node app_servers.mjs <control plane URL>

import { open, say } from "./inspector_page.mjs";

const { browser, page, errors } = await open(process.argv[2]);
const cells = async (row) => (await row.locator("td").allInnerTexts()).slice(0, -1);
const carrier = page.locator("#servers tr", { hasText: "cid-1" });
const weak = page.locator("#servers tr", { hasText: "cid-2" });
const client = page.locator("#connections tr", { hasText: "ann" });
await client.waitFor();
await carrier.waitFor();
say({
  event: "shown",
  carrier: await cells(carrier),
  weak: await cells(weak),
  weakButtons: await weak.getByRole("button").allInnerTexts(),
  client: (await cells(client)).slice(1),
});
await carrier.getByRole("button", { name: "Rebalance" }).click();
await carrier.getByRole("button", { name: "Offline" }).click();
await client.waitFor({ state: "detached" });
await carrier.getByRole("button", { name: "Drop" }).click();
await carrier.waitFor({ state: "detached" });
await weak.getByRole("button", { name: "Drop" }).click();
await page.getByText("No app server is connected.").waitFor();
say({ event: "end", errors });
await browser.close();
