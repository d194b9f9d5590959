// The demo page in headless Chromium: two people use it and tell what they saw.
//
//   node demo.mjs <URL of the page> [folder for screenshots]
//
// Waits for a line on its input where the test does something to the service.

import { createInterface } from "node:readline";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

const [url, screenshots] = process.argv.slice(2);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  args: ["--no-sandbox"],
});
const errors = [];

async function open(transport, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${url}?transport=${transport}`);
  await page.locator("#state", { hasText: "Connected" }).waitFor();
  return page;
}

const text = (page, selector) => page.locator(selector).innerText();
const messages = (page) => page.locator("#log li:not(.event)").allInnerTexts();
const online = (page, count) => page.waitForFunction((n) => document.querySelectorAll("#people li").length === n, count);
const seen = (page, words) => page.locator("#log li", { hasText: words }).waitFor();

const reconnected = (page, before) =>
  page.waitForFunction((id) => {
    const [now, state] = ["#connection", "#state"].map((each) => document.querySelector(each).innerText);
    return now !== id && now !== "–" && state === "Connected";
  }, before);

async function type(page, words) {
  await page.getByLabel("Message", { exact: true }).focus();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
}

async function join(page, group) {
  await page.getByLabel("Name of a group").focus();
  await page.keyboard.type(group);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: group, pressed: true }).waitFor();
}

async function signIn(page, name) {
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("User id").fill(name);
  await page.keyboard.press("Enter");
  await page.locator("#who", { hasText: `You are ${name}` }).waitFor();
}

const ann = await open("websockets");
await signIn(ann, "ann");
const bob = await open("long-polling", { colorScheme: "dark", viewport: { width: 390, height: 780 } });
await Promise.all([online(ann, 2), online(bob, 2)]);
const ids = [await text(ann, "#connection"), await text(bob, "#connection")];
say({
  event: "connected",
  transports: [await text(ann, "#transport"), await text(bob, "#transport")],
  ids,
  expiry: await text(ann, "#expiry"),
});

await type(ann, "Hello, all");
await Promise.all([seen(ann, "Hello, all"), seen(bob, "Hello, all")]);
await join(ann, "team");
await type(ann, "to myself");
await seen(ann, "to myself");
await join(bob, "team");
await type(bob, "to the team");
await Promise.all([seen(ann, "to the team"), seen(bob, "to the team")]);
if (screenshots) {
  await ann.screenshot({ path: `${screenshots}/demo.png` });
  await bob.screenshot({ path: `${screenshots}/demo-phone.png` });
}
say({ event: "chatted", ann: await messages(ann), bob: await messages(bob) });

// The service drops everyone; the pages come back by themselves, into their groups.
await lines.next();
await Promise.all([reconnected(ann, ids[0]), reconnected(bob, ids[1])]);
await Promise.all([online(ann, 2), online(bob, 2)]);
await type(bob, "back again");
await Promise.all([seen(ann, "back again"), seen(bob, "back again")]);
say({ event: "reconnected" });

await bob.context().close();
await online(ann, 1);
say({ event: "left", errors });
await browser.close();
process.exit(0);
