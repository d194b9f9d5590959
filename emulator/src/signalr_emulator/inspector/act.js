// The form by which a person acts on clients: sends to them, closes them, has them join groups.

import { ask, byId, element, fill } from "./elements.js";

const act = byId("act-form");
const BUTTON = { send: "Send", close: "Close", add: "Join", remove: "Leave" };
const NEEDS = { send: ["target", "arguments"], close: [], add: ["group"], remove: ["group"] };

function fitAct() {
  const what = act.what.value;
  act.querySelector("button").textContent = BUTTON[what];
  const changesGroup = what === "add" || what === "remove";
  for (const option of act.whom.options) {
    option.disabled = changesGroup && ["", "groupName"].includes(option.value);
  }
  if (act.whom.selectedOptions[0]?.disabled) act.whom.value = "connectionId";
  const shown = [...NEEDS[what], ...(act.whom.value ? ["name"] : [])];
  for (const label of act.querySelectorAll("[data-field]")) {
    label.hidden = !shown.includes(label.dataset.field);
    const field = label.querySelector("input, textarea");
    field.required = !label.hidden && field.name !== "arguments";
  }
}

// Shows which services and hubs there are to choose.
export function offer(resources) {
  fill(act.resource, { "": resources.map((each) => each.name) });
  act.resource.closest("label").hidden = resources.length < 2;
  const hubs = new Set(resources.flatMap((each) => each.hubs.map((hub) => hub.name)));
  byId("hubs").replaceChildren(...[...hubs].map((value) => element("option", { value })));
  if (!act.hub.value && hubs.size > 0) [act.hub.value] = hubs;
}

// Takes whom, and perhaps what, from a row.
export function use({ hub, resource, connectionId, target, arguments: given }) {
  act.hub.value = hub;
  act.resource.value = resource;
  if (connectionId) {
    act.whom.value = "connectionId";
    act.elements.name.value = connectionId;
  }
  if (target) {
    act.what.value = "send";
    act.elements.target.value = target;
    act.elements.arguments.value = given;
  }
  fitAct();
  byId("act").scrollIntoView({ block: "nearest" });
  act.what.focus();
}

// Gives the path and the body of what the form says; the text of the arguments goes as it is.
function order() {
  const what = act.what.value;
  const body = { hub: act.hub.value };
  if (act.resource.options.length > 1) body.resource = act.resource.value;
  if (act.whom.value) body[act.whom.value] = act.elements.name.value;
  if (what === "close") return ["emulator/clients/close", JSON.stringify(body)];
  if (what !== "send") {
    return ["emulator/groups", JSON.stringify({ ...body, action: what, groupName: act.group.value })];
  }
  const given = act.elements.arguments.value.trim() || "[]";
  const parsed = JSON.parse(given);
  if (!Array.isArray(parsed)) throw new SyntaxError('It has to be an array, for instance ["Hello"].');
  const head = JSON.stringify({ ...body, target: act.elements.target.value });
  return ["emulator/messages", `${head.slice(0, -1)},"arguments":${given}}`];
}

function outcome(document) {
  if (document === null) return "Done.";
  const count = document.connections ?? document.closed;
  const who = `${count} connection${count === 1 ? "" : "s"}`;
  if (document.closed !== undefined) return count > 0 ? `Closed ${who}.` : "Nobody is there to close.";
  const missed = document.unserved > 0 ? ` and not to ${document.unserved}, in whose protocol it has no form` : "";
  return count > 0 ? `Sent to ${who}${missed}.` : `Nobody is there to receive it${missed}.`;
}

act.addEventListener("input", fitAct);
act.addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("act-error").textContent = "";
  byId("act-done").textContent = "";
  let wanted;
  try {
    wanted = order();
  } catch (error) {
    byId("act-error").textContent = `The arguments are not right: ${error.message}`;
    act.elements.arguments.focus();
    return;
  }
  const { document: answered, error } = await ask("POST", ...wanted);
  byId("act-error").textContent = error ?? "";
  byId("act-done").textContent = error ? "" : outcome(answered);
});
fitAct();
