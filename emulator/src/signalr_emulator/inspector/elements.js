// Pieces of the page. What comes from outside becomes text, never markup.

export const byId = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const code = (text) => element("code", {}, text);
export const quiet = (text) => element("span", { className: "quiet" }, text);
export const empty = (text) => element("p", { className: "empty" }, text);
export const time = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);

// In a narrow panel each row is a block, in which its heads stand before the cells.
export function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  for (const row of rows) {
    [...row.children].forEach((cell, place) => heads[place] && (cell.dataset.head = heads[place]));
  }
  return element(
    "table",
    {},
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
}

export const row = (...cells) =>
  element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));

export function action(label, key, run, name) {
  return element(
    "button",
    { type: "button", onclick: run, "data-key": key, "aria-label": name ?? null },
    label,
  );
}

// The options of a choice, in groups; what was chosen stays chosen.
export function fill(select, groups) {
  const chosen = select.value;
  select.replaceChildren(
    ...Object.entries(groups)
      .filter(([, values]) => values.length > 0)
      .map(([label, values]) => {
        const options = values.map((value) => element("option", { value }, value));
        return label ? element("optgroup", { label }, ...options) : options;
      })
      .flat(),
  );
  if (chosen && [...select.options].some((option) => option.value === chosen)) select.value = chosen;
}

export function span(seconds) {
  const minutes = Math.round(seconds / 60);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  const parts = [
    days > 0 ? `${days} d` : "",
    hours > 0 ? `${hours} h` : "",
    minutes % 60 > 0 || minutes === 0 ? `${minutes % 60} min` : "",
  ];
  return parts.filter(Boolean).join(" ");
}

// Gives null, or what is wrong.
export async function send(method, path, body) {
  const { error } = await ask(method, path, body);
  return error;
}

export async function ask(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: typeof body === "string" || body === undefined ? body : JSON.stringify(body),
    });
    const document = await answer.json().catch(() => null);
    if (answer.ok) return { document, error: null };
    return { document: null, error: document?.detail ?? `${answer.status} ${answer.statusText}` };
  } catch {
    return { document: null, error: "The emulator does not answer." };
  }
}
