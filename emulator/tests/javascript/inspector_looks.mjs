// What the inspector looks like: on a desktop and on a phone, in the light and in the dark.
//
//   node inspector_looks.mjs <control plane URL> [picture, and the text of the row that it shows open]
//
// Prints for each how much is wider than the page, and the lowest contrast of a text with its ground.

import { launch, say } from "./inspector_page.mjs";

const [url, picture, shown] = process.argv.slice(2);
const browser = await launch();

async function opened(page, hasText) {
  await page.goto(url);
  await page.locator("#rows summary", { hasText }).first().click();
  await page.locator(".told dl").first().waitFor();
}

// Relative luminance and contrast as WCAG 2.2 has them; no ground here is half transparent.
function lowestContrast() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [red, green, blue] = color.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const color = rgb(getComputedStyle(each).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  let lowest = { contrast: 21, text: "" };
  const look = (node, color, text) => {
    const contrast = ratio(rgb(color), ground(node));
    if (contrast < lowest.contrast) lowest = { contrast, text };
  };
  for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility() || node.disabled) continue;
    const texts = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE);
    const text = texts.map((child) => child.data).join("").trim();
    if (text) look(node, getComputedStyle(node).color, text);
    if (node.placeholder) {
      look(node, getComputedStyle(node, "::placeholder").color, node.placeholder);
    }
  }
  return lowest;
}

if (picture) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await opened(page, shown);
  await page.screenshot({ path: picture });
  await browser.close();
  process.exit();
}

for (const [width, height] of [[1280, 1000], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    await opened(page, "403");
    say({
      event: "looked",
      width,
      colorScheme,
      ...(await page.evaluate(lowestContrast)),
      overflow: await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    });
    await page.close();
  }
}

// A thousand rows more: what is drawn stays small, and nothing moves while somebody reads.
const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
await opened(page, "403");
const place = async () => (await page.locator(".why").boundingBox()).y;
const before = await place();
say({ event: "reading" });
await new Promise((resolve) => process.stdin.once("data", resolve));
const held = page.getByRole("button", { name: /^1000 new, held/ });
await held.waitFor();
const after = await place();
await held.click();
const drawn = await page.locator("#rows > li").count();
await page.getByRole("button", { name: "Show more" }).click();
say({
  event: "many",
  moved: after - before,
  drawn,
  more: await page.locator("#rows > li").count(),
});
await browser.close();
