// The inspector page: draws what /emulator/events sends, and posts what is clicked.

import { offer, use } from "./act.js";
import {
  action, byId, code, element, empty, fill, quiet, row, send, span, table,
} from "./elements.js";
import { onUse, openLinkedOnce, receive, restart } from "./timeline.js";

const HOUR = 3600; // seconds that a client token lives by default

let state = null;
let offset = 0; // what the emulator's clock is ahead of this page's, in seconds
const drawn = {}; // what each panel showed last

// Draws a panel if what it shows has changed, and leaves the keyboard where it was.
function panel(id, shown, draw) {
  const text = JSON.stringify(shown);
  if (drawn[id] === text) return;
  drawn[id] = text;
  const node = byId(id);
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  node.replaceChildren(...[draw()].flat());
  if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

const named = (resource, hub) => (state.resources.length > 1 ? `${resource} / ${hub}` : hub);

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

function connections() {
  const hubs = state.resources.flatMap((resource) =>
    resource.hubs.map((hub) => ({ resource: resource.name, hub })),
  );
  if (hubs.length === 0) return empty("No client is connected.");
  return hubs.map(({ resource, hub }) => {
    const isAnswered = hub.connections.some((each) => each.server !== null);
    const rows = hub.connections.map((each) => {
      const whom = { hub: hub.name, resource, connectionId: each.id };
      return row(
        code(each.id),
        each.user ?? quiet("anonymous"),
        each.groups.join(", ") || quiet("none"),
        ...(isAnswered ? [each.server === null ? quiet("none") : code(each.server)] : []),
        element(
          "span",
          { className: "actions" },
          action("Use", `use ${each.id}`, () => use(whom), `Use ${each.id} in Act`),
          action(
            "Close",
            `close ${each.id}`,
            () => send("POST", "emulator/clients/close", whom),
            `Close ${each.id}`,
          ),
          action(
            "Drop",
            `drop ${each.id}`,
            () => send("POST", "emulator/clients/drop", { connectionId: each.id }),
            `Drop ${each.id}`,
          ),
        ),
      );
    });
    const heads = ["Connection", "User", "Groups", ...(isAnswered ? ["App server"] : []), ""];
    return hubTable(named(resource, hub.name), hub, heads, rows);
  });
}

function servers() {
  const hubs = state.resources.flatMap((resource) =>
    resource.appServers.map((found) => ({ resource: resource.name, found })),
  );
  if (hubs.length === 0) return empty("No app server is connected.");
  return hubs.map(({ resource, found }) => {
    const rows = found.connections.map((each) => {
      const does = (label, command) =>
        action(
          label,
          `${command} ${each.id}`,
          () =>
            send("POST", `emulator/server-connections/${command}`, {
              hub: found.hub,
              connectionId: each.id,
            }),
          `${label} ${each.id}`,
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
  });
}

function keys() {
  const alive = state.resources.flatMap((resource) => resource.keys);
  if (alive.length === 0) return empty("No app has asked for a key yet.");
  return table(
    ["Key id", "Ends in", "", ""],
    alive.map((key) =>
      row(
        code(key.id),
        element("span", { className: "clock", "data-ends": key.expiresAt }),
        element("meter", {
          min: 0, max: 5400, low: 600, "data-meter": key.expiresAt, ariaLabel: "time left",
        }),
        action("Revoke…", `revoke ${key.id}`, () => revoke(key.id), `Revoke ${key.id}`),
      ),
    ),
  );
}

function revoke(id) {
  byId("revoke-key").textContent = id;
  byId("revoke").returnValue = "";
  byId("revoke").showModal();
}

byId("revoke").addEventListener("close", (event) => {
  if (event.target.returnValue !== "revoke") return;
  const id = byId("revoke-key").textContent;
  send("POST", `emulator/keys/${encodeURIComponent(id)}/revoke`);
});

const byOrigin = () => ({
  "Built-in": state.roles.filter((role) => !role.isCustom).map((role) => role.name),
  Custom: state.roles.filter((role) => role.isCustom).map((role) => role.name),
});

async function changeRole(id, change) {
  const error = await send("POST", `emulator/role-assignments/${encodeURIComponent(id)}`, change);
  byId("role-error").textContent = error ?? "";
}

function roles() {
  if (state.roleAssignments.length === 0) return empty("Nobody has a role.");
  return element(
    "ul",
    { className: "cards" },
    ...state.roleAssignments.map((each) => {
      const choice = element("select", {
        ariaLabel: `Role of ${each.principal}`,
        "data-key": `choice ${each.id}`,
        onchange: (event) => changeRole(each.id, { role: event.target.value }),
      });
      fill(choice, byOrigin());
      choice.value = each.role;
      return element(
        "li",
        {},
        element("input", {
          type: "checkbox", role: "switch", checked: each.enabled,
          ariaLabel: `${each.role} for ${each.principal}`, "data-key": `role ${each.id}`,
          onchange: (event) => changeRole(each.id, { enabled: event.target.checked }),
        }),
        choice,
        element("span", {}, "for ", element("strong", {}, each.principal), " ", code(each.principalId)),
        element("span", { className: "wide quiet" }, "at ", code(each.scope)),
      );
    }),
  );
}

function faults() {
  if (state.faults.length === 0) return empty("No fault is added: requests are answered as the roles, keys and the clock allow.");
  return table(
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
  );
}

// What does not change while the emulator runs, and what hubs there are to choose.
function fillForms() {
  const [fault, role] = [byId("fault-form"), byId("role-form")];
  const most = state.mostUsedOperations;
  if (fault.operation.options.length === 0) {
    fill(fault.operation, { "": state.operations.slice(0, most) });
    for (const name of state.operations.slice(most)) {
      fault.other.append(element("option", { value: name }, name));
    }
  }
  fill(role.role, byOrigin());
  if (role.principalId.options.length === 0) {
    for (const { id, name } of state.principals) {
      role.principalId.append(element("option", { value: id }, name));
    }
  }
  offer(state.resources);
}

function tick() {
  if (state === null) return;
  const now = Date.now() / 1000 + offset;
  byId("clock").textContent = `${new Date(now * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  for (const node of document.querySelectorAll("[data-ends]")) {
    const left = Math.max(0, Math.round(node.dataset.ends - now));
    node.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} min`;
  }
  for (const node of document.querySelectorAll("[data-meter]")) node.value = node.dataset.meter - now;
}

function drawAhead() {
  const ahead = state.offset;
  byId("ahead").hidden = ahead === 0;
  for (const button of document.querySelectorAll("header [data-reset-clock]")) {
    button.disabled = ahead === 0;
  }
  if (ahead === 0) return;
  byId("ahead-title").textContent = `The emulator's clock is ${span(ahead)} ahead of real time.`;
  const tokens =
    ahead >= HOUR
      ? "the client tokens that it signs for an hour are expired when a client comes with them (401)"
      : `the client tokens that it signs for an hour are good for ${span(HOUR - ahead)}`;
  byId("ahead-text").textContent =
    `The app's own clock does not follow: ${tokens}, its access key ends earlier than it knows, and` +
    " an Entra token that the service sends to an upstream is not valid yet. Who is connected stays." +
    " Reset the clock, and all of it works again by itself; nothing has to be restarted.";
}

function live(isLive) {
  byId("live").textContent = isLive ? "live" : "not connected";
  byId("live").className = `pill ${isLive ? "good" : "bad"}`;
}

onUse(use);

function faultOf(form) {
  const kind = form.kind.value;
  const fault = { operation: form.other.value || form.operation.value };
  if (kind === "delay") Object.assign(fault, { action: "pass", delay: 5 });
  else if (Number.isNaN(Number(kind))) fault.action = kind;
  else fault.status = Number(kind);
  if (form.times.value) fault.times = Number(form.times.value);
  if (form.hub.value) fault.hub = form.hub.value;
  if (form.delay.value) fault.delay = Number(form.delay.value);
  if (form.share.value) fault.share = Number(form.share.value) / 100;
  return fault;
}

byId("fault-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = await send("POST", "emulator/faults", faultOf(event.target));
  byId("fault-error").textContent = error ?? "";
});

byId("role-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { principalId, role } = event.target;
  const body = { principalId: principalId.value, role: role.value };
  byId("role-error").textContent = (await send("POST", "emulator/role-assignments", body)) ?? "";
});

for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () =>
    send("POST", "emulator/clock", { advance: Number(button.dataset.advance) }),
  );
}
for (const button of document.querySelectorAll("[data-reset-clock]")) {
  button.addEventListener("click", () => send("DELETE", "emulator/clock"));
}

const events = new EventSource("emulator/events");
let isNew = true; // whether everything is about to come, and not what changed
events.addEventListener("open", () => {
  isNew = true;
  live(true);
});
events.addEventListener("error", () => live(false));
events.addEventListener("message", (event) => {
  state = JSON.parse(event.data);
  offset = state.now - Date.now() / 1000;
  if (isNew) restart();
  isNew = false;
  panel("connections-list", state.resources.map((each) => [each.name, each.hubs]), connections);
  panel("keys-list", state.resources.map((each) => each.keys), keys);
  panel("roles-list", [state.roleAssignments, state.roles], roles);
  panel("servers-list", state.resources.map((each) => [each.name, each.appServers]), servers);
  panel("faults-list", state.faults, faults);
  fillForms();
  drawAhead();
  receive(state.rows, state.oldest);
  openLinkedOnce();
  tick();
});
setInterval(tick, 1000);
