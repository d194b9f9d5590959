import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";
const [out, width, scheme, ...urls] = process.argv.slice(2);
const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: ["--no-sandbox","--allow-file-access-from-files"] });
const context = await browser.newContext({ viewport: { width: +width, height: 900 }, colorScheme: scheme });
const page = await context.newPage();
for (const url of urls) {
  await page.goto(url);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const name = url.replace(/.*\/html\//, "").replace(/[^a-z0-9-]+/gi, "_");
  const h = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.screenshot({ path: `${out}/${name}-${width}-${scheme}.png`, fullPage: true });
  console.log(name, width, scheme, "overflow", wide, "height", h);
}
await browser.close(); process.exit(0);
