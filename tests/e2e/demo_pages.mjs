// The demo page in headless Chromium, and what people do with it.

import { createInterface } from "node:readline";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

/** Errors of all pages. */
export const errors = [];

export const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

/** Lines of the standard input: the test has done something to the service. */
export const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const launch = async () => playwright.launch({
  executablePath: await chromium.executablePath(),
  args: ["--no-sandbox"],
});

export async function open(context, url, transport) {
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${url}?transport=${transport}`);
  await page.locator("#state[data-state=Connected]").waitFor();
  return page;
}

export const text = (page, selector) => page.locator(selector).innerText();
export const seen = (page, words) => page.locator("#log li", { hasText: words }).waitFor();

export async function type(page, words) {
  await page.getByLabel("Message", { exact: true }).focus();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
}

export async function signIn(page, name) {
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("User id").fill(name);
  await page.keyboard.press("Enter");
  await page.locator("#who", { hasText: `You are ${name}` }).waitFor();
}
