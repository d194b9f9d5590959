// The inspector page: draws what /emulator/events sends, and posts what is clicked.
"use strict";

const byId = (id) => document.getElementById(id);
let state = null;
let offset = 0; // what the emulator's clock is ahead of this page's, in seconds

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

const row = (...cells) =>
  element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
const code = (text) => element("code", {}, text);
const quiet = (text) => element("span", { className: "quiet" }, text);
const empty = (text) => element("p", { className: "empty" }, text);
const time = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);

// Replaces a panel's content, but leaves the keyboard where it was.
function draw(id, ...nodes) {
  const panel = byId(id);
  const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  panel.replaceChildren(...nodes);
  if (focused) panel.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

async function send(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.ok) return null;
  const problem = await answer.json().catch(() => ({ detail: answer.statusText }));
  return problem.detail ?? answer.statusText;
}

function action(label, key, run) {
  return element("button", { type: "button", onclick: run, "data-key": key }, label);
}

const named = (resource, hub) => (state.resources.length > 1 ? `${resource.name} / ${hub}` : hub);

// What one hub has: a table that can be folded away, with a word on what it leaves out.
function hubTable(name, { count, connections }, heads, rows) {
  const hidden = count - connections.length;
  return element(
    "details",
    { open: true },
    element("summary", {}, element("strong", {}, name), ` ${count} connected`),
    table(heads, rows),
    hidden > 0 ? empty(`and ${hidden} more`) : null,
  );
}

function drawConnections() {
  const hubs = state.resources.flatMap((resource) =>
    resource.hubs.map((hub) => ({ resource, hub })),
  );
  if (hubs.length === 0) return draw("connections", empty("No client is connected."));
  draw(
    "connections",
    ...hubs.map(({ resource, hub }) => {
      const isAnswered = hub.connections.some((each) => each.server !== null);
      const rows = hub.connections.map((each) =>
        row(
          code(each.id),
          each.user ?? quiet("anonymous"),
          each.groups.join(", ") || quiet("none"),
          ...(isAnswered ? [each.server === null ? quiet("none") : code(each.server)] : []),
          action("Drop", `drop ${each.id}`, () =>
            send("POST", "emulator/clients/drop", { connectionId: each.id }),
          ),
        ),
      );
      const heads = ["Connection", "User", "Groups", ...(isAnswered ? ["App server"] : []), ""];
      return hubTable(named(resource, hub.name), hub, heads, rows);
    }),
  );
}

function drawServers() {
  const hubs = state.resources.flatMap((resource) =>
    resource.appServers.map((found) => ({ resource, found })),
  );
  if (hubs.length === 0) return draw("servers", empty("No app server is connected."));
  draw(
    "servers",
    ...hubs.map(({ resource, found }) => {
      const rows = found.connections.map((each) => {
        const does = (label, command) =>
          action(label, `${command} ${each.id}`, () =>
            send("POST", `emulator/server-connections/${command}`, {
              hub: found.hub,
              connectionId: each.id,
            }),
          );
        const carries = each.kind !== "Weak";
        return row(
          code(each.server),
          code(each.id),
          element(
            "span",
            {},
            each.kind,
            each.isLeaving ? element("span", { className: "warn" }, ", shuts down") : null,
          ),
          carries ? `${each.clients}` : quiet("none"),
          carries ? each.clientsMove : quiet("none"),
          element(
            "span",
            { className: "actions" },
            does("Drop", "drop"),
            carries ? does("Rebalance", "rebalance") : null,
            carries ? does("Offline", "offline") : null,
          ),
        );
      });
      const heads = ["App server", "Server connection", "Kind", "Clients", "Clients move", ""];
      return hubTable(named(resource, found.hub), found, heads, rows);
    }),
  );
}

function drawKeys() {
  const keys = state.resources.flatMap((resource) => resource.keys);
  if (keys.length === 0) return draw("keys", empty("No app has asked for a key yet."));
  draw(
    "keys",
    table(
      ["Key id", "Ends in", "", ""],
      keys.map((key) =>
        row(
          code(key.id),
          element("span", { className: "clock", "data-ends": key.expiresAt }),
          element("meter", {
            min: 0, max: 5400, low: 600, "data-meter": key.expiresAt, ariaLabel: "time left",
          }),
          action("Revoke", `revoke ${key.id}`, () =>
            send("POST", `emulator/keys/${encodeURIComponent(key.id)}/revoke`),
          ),
        ),
      ),
    ),
  );
  tick();
}

function drawRoles() {
  if (state.roleAssignments.length === 0) return draw("roles", empty("Nobody has a role."));
  draw(
    "roles",
    table(
      ["On", "Role", "Principal", "Scope"],
      state.roleAssignments.map((each) =>
        row(
          element("input", {
            type: "checkbox", role: "switch", checked: each.enabled,
            ariaLabel: `${each.role} for ${each.principal}`, "data-key": `role ${each.id}`,
            onchange: (event) =>
              send("POST", `emulator/role-assignments/${encodeURIComponent(each.id)}`, {
                enabled: event.target.checked,
              }),
          }),
          each.role,
          element("span", {}, each.principal, " ", element("br"), code(each.principalId)),
          code(each.scope),
        ),
      ),
    ),
  );
}

function drawCalls() {
  if (state.calls.length === 0) return draw("calls", empty("No request yet."));
  draw(
    "calls",
    table(
      ["Time", "Request", "Status", "Data action", "Principal"],
      state.calls.map((call) =>
        row(
          element("span", { className: "clock" }, time(call.time)),
          code(`${call.method} ${call.path}`),
          element("span", { className: `pill ${call.status < 400 ? "good" : "bad"}` }, `${call.status}`),
          call.dataAction ? code(call.dataAction) : quiet("none"),
          call.principal ? code(call.principal) : quiet("unknown"),
        ),
      ),
    ),
  );
}

function drawMessages() {
  if (state.messages.length === 0) return draw("messages", empty("No message yet."));
  draw(
    "messages",
    table(
      ["Time", "Hub", "Recipient", "Target", "Tracing id", "Connections"],
      state.messages.map((message) =>
        row(
          element("span", { className: "clock" }, time(message.time)),
          message.hub,
          message.recipient,
          code(message.target),
          message.tracingId ? code(message.tracingId) : quiet("none"),
          element(
            "span",
            {},
            `${message.connections}`,
            message.unserved ? quiet(` and ${message.unserved} whose protocol it is not in`) : null,
          ),
        ),
      ),
    ),
  );
}

function drawFaults() {
  const select = byId("fault-form").operation;
  if (select.options.length === 0) {
    select.append(...state.operations.map((name) => element("option", { value: name }, name)));
  }
  if (state.faults.length === 0) return draw("faults", empty("Everything works as it should."));
  draw(
    "faults",
    table(
      ["Operation", "Answer", "Left", ""],
      state.faults.map((fault) =>
        row(
          fault.operation,
          fault.effect,
          fault.left === null ? quiet("always") : `${fault.left}`,
          action("Clear", `fault ${fault.id}`, () =>
            send("DELETE", `emulator/faults/${encodeURIComponent(fault.id)}`),
          ),
        ),
      ),
    ),
  );
}

function tick() {
  const now = Date.now() / 1000 + offset;
  byId("clock").textContent = `${new Date(now * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  for (const node of document.querySelectorAll("[data-ends]")) {
    const left = Math.max(0, Math.round(node.dataset.ends - now));
    node.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} min`;
  }
  for (const node of document.querySelectorAll("[data-meter]")) node.value = node.dataset.meter - now;
}

function show(live) {
  byId("live").textContent = live ? "live" : "not connected";
  byId("live").className = `pill ${live ? "good" : "bad"}`;
}

function faultOf(form) {
  const kind = form.kind.value;
  const fault = { operation: form.operation.value };
  if (kind === "delay") fault.delay = 5;
  else if (Number.isNaN(Number(kind))) fault.action = kind;
  else fault.status = Number(kind);
  if (form.times.value) fault.times = Number(form.times.value);
  return fault;
}

byId("fault-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = await send("POST", "emulator/faults", faultOf(event.target));
  byId("fault-error").hidden = error === null;
  byId("fault-error").textContent = error ?? "";
});

for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () =>
    send("POST", "emulator/clock", { advance: Number(button.dataset.advance) }),
  );
}

const events = new EventSource("emulator/events");
events.addEventListener("open", () => show(true));
events.addEventListener("error", () => show(false));
events.addEventListener("message", (event) => {
  state = JSON.parse(event.data);
  offset = state.now - Date.now() / 1000;
  for (const drawPanel of [
    drawConnections, drawKeys, drawRoles, drawServers, drawCalls, drawMessages, drawFaults,
  ]) {
    drawPanel();
  }
  tick();
});
setInterval(tick, 1000);
