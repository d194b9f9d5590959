// What happened: rows as they come, filtered, and the details of one when it is opened.

import { byId, code, element, ask, send, time } from "./elements.js";

const KEPT = 2000; // as many as the emulator keeps
const PAGE = 200; // rows that are drawn at a time

const filter = byId("filter");
const list = byId("rows");
let rows = []; // all that are known, the newest first
let held = []; // those that wait until nobody reads
let shown = PAGE;
let paused = false;
let use = () => {};

// Has a callback take a message that somebody wants to send again.
export function onUse(callback) {
  use = callback;
}

const isReading = () => paused || list.querySelector("details[open]") !== null;

export function receive(fresh, oldest) {
  forget(oldest);
  const known = new Set([...held, ...rows].map((each) => each.id));
  held = [...fresh.filter((each) => !known.has(each.id)).reverse(), ...held].slice(0, KEPT);
  if (isReading()) return tell();
  release();
}

export function restart() {
  rows = [];
  held = [];
  list.replaceChildren();
}

// What the emulator has forgotten cannot be opened any more.
function forget(oldest) {
  if ((rows.at(-1)?.id ?? Infinity) >= oldest && (held.at(-1)?.id ?? Infinity) >= oldest) return;
  rows = rows.filter((each) => each.id >= oldest);
  held = held.filter((each) => each.id >= oldest);
  for (const node of [...list.children]) {
    if (Number(node.dataset.id) < oldest && !node.querySelector("details").open) node.remove();
  }
}

function release() {
  const fresh = held;
  held = [];
  rows = [...fresh, ...rows].slice(0, KEPT);
  const matching = fresh.filter(matches).slice(0, shown);
  list.prepend(...matching.map(draw));
  while (list.children.length > shown) list.lastElementChild.remove();
  for (const each of fresh) knowHub(each.hub);
  tell();
}

function drawAll() {
  const open = new Set([...list.querySelectorAll("details[open]")].map((each) => each.parentNode.id));
  const matching = rows.filter(matches);
  const kept = new Map([...list.children].map((node) => [node.id, node]));
  list.replaceChildren(
    ...matching.slice(0, shown).map((each) => {
      const name = `row-${each.id}`;
      return open.has(name) ? kept.get(name) : draw(each);
    }),
  );
  tell();
}

function matches(each) {
  const { kind, hub, text } = filter;
  if (kind.value === "failed" && !each.failed) return false;
  if (kind.value && kind.value !== "failed" && !each.kinds.includes(kind.value)) return false;
  if (hub.value && each.hub?.toLowerCase() !== hub.value) return false;
  const wanted = text.value.trim().toLowerCase();
  return (
    !wanted ||
    [each.title, each.note, each.outcome, each.hub ?? ""].some((said) =>
      said.toLowerCase().includes(wanted),
    )
  );
}

function knowHub(name) {
  const hub = name?.toLowerCase();
  if (!hub || [...filter.hub.options].some((option) => option.value === hub)) return;
  filter.hub.append(element("option", { value: hub }, hub));
}

function tell() {
  const matching = rows.filter(matches).length;
  byId("found").textContent =
    matching === rows.length ? `${rows.length} rows` : `${matching} of ${rows.length} rows`;
  byId("no-rows").hidden = list.children.length > 0;
  byId("no-rows").textContent =
    rows.length > 0
      ? "Nothing matches."
      : "Nothing yet. Requests, messages, upstream calls and what app servers ask for appear here as they come.";
  byId("more").hidden = matching <= list.children.length;
  const waiting = held.filter(matches).length;
  byId("held").hidden = waiting === 0;
  byId("held").textContent = `${waiting} new, held while ${paused ? "paused" : "a row is open"}: show`;
}

function draw(each) {
  const told = element("div", { className: `told${each.failed ? " failed" : ""}` });
  const details = element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { className: "clock time quiet" }, time(each.time)),
      element("code", { className: "title" }, each.title),
      element("span", { className: "hub quiet" }, each.hub ?? ""),
      element("span", { className: `outcome pill ${each.failed ? "bad" : "good"}` }, each.outcome),
      each.note ? element("span", { className: "note" }, each.note) : null,
    ),
    told,
  );
  details.addEventListener("toggle", () => {
    details.parentNode?.classList.toggle("open", details.open);
    if (details.open && told.childElementCount === 0) show(each.id, told);
    if (!isReading() && held.length > 0) release();
    else tell();
  });
  return element("li", { id: `row-${each.id}`, "data-id": each.id }, details);
}

async function show(id, told) {
  told.replaceChildren(element("p", { className: "quiet" }, "…"));
  const { document, error } = await ask("GET", `emulator/journal/${id}`);
  told.replaceChildren(
    ...(error ? [element("p", { className: "bad" }, error)] : all(document)),
    element("p", {}, element("a", { href: `#row-${id}` }, `link to row ${id}`)),
  );
  // Shows as much of it as there is room for, with its head at the top at most.
  const box = byId("timeline-scroll").getBoundingClientRect();
  const row = told.parentNode.getBoundingClientRect();
  const hidden = Math.min(row.bottom - box.bottom, row.top - box.top);
  if (hidden > 0) byId("timeline-scroll").scrollTop += hidden;
}

const all = (of) =>
  [
    of.refusal && refusal(of.refusal),
    of.request && request(of.request),
    of.answer && answer(of.answer),
    ...(of.messages ?? []).map(message),
    of.upstream && upstream(of.upstream),
    of.server && server(of.server),
  ].filter(Boolean);

function pairs(...said) {
  return element(
    "dl",
    {},
    ...said
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

const part = (title, ...children) => element("div", {}, element("h3", {}, title), ...children);
const text = (said) => (said ? element("pre", {}, indented(said)) : null);

function refusal({ because, roles, rolesThatHelp, token }) {
  return element(
    "div",
    { className: "why" },
    element("h3", {}, "Why it was refused"),
    ...because.map((each) => element("p", {}, each)),
    roles && element("p", {}, roles.length > 0 ? "The caller's role assignments:" : "The caller has no role."),
    roles &&
      element(
        "ul",
        {},
        ...roles.map((each) =>
          element("li", {}, element("strong", {}, each.role), ` ${each.problem}, at `, code(each.scope)),
        ),
      ),
    rolesThatHelp && element("p", {}, `Roles that have it: ${rolesThatHelp.join(", ") || "none"}.`),
    token && element("p", {}, "What its token says:"),
    token &&
      pairs(...Object.entries(token).map(([name, value]) => [name, code(claim(name, value))])),
  );
}

// Times are seconds in tokens, which nobody reads.
function claim(name, value) {
  const isTime = ["exp", "nbf", "iat"].includes(name) && typeof value === "number";
  const date = isTime ? new Date(value * 1000) : null;
  if (date === null || Number.isNaN(date.getTime())) return `${value}`;
  return `${value}, ${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function request(of) {
  const who = of.principal ?? (of.principalId === null ? "" : "principal");
  return part(
    "Request",
    pairs(
      ["Path", code(`${of.method} ${of.path}`)],
      ["Query", of.query && code(of.query)],
      ["Service", of.resource],
      ["Operation", of.operation],
      ["api-version", of.apiVersion],
      ["Data action", of.dataAction && code(of.dataAction)],
      ["Principal", of.principalId && element("span", {}, `${who} `, code(of.principalId))],
      ["Allowed by", of.allowedBy && element("span", {}, `${of.allowedBy.role} at `, code(of.allowedBy.scope))],
      ["Fault", of.disturbed ? "a fault had a hand in it" : null],
      ["Body", of.bodySize > 0 ? `${of.bodySize} bytes, ${of.contentType ?? "no content type"}` : null],
    ),
    text(of.body),
  );
}

const answer = (of) =>
  part("Answer", pairs(["Status", `${of.status} ${of.phrase}`]), text(of.body));

function message(of) {
  const excluded = [...of.excluded, ...of.excludedUsers].join(", ");
  return part(
    "Message",
    pairs(
      ["Hub", of.hub],
      ["Target", code(of.target)],
      ["To", of.recipients],
      ["Without", excluded],
      ["Received by", `${of.connections} connection${of.connections === 1 ? "" : "s"}`],
      ["Not in their protocol", of.unserved > 0 ? `${of.unserved}` : null],
      ["Tracing id", of.tracingId && code(of.tracingId)],
    ),
    element("p", { className: "quiet" }, "Arguments"),
    text(of.arguments) ?? element("p", {}, "none that can be shown"),
    element("button", { type: "button", onclick: () => use(of) }, "Use in Act"),
  );
}

function upstream(of) {
  return element(
    "div",
    {},
    part(
      of.arguments === null ? "Event" : "Invocation",
      pairs(
        ["Hub", of.hub],
        [of.arguments === null ? "Event" : "Target", code(of.event)],
        ["User", of.userId],
        ["Connection", code(of.connectionId)],
      ),
      of.arguments === null ? null : element("p", { className: "quiet" }, "Arguments"),
      text(of.arguments),
    ),
    part(
      "Upstream call",
      pairs(
        ["URL", of.url && code(`POST ${of.url}`)],
        ["Status", of.status === null ? "no answer" : `${of.status}`],
        ["Problem", of.error && element("span", { className: "bad" }, of.error)],
        ["Took", of.url ? `${Math.round(of.duration * 1000)} ms` : null],
      ),
      of.answer ? element("p", { className: "quiet" }, "Its answer") : null,
      text(of.answer),
    ),
  );
}

const server = (of) =>
  part(
    "App server's request",
    pairs(
      ["Hub", of.hub],
      ["App server", code(of.serverId)],
      ["Server connection", code(of.connectionId)],
      ["Asked for", code(of.message)],
      ["Problem", of.error && element("span", { className: "bad" }, of.error)],
    ),
  );

// Indents JSON as it is written, so that numbers keep their digits; other text stays as it is.
function indented(said) {
  // Messages of hub protocols end with a separator, which nobody can read.
  const source = said.replaceAll("\u001e", "").trim();
  if (!/^[[{]/.test(source)) return said;
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const pieces = source.match(/"(?:[^"\\]|\\.)*"?|[[\]{},:]|[^"[\]{},:\s]+/g) ?? [];
  return pieces
    .map((piece, place) => {
      if (piece === "[" || piece === "{") {
        const isEmpty = "]}".includes(pieces[place + 1] ?? "-");
        depth += 1;
        return isEmpty ? piece : piece + line();
      }
      if (piece === "]" || piece === "}") {
        depth = Math.max(0, depth - 1);
        return "[{".includes(pieces[place - 1] ?? "-") ? piece : line() + piece;
      }
      if (piece === ",") return piece + line();
      return piece === ":" ? ": " : piece;
    })
    .join("");
}

// A row that a link names is opened, whatever the filter.
async function openLinked() {
  const id = /^#row-(\d+)$/.exec(location.hash)?.[1];
  if (!id) return;
  const wanted = rows.find((each) => `${each.id}` === id);
  if (!wanted) return;
  let node = byId(`row-${id}`);
  if (!node) {
    node = draw(wanted);
    list.prepend(node);
  }
  node.querySelector("details").open = true;
  node.scrollIntoView({ block: "nearest" });
  node.querySelector("summary").focus();
}

let isLinked = false;
export function openLinkedOnce() {
  if (isLinked) return;
  isLinked = true;
  openLinked();
}
addEventListener("hashchange", openLinked);

filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", () => {
  shown = PAGE;
  drawAll();
  // Said of what somebody asked for, and not of each row that comes.
  byId("matching").textContent = `${byId("found").textContent} match`;
});
byId("more").addEventListener("click", () => {
  shown += PAGE;
  drawAll();
});
byId("held").addEventListener("click", release);
byId("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.target.setAttribute("aria-pressed", `${paused}`);
  if (!isReading()) release();
  else tell();
});
byId("clear").addEventListener("click", async () => {
  if ((await send("DELETE", "emulator/journal")) !== null) return;
  restart();
  tell();
});
