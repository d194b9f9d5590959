// The inspector in headless Chromium: uses the page as a person does and prints what it saw.
//
//   node inspector.mjs <control plane URL> [screenshot file]

import { open, say } from "./inspector_page.mjs";

const [url, screenshot] = process.argv.slice(2);
const { browser, page, errors } = await open(url);
await page.getByText("ann", { exact: true }).waitFor();
say({
  event: "shown",
  connections: await page.locator("#connections tbody tr").count(),
  keys: await page.locator("#keys tbody tr").count(),
  denied: await page.locator("#calls .pill.bad").count(),
  messages: await page.locator("#messages tbody tr").first().innerText(),
});

// By keyboard alone: reach the switch, and switch the role off.
// Looked at in one step each, since the page draws itself anew at any moment.
const role = page.getByRole("switch", { name: /SignalR Service Owner/ }).first();
await role.focus();
await page.evaluate(() => (document.activeElement.dataset.before = "true"));
await page.keyboard.press("Space");
await page.waitForFunction(() => {
  const drawn = document.querySelector("[role=switch]");
  return !drawn.checked && !drawn.dataset.before;
});
say({
  event: "switched",
  focused: await page.evaluate(
    () => document.activeElement === document.querySelector("[role=switch]"),
  ),
});
await new Promise((resolve) => process.stdin.once("data", resolve));

await page.getByLabel("Operation").selectOption("sendToUser");
await page.getByLabel("Answer").selectOption("503");
await page.getByLabel("Times").fill("2");
await page.getByRole("button", { name: "Add" }).click();
await page.locator("#faults tbody tr").waitFor();
say({ event: "fault", row: await page.locator("#faults tbody tr").innerText() });

await page.getByRole("button", { name: "+1 h" }).click();
await page.getByText(/^29:|^30:/).first().waitFor();
await page.getByRole("button", { name: "Revoke" }).first().click();
await page.getByText("No app has asked for a key yet.").waitFor();
await page.getByRole("button", { name: "Drop" }).first().click();
await page.getByText("No client is connected.").waitFor();
if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });
say({ event: "end", errors });
await browser.close();
