// The demo page in headless Chromium: two people use it and tell what they saw.
//
//   node demo.mjs <URL of the page> [folder for screenshots]
//
// Waits for a line on its input where the test does something to the service.

import { errors, launch, lines, open, say, seen, signIn, text, type } from "./demo_pages.mjs";

const [url, screenshots] = process.argv.slice(2);
const browser = await launch();
const person = (options) => browser.newContext({ viewport: { width: 1000, height: 640 }, ...options });

const messages = (page) => page.locator("#log li:not(.event)").allInnerTexts();
const online = (page, count) => page.waitForFunction((n) => document.querySelectorAll("#people li").length === n, count);

const reconnected = (page, before) =>
  page.waitForFunction((id) => {
    const [now, state] = ["#connection", "#state"].map((each) => document.querySelector(each).innerText);
    return now !== id && now !== "–" && state === "Connected";
  }, before);

async function join(page, group) {
  await page.getByLabel("Name of a group").focus();
  await page.keyboard.type(group);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: group, pressed: true }).waitFor();
}

const ann = await open(await person(), url, "websockets");
await signIn(ann, "ann");
const phone = await person({ colorScheme: "dark", viewport: { width: 390, height: 780 } });
const bob = await open(phone, url, "long-polling");
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
