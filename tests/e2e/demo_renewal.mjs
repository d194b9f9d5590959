// One person with two demo pages, for longer than a sign-in lasts.
//
//   node demo_renewal.mjs <URL of the page> <seconds>
//
// Lets so many seconds pass in the pages for each line on its input, and waits until they have
// renewed the sign-in.

import { errors, launch, lines, open, say, seen, signIn, text, type } from "./demo_pages.mjs";

const [url, seconds] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext();

// A clock that can be moved. Only long waits know of it: a connection that hears nothing for half a
// minute ends, and here nothing is silent.
await context.addInitScript(() => {
  const { setTimeout, clearTimeout, Date: { now } } = window;
  const longest = 600_000;
  const waiting = new Map();
  let ahead = 0, last = 0;
  Date.now = () => now() + ahead;
  window.setTimeout = (callback, wait, ...more) => {
    if (!(wait > longest)) return setTimeout(callback, wait, ...more);
    waiting.set(--last, { callback, at: Date.now() + wait });
    return last;
  };
  window.clearTimeout = (timer) => waiting.delete(timer) || clearTimeout(timer);
  window.advance = (milliseconds) => {
    ahead += milliseconds;
    for (const [timer, { callback, at }] of [...waiting]) {
      if (at <= Date.now() && waiting.delete(timer)) callback();
    }
  };
});

const first = await open(context, url, "websockets");
await signIn(first, "ann");
const pages = [first, await open(context, url, "long-polling")];
const all = (selector) => Promise.all(pages.map((page) => text(page, selector)));
say({ event: "connected", ids: await all("#connection"), transports: await all("#transport"), expiry: await all("#expiry") });

for (const renewal of [1, 2]) {
  await lines.next();
  await Promise.all(pages.map(async (page) => {
    await page.evaluate((milliseconds) => window.advance(milliseconds), 1_000 * Number(seconds));
    await page.locator("#expiry", { hasText: `renewed ${renewal}×` }).waitFor();
  }));
  say({ event: "renewed", expiry: await all("#expiry") });
}
for (const [index, page] of pages.entries()) {
  await type(page, `from ${index}`);
  await Promise.all(pages.map((each) => seen(each, `from ${index}`)));
}
say({ event: "chatted", ids: await all("#connection"), events: await all("#log"), errors });
await browser.close();
process.exit(0);
