// The inspector in headless Chromium, for the scripts that use it as a person does.

import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

export const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

export const launch = async () =>
  playwright.launch({ executablePath: await chromium.executablePath(), args: ["--no-sandbox"] });

// Gives the page once it is live, and what goes wrong on it.
export async function open(url) {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(url);
  await page.getByRole("status").getByText("live", { exact: true }).waitFor();
  return { browser, page, errors };
}
