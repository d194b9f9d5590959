// What can be wrong between the demo page, the app and the service: what the error says, and where
// to look for its cause.

/**
 * @typedef {object} Problem
 * @property {string} detail The error's own text.
 * @property {string} text What is shown: the same, with what it is about.
 * @property {string} hint Where to look.
 * @property {boolean} [inspector] Whether the emulator's inspector shows more.
 * @property {boolean} [signIn] Whether it helps to sign in.
 */

const TERMINAL = "The terminal of the app says why.";
const ROLE = `${TERMINAL} The role of the app may be missing or switched off.`;
const CLOCKS = "The token is new, so the clocks of app and service may differ.";

/** What an app answers by its status, if it is not the service that is at fault. */
const OF_THE_APP = new Map([
  [400, "This page names a hub in its own address: ?hub=chat."],
  [403, "negotiate/policy.py decides who may connect."],
  [404, "SIGNALR_HUBS lists the hubs that the app serves."],
  [500, TERMINAL],
]);

/**
 * Say why a client could not negotiate.
 *
 * @param {URL} url Who was asked.
 * @param {any} error What `HttpClient.send` has thrown.
 * @param {{ isApp: boolean, canSignIn: boolean }} asked Whether the app was asked, or the service;
 *   and whether a user of this page can sign in for it.
 * @returns {Problem}
 */
export function ofNegotiation(url, error, { isApp, canSignIn }) {
  const detail = detailOf(error);
  if (error.statusCode === undefined) {
    const who = isApp ? "The function app" : "The SignalR service";
    return {
      detail,
      text: `${who} does not answer at ${url.origin}: ${detail}`,
      hint: "Is it still running, and on this port? The terminal shows it.",
    };
  }
  if (!isApp) {
    const hint = error.statusCode === 401 ? CLOCKS : "Its log and the terminal say more.";
    return { detail, text: `The SignalR service refuses the connection: ${detail}`, hint, inspector: true };
  }
  if (error.statusCode === 401) {
    const hint = canSignIn
      ? "Any name will do."
      : "Callers have to prove who they are (NEGOTIATE_IDENTITY), and this page has no token to show: see docs/negotiate.md.";
    return { detail, text: detail, hint, signIn: canSignIn };
  }
  const hint = OF_THE_APP.get(error.statusCode);
  return { detail, text: detail, hint: hint ?? ROLE, inspector: !hint };
}

/**
 * Say why a client did not connect that was let in.
 *
 * @param {any} error What `HubConnection.start` has thrown.
 * @returns {Problem}
 */
export function ofStart(error) {
  return { detail: error.message, text: error.message, hint: TERMINAL, inspector: true };
}

/**
 * Say why a method failed.
 *
 * @param {string} method Its name.
 * @param {any} error What `HubConnection.invoke` has thrown.
 * @param {string} hub Name of the hub.
 * @returns {Problem}
 */
export function ofMethod(method, error, hub) {
  const detail = error.message;
  const text = `${method}: ${detail}`;
  if (detail.startsWith("This hub has no method")) {
    return { detail, text, hint: `events.py has to handle it: @events.on_message("${hub}", "${method}").` };
  }
  if (detail.startsWith("No upstream")) {
    return { detail, text, hint: "The service does not know where the app is: see docs/upstream.md." };
  }
  const status = /^Invocation failed, status code (\d+)/.exec(detail)?.[1];
  if (status === "401") {
    return { detail, text, hint: `The app has refused the service's call. ${TERMINAL} Their clocks may differ.`, inspector: true };
  }
  if (status) {
    return { detail, text, hint: "The service could not have it handled: is the app still running?", inspector: true };
  }
  return { detail, text, hint: ROLE, inspector: true };
}

/** The text of an answer that refuses: of a problem (RFC 9457), or as the service writes it. */
function detailOf(/** @type {any} */ error) {
  try {
    const { detail, message, title } = JSON.parse(error.message.replace(/: Status code '\d+'$/, ""));
    return detail || message || title || error.message;
  } catch {
    return error.message;
  }
}
