// The inspector in headless Chromium: uses the page as a person does and prints what it saw.
//
//   node inspector.mjs <control plane URL>

import { open, say } from "./inspector_page.mjs";

const goOn = () => new Promise((resolve) => process.stdin.once("data", resolve));

const { browser, page, errors } = await open(process.argv[2]);
page.setDefaultTimeout(8000);
await page.getByText("ann", { exact: true }).waitFor();
const rows = page.locator("#rows > li");
say({
  event: "shown",
  connections: await page.locator("#connections tbody tr").count(),
  keys: await page.locator("#keys tbody tr").count(),
  failed: await page.locator("#rows .pill.bad").count(),
  note: await rows.filter({ hasText: "users/ann" }).locator(".note").innerText(),
});

// By keyboard alone: open what was sent, and read it.
await rows.filter({ hasText: "users/ann" }).locator("summary").focus();
await page.keyboard.press("Enter");
await page.locator(".told dt", { hasText: "Allowed by" }).waitFor();
const told = (name) => page.locator(`.told dt:text-is("${name}") + dd`).first().innerText();
say({
  event: "opened",
  operation: await told("Operation"),
  target: await told("Target"),
  to: await told("To"),
  arguments: await page.locator(".told pre").last().innerText(),
  markup: await page.locator(".told pre b").count(),
});
await goOn();

// What comes while a row is open waits until it is closed.
await page.getByRole("button", { name: /^1 new, held while a row is open/ }).waitFor();
const before = await rows.count();
await page.keyboard.press("Enter");
await page.waitForFunction((count) => document.querySelectorAll("#rows > li").length > count, before);
await page.getByLabel("Kind").selectOption("failed");
await page.waitForFunction(() => document.querySelectorAll("#rows > li").length === 1);
await page.getByLabel("Kind").selectOption("");
await page.getByRole("searchbox", { name: "Search" }).fill("USERS/ANN");
await page.waitForFunction(() => document.querySelectorAll("#rows > li").length === 1);
const matching = await page.locator("#matching").innerText();
await page.getByRole("searchbox", { name: "Search" }).fill("");
await page.getByRole("button", { name: "Pause", exact: true }).click();
say({
  event: "filtered",
  matching,
  paused: await page.getByRole("button", { name: "Pause", exact: true }).getAttribute("aria-pressed"),
});
await goOn();
await page.getByRole("button", { name: /1 new, held while paused/ }).waitFor();
await page.getByRole("button", { name: "Pause", exact: true }).click();
await page.getByRole("button", { name: "Clear" }).click();
await page.getByText("Nothing yet.").waitFor();

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
await goOn();
const refused = page.locator("#rows summary", { hasText: "403" });
await refused.click();
await page.locator(".why li").waitFor();
say({ event: "refused", why: await page.locator(".why").innerText() });
await refused.click();
await page.getByLabel("Role of local-app").selectOption("SignalR App Server");
await page.getByRole("switch", { name: /SignalR App Server/ }).waitFor();

// Act: what is wrong is told, what is right reaches the client.
const act = page.locator("#act-form");
await act.getByLabel("Target").fill("say");
await act.getByLabel("Arguments").fill("[1,");
await act.getByRole("button", { name: "Send" }).click();
const wrong = await page.locator("#act-error").innerText();
await act.getByLabel("Arguments").fill("[12.50]");
await act.getByRole("button", { name: "Send" }).click();
await page.locator("#act-done", { hasText: "Sent to 1 connection." }).waitFor();
await act.getByLabel("What").selectOption("add");
await page.getByRole("button", { name: /^Use .* in Act$/ }).click();
await act.getByLabel("Group", { exact: true }).fill("editors");
await act.getByRole("button", { name: "Join" }).click();
await page.locator("#connections td", { hasText: "editors" }).waitFor();
say({ event: "acted", wrong });

await page.getByRole("combobox", { name: "Operation", exact: true }).selectOption("sendToUser");
await page.getByLabel("Answer").selectOption("503");
await page.getByLabel("Times").fill("2");
await page.getByRole("button", { name: "Add" }).click();
await page.locator("#faults tbody tr").waitFor();
await page.getByText("More operations and choices").click();
await page.getByLabel("Another one instead").selectOption("addUserToGroup");
await page.getByLabel("Only hub").fill("chat");
await page.getByRole("button", { name: "Add" }).click();
await page.locator("#faults tbody tr").nth(1).waitFor();
say({ event: "faults", rows: await page.locator("#faults tbody tr").allInnerTexts() });

await page.getByRole("button", { name: "+1 h" }).click();
await page.getByText(/^29:|^30:/).first().waitFor();
say({ event: "ahead", told: await page.getByRole("complementary").innerText() });
await page.getByRole("button", { name: "Reset the clock" }).click();
await page.getByText(/^89:|^90:/).first().waitFor();
await page.getByRole("complementary").waitFor({ state: "hidden" });

await page.getByRole("button", { name: /^Revoke/ }).first().click();
await page.getByRole("dialog").waitFor();
const warned = await page.getByRole("dialog").innerText();
await page.keyboard.press("Escape");
await page.getByRole("dialog").waitFor({ state: "hidden" });
say({ event: "warned", warned, keys: await page.locator("#keys tbody tr").count() });
await page.getByRole("button", { name: /^Revoke/ }).first().click();
await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
await page.getByText("No app has asked for a key yet.").waitFor();
await page.getByRole("button", { name: /^Drop/ }).first().click();
await page.getByText("No client is connected.").waitFor();
say({ event: "end", errors });
await browser.close();
