// Headless Chromium for a test: does what each line of its input says, and answers with a line.
//
//   {"do": "see", "page": "ann", "selector": "#log", "text": "Hello"}
//   {"value": null}

import { createInterface } from "node:readline";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

const pages = new Map();
const errors = [];
const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: ["--no-sandbox"] });

/**
 * Give a page a clock that can be moved. Only long waits know of it: a connection that hears nothing
 * for half a minute ends, and here nothing is silent.
 */
function movableClock() {
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
  window.advance = (seconds) => {
    ahead += 1_000 * seconds;
    for (const [timer, { callback, at }] of [...waiting]) {
      if (at <= Date.now() && waiting.delete(timer)) callback();
    }
  };
}

/** Ask from out here: a page of this app runs no script but its own, so none that would wait in it. */
async function until(isTrue) {
  const end = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error("It did not come true within 30 s.");
    await new Promise((done) => setTimeout(done, 50));
  }
}

const commands = {
  /** Open an address, in a browser of its own or in that of another page. */
  async open({ page, url, width = 1000, height = 640, colorScheme = "light", beside }) {
    const context = beside ? pages.get(beside).context() : await browser.newContext({
      viewport: { width, height }, colorScheme, permissions: ["clipboard-read", "clipboard-write"],
    });
    if (!beside) await context.addInitScript(movableClock);
    const opened = await context.newPage();
    opened.on("pageerror", (error) => errors.push(error.message));
    pages.set(page, opened);
    await opened.goto(url);
  },
  see: ({ page, selector, text }) => pages.get(page).locator(selector).filter({ hasText: text, visible: true }).first().waitFor(),
  async miss({ page, selector, text }) {
    const isGone = ([where, what]) => [...document.querySelectorAll(where)].every((each) => !each.checkVisibility() || !each.textContent.includes(what));
    await until(() => pages.get(page).evaluate(isGone, [selector, text]));
  },
  until: ({ page, expression }) => until(() => pages.get(page).evaluate(expression)),
  read: ({ page, selector }) => pages.get(page).locator(selector).filter({ visible: true }).allInnerTexts(),
  click: ({ page, role, name }) => pages.get(page).getByRole(role, { name, exact: true }).filter({ visible: true }).first().click(),
  /** Write into the field with a label, and press Enter. */
  async write({ page, label, text }) {
    await pages.get(page).getByLabel(label, { exact: true }).focus();
    await pages.get(page).keyboard.type(text);
    await pages.get(page).keyboard.press("Enter");
  },
  press: ({ page, key }) => pages.get(page).keyboard.press(key),
  evaluate: ({ page, expression }) => pages.get(page).evaluate(expression),
  screenshot: ({ page, path }) => pages.get(page).screenshot({ path }),
  close: ({ page }) => pages.get(page).context().close(),
  errors: () => errors,
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const answer = await (async () => commands[command.do](command))().then(
    (value) => ({ value: command.do === "screenshot" ? null : value ?? null }),
    (error) => ({ error: error.message }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
process.exit(0);
