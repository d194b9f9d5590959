// The demo page: a chat with everyone and in rooms, which are groups. events.py is its other half.

import { AuthenticationRefresh } from "./authentication-refresh.mjs";
import { ofMethod, ofNegotiation, ofStart } from "./problems.mjs";

const $ = (id) => document.getElementById(id);
const { inspector, signIn } = document.body.dataset;
const asked = new URLSearchParams(location.search);
const EVERYONE = "";  // the room that is no group
const LONGEST_PAUSE_MS = 5_000;

const people = new Map();   // connection id -> name
const joined = new Set();
const rooms = new Set([EVERYONE]);
const unread = new Map();   // room -> how many messages
const lastIn = new Map();   // room -> who has spoken last
const problems = new Map();   // method, or `connection` or `sign-in` -> what is wrong
let room = EVERYONE, renewals = 0, attempts = 0, own = null, timer;

function node(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function write(id, text) {
  // What is said again is read aloud again.
  if ($(id).textContent !== text) $(id).textContent = text;
}

const nameOf = (name) => name === EVERYONE ? "Everyone" : name;
const asText = (value) => typeof value === "string" ? value : JSON.stringify(value);

// ---- what there is to read

function avatar(name) {
  const made = node("span", { className: "avatar" }, [...name.replace(/^guest /, "")][0]?.toUpperCase() ?? "?");
  made.setAttribute("aria-hidden", "true");
  const hue = [...name].reduce((sum, each) => (31 * sum + (each.codePointAt(0) ?? 0)) % 360, 7);
  made.style.setProperty("--hue", String(hue));
  return made;
}

function append(item, where) {
  const log = $("log");
  const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  item.dataset.room = where;
  item.hidden = where !== room;
  $("messages").append(item);
  if (follows) log.scrollTop = log.scrollHeight;
}

function showMessage(name, text, where) {
  const now = new Date();
  const time = node("time", { dateTime: now.toISOString() }, now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  const bubble = node("div", { className: "bubble" }, node("span", { className: "text" }, text), time);
  const item = node("li", {}, avatar(name), node("b", {}, name), bubble);
  item.classList.toggle("own", name === own);
  item.classList.toggle("more", lastIn.get(where) === name);
  lastIn.set(where, name);
  append(item, where);
  if (where !== room) unread.set(where, (unread.get(where) ?? 0) + 1);
  rooms.add(where);
  drawRooms(); drawEmpty();
}

function showEvent(text) {
  lastIn.delete(EVERYONE);
  append(node("li", { className: "event" }, text), EVERYONE);
}

function drawPeople() {
  const names = [...new Set(people.values())].sort();
  $("people").replaceChildren(...names.map((name) => node("li", {}, avatar(name), name)));
  write("count", names.length ? String(names.length) : "");
}

function drawRooms() {
  $("rooms").replaceChildren(...[...rooms].map((name) => {
    const button = node("button", { type: "button", onclick: () => choose(name) }, nameOf(name));
    button.setAttribute("aria-pressed", String(name === room));
    const count = unread.get(name);
    if (count) button.append(node("span", { className: "new", title: `${count} new` }, String(count)));
    return node("li", {}, button);
  }));
  $("waiting").hidden = ![...unread.values()].some(Boolean);
}

function choose(name) {
  room = name;
  unread.delete(name);
  for (const item of $("messages").children) item.hidden = item.dataset.room !== room;
  write("room", nameOf(room));
  write("audience", room === EVERYONE ? "All who have this page open read it." : "Only those who have joined read it.");
  drawRooms(); drawEmpty();
  $("log").scrollTop = $("log").scrollHeight;
  if ($("panel").matches(":popover-open")) $("panel").hidePopover();
  $("text").focus();
}

function drawEmpty() {
  const isEmpty = !$("messages").querySelector("li:not(.event):not([hidden])");
  $("empty").hidden = !isEmpty;
  if (!isEmpty) return;
  write("nothing", room === EVERYONE ? "Nobody has said anything yet" : `Nobody has said anything in ${room} yet`);
  write("how", room === EVERYONE
    ? "Open this page in a second window, or send a message from a terminal:"
    : "Join it in a second window, or send a message from a terminal:");
  write("curl", curl());
}

/** The command that says Hello in this room. */
function curl() {
  const quoted = JSON.stringify;
  const isGroup = room !== EVERYONE;
  const sent = ["curl", "Hello", ...(isGroup ? [room] : [])].map((each) => quoted(each)).join(", ");
  const to = (isGroup ? `, "groupName": ${quoted(room)}` : "") + (hub ? `, "hub": ${quoted(hub)}` : "");
  const body = `{"target": "newMessage", "arguments": [${sent}]${to}}`.replaceAll("'", "'\\''");
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  return `curl ${functions}broadcast${isLocal ? "" : " -H 'x-functions-key: <key>'"} -d '${body}'`;
}

// ---- what is wrong

function report(about, problem) {
  // A method has failed, and so does the next try to enter: it is over when that works.
  const same = [...problems].find(([, each]) => each.detail === problem.detail)?.[0];
  if (same === "enter" || problems.get(same)?.text === problem.text) return;
  if (about === "enter" && same) {
    problems.set(about, problems.get(same));
    problems.delete(same);
    return;
  }
  problems.set(about, problem);
  drawProblems();
}

function settle(...about) {
  if (about.map((each) => problems.delete(each)).some(Boolean)) drawProblems();
}

function drawProblems() {
  $("problems").replaceChildren(...[...problems.values()].map(({ text, hint, ...more }) => {
    const button = more.signIn && signInButton();
    const link = more.inspector && inspector && node("a", { href: inspector, target: "_blank", rel: "noopener" }, "See the inspector");
    return node("p", {}, ...[node("strong", {}, text), hint, button, link].filter(Boolean).flatMap((part) => [part, " "]));
  }));
}

const signInButton = () => node("button", { type: "button", onclick: () => $("sign-in").showPopover() }, "Sign in");

/** Try again after a while, which grows with every time. */
function later(action) {
  attempts += 1;
  clearTimeout(timer);
  timer = setTimeout(action, Math.min(LONGEST_PAUSE_MS, 1_000 * attempts));
}

// ---- the connection

function drawState() {
  const state = connection.state;
  write("state", state);
  $("state").dataset.state = state;
  $("send").disabled = state !== "Connected";
  write("connection", connection.connectionId ?? "–");
  const transport = connection.connection?.transport?.constructor?.name ?? "";
  write("transport", state === "Connected" ? transport.replace(/Transport$/, "") : "–");
}

function drawExpiry() {
  const end = refresh.expiresAt?.getTime() ?? null;
  const left = end && Math.max(0, Math.round((end - Date.now()) / 1000));
  const renewed = renewals ? `, renewed ${renewals}×` : "";
  // A guest has not signed in, so there is nothing that ends.
  write("expiry", left === null ? "–" : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}${renewed}`);
}

function drawWho() {
  const known = own === null ? [] : [node("span", {}, node("i", {}, "You are "), own)];
  const back = location.pathname + location.search;
  const leave = `/.auth/logout?post_logout_redirect_uri=${encodeURIComponent(back)}`;
  if (isSignedIn) known.push(node("a", { href: leave }, "Sign out"));
  else if (canSignIn) known.push(signInButton());
  $("who").replaceChildren(...known);
}

/** Call a method. What fails is shown until the same works, or until another try to enter does. */
async function call(method, ...args) {
  try {
    const result = await connection.invoke(method, ...args);
    settle(method);
    return result;
  } catch (error) {
    if (connection.state === "Connected") {
      report(method, ofMethod(method, error, connectedHub));
      later(enter);
    }
    throw error;
  }
}

async function enter() {
  clearTimeout(timer);
  drawState(); drawExpiry();
  settle("connection");
  people.clear();
  try {
    own = asText(await call("enter") ?? "somebody");
    // A new connection is in no group.
    for (const group of joined) await call("joinGroup", group);
  } catch {
    return;  // It is shown, and there will be another try.
  }
  attempts = 0;
  people.set(connection.connectionId, own);
  drawWho(); drawPeople();
}

async function connect() {
  clearTimeout(timer);
  isRefused = false;
  try {
    await connection.start();
  } catch (error) {
    // Who has refused says more than the error that comes of it.
    if (!isRefused) report("connection", ofStart(error));
    drawState();
    return later(connect);
  }
  await enter();
}

// The functions lie beside this page, whatever the route prefix.
const functions = new URL(".", location.href).href;
const hub = asked.get("hub");
const me = await fetch("/.auth/me").then((answer) => answer.ok ? answer.json() : null).catch(() => null);
const isSignedIn = Array.isArray(me) ? me.length > 0 : Boolean(me?.clientPrincipal);
const canSignIn = me !== null && signIn === "true";
let isRefused = false, connectedHub = "";

class HttpClient extends signalR.DefaultHttpClient {
  /** Send a request, and show why a negotiation is refused: the client keeps no more of it than a text. */
  async send(request) {
    const url = new URL(request.url);
    if (!url.pathname.endsWith("/negotiate")) return super.send(request);
    const isApp = request.url.startsWith(functions);
    if (!isApp) connectedHub = url.searchParams.get("hub") ?? "";
    try {
      return await super.send(request);
    } catch (error) {
      isRefused = true;
      report("connection", ofNegotiation(url, error, { isApp, canSignIn }));
      throw error;
    }
  }
}

const transports = { websockets: 1, "server-sent-events": 2, "long-polling": 4 };
const refresh = new AuthenticationRefresh({
  httpClient: new HttpClient(signalR.NullLogger.instance),
  transport: transports[asked.get("transport") ?? ""],
});
const connection = refresh.follow(new signalR.HubConnectionBuilder()
  .withUrl(hub ? `${functions}${encodeURIComponent(hub)}` : functions, refresh.connectionOptions)
  // For ever: what is gone comes back some day, and nobody wants to press a button for it.
  .withAutomaticReconnect({ nextRetryDelayInMilliseconds: ({ previousRetryCount }) => Math.min(LONGEST_PAUSE_MS, previousRetryCount * 1_000) })
  .configureLogging(signalR.LogLevel.Warning)
  .build());

connection.on("newMessage", (...sent) => {
  // Who sends by HTTP may leave the name out.
  const [name, text, group] = sent.length === 1 ? ["Somebody", ...sent] : sent;
  showMessage(asText(name), asText(text), group ?? EVERYONE);
});
connection.on("entered", (name, id) => {
  if (id === connection.connectionId) return;
  people.set(id, name); drawPeople();
  call("greet", id).catch(() => {});
});
connection.on("present", (name, id) => { people.set(id, name); drawPeople(); });
connection.on("left", (name, id) => { if (people.delete(id)) { drawPeople(); showEvent(`${name} has left`); } });
refresh.onrefreshed(() => { renewals += 1; settle("sign-in"); drawExpiry(); });
refresh.onrefreshfailed(({ error, retryAt }) => report("sign-in", {
  detail: error.message,
  text: `Your sign-in was not renewed: ${error.message}`,
  hint: retryAt ? `Next try at ${retryAt.toLocaleTimeString()}.` : "There will be no other try.",
  inspector: true,
}));
connection.onreconnecting(() => { problems.clear(); drawProblems(); drawState(); });
connection.onreconnected(enter);
connection.onclose(() => { drawState(); later(connect); });

// ---- what people do

$("text").oninput = () => settle("sendMessage", "sendToGroup");
/** Send what is in a field, which is free at once for what is typed meanwhile; what fails comes back. */
async function submit(field, send) {
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  await send(text).catch(() => { field.value = `${text} ${field.value}`.trim(); });
}

$("say").onsubmit = (event) => {
  event.preventDefault();
  return submit($("text"), (text) => (room === EVERYONE ? call("sendMessage", text) : call("sendToGroup", room, text)));
};

$("join").onsubmit = (event) => {
  event.preventDefault();
  return submit($("group"), async (group) => { await call("joinGroup", group); joined.add(group); rooms.add(group); choose(group); });
};

$("copy").onclick = async () => {
  try {
    await navigator.clipboard.writeText($("curl").textContent);
    write("copy", "Copied");
  } catch {
    // The browser does not let a page copy; a person can, by keyboard.
    getSelection().selectAllChildren($("curl"));
    write("copy", "Selected");
  }
  setTimeout(() => write("copy", "Copy"), 2_000);
};

$("back").value = location.pathname + location.search;
if (inspector) Object.assign($("inspector"), { href: inspector, hidden: false });
choose(EVERYONE); drawWho(); drawState();
setInterval(() => { drawExpiry(); drawState(); }, 1_000);
await connect();
