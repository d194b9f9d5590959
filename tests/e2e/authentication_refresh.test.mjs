// The module that renews sign-ins, under the real SignalR client, with a clock that the tests move.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, test } from "node:test";
import { DefaultHttpClient, HttpTransportType, HubConnectionBuilder, LogLevel, NullLogger } from "@microsoft/signalr";
import { AuthenticationRefresh } from "../../demo/authentication-refresh.mjs";
import { startStub } from "./authentication_refresh_stub.mjs";

const running = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

/** Time and chance of the module. Only `advance` moves it. */
class Clock {
  milliseconds = 1_800_000_000_000;
  timers = new Map();
  chance = 0;
  hooks = {
    now: () => this.milliseconds,
    random: () => this.chance,
    setTimer: (callback, wait) => {
      const timer = Symbol();
      this.timers.set(timer, { callback, at: this.milliseconds + wait });
      return timer;
    },
    clearTimer: (timer) => this.timers.delete(timer),
  };

  /** Seconds until each timer. */
  get due() {
    return [...this.timers.values()].map(({ at }) => Math.round((at - this.milliseconds) / 100) / 10);
  }

  advance(seconds) {
    this.milliseconds += 1_000 * seconds;
    for (const [timer, { callback, at }] of [...this.timers]) {
      if (at > this.milliseconds) continue;
      this.timers.delete(timer);
      callback();
    }
  }
}

async function connect(stubOptions = {}, { reconnects = false, stateful = false, ...more } = {}) {
  const stub = await startStub({ stateful, ...stubOptions });
  running.push(() => stub.stop());
  const clock = new Clock();
  let asked = 0;
  const refresh = new AuthenticationRefresh(
    {
      httpClient: new DefaultHttpClient(NullLogger.instance),
      accessTokenFactory: () => `app-${++asked}`,
      ...more,
    },
    clock.hooks,
  );
  const builder = new HubConnectionBuilder().withUrl(`${stub.url}/api`, refresh.connectionOptions).configureLogging(LogLevel.None);
  if (reconnects) builder.withAutomaticReconnect([0, 0, 0]);
  if (stateful) builder.withStatefulReconnect();
  const connection = refresh.follow(builder.build());
  const events = [];
  refresh.onrefreshed((event) => events.push({ refreshed: event.lifetimeSeconds, until: event.expiresAt }));
  refresh.onrefreshfailed(({ error, retryAt }) => events.push({ failed: error.message, retryAt }));
  running.push(() => connection.stop());
  await connection.start();
  return { stub, clock, refresh, connection, events };
}

/** Wait until something is so, which requests that are under way bring about. */
async function until(holds) {
  while (!holds()) await new Promise(setImmediate);
}

for (const [lifetime, first] of [[4, 2], [60, 30], [600, 300], [601, 301], [700, 400], [3600, 3300]]) {
  test(`a lifetime of ${lifetime} s is renewed after ${first} s`, async () => {
    const { stub, clock, events } = await connect({ lifetime });
    assert.deepEqual(clock.due, [first]);
    clock.advance(first);
    await until(() => events.length);
    assert.deepEqual(events, [{ refreshed: lifetime, until: new Date(clock.milliseconds + 1_000 * lifetime) }]);
    assert.equal(stub.count("POST /api/refresh"), 1);
    assert.deepEqual(clock.due, [first], "the next one is planned");
  });
}

test("clients that came together renew apart, and none later than without chance", async () => {
  const waits = [];
  for (const chance of [0, 0.5, 0.999]) {
    const { clock, refresh, events } = await connect();
    clock.chance = chance;
    await refresh.refreshAuthentication();
    assert.equal(events.length, 1);
    waits.push(...clock.due);
  }
  assert.deepEqual(waits, [3300, 3135, 2970.3]);
});

test("a refresh asks as Microsoft's client does, with a new token of the app", async () => {
  const { stub, refresh } = await connect({}, { headers: { "x-tenant": "contoso" } });
  assert.equal(await refresh.refreshAuthentication(), 3600);
  const asked = stub.requests.at(-1);
  assert.equal(asked.name, "POST /api/refresh");
  assert.equal(asked.token, "app-2");
  assert.equal(asked.headers["x-signalr-connection-token"], "secret-1");
  assert.equal(asked.headers["x-requested-with"], "XMLHttpRequest");
  assert.equal(asked.headers["content-length"], "0");
  assert.equal(asked.headers["x-tenant"], "contoso");
  assert.equal(asked.headers["content-type"], undefined);
  assert.deepEqual([...asked.query], []);
});

test("each is asked with its own token: the app at negotiate, the service from then on", async () => {
  const { stub } = await connect();
  const shown = stub.requests.map(({ name, token }) => [name, token]);
  assert.deepEqual(shown, [
    ["POST /api/negotiate", "app-1"],
    ["POST /client/negotiate", "service-1"],
    ["WebSocket /client/", "service-1"],
  ]);
});

test("polls, sends and DELETE bring the newest token", async () => {
  const { stub, refresh, connection } = await connect({ transport: "LongPolling" });
  await connection.send("hello");
  await refresh.refreshAuthentication();
  stub.poll({ status: 200 });
  await until(() => stub.tokensOf("GET /client/").at(-1) === "renewed-1");
  await connection.send("hello");
  assert.equal(stub.tokensOf("POST /client/").at(-1), "renewed-1");
  await connection.stop();
  assert.deepEqual(stub.tokensOf("DELETE /client/"), ["renewed-1"]);
  assert.equal(stub.tokensOf("POST /client/")[0], "service-1");
});

test("a poll that is answered 409 renews at once and polls again", async () => {
  const { stub, connection, events } = await connect({ transport: "LongPolling" });
  stub.poll({ status: 409, body: { error: "authentication_refresh_required" } });
  await until(() => stub.tokensOf("GET /client/").at(-1) === "renewed-1");
  assert.equal(events[0].refreshed, 3600);
  assert.equal(connection.state, "Connected");
});

test("a poll that is answered 409 twice, or for another reason, ends the connection", async () => {
  for (const [second, refreshes] of [["authentication_refresh_required", 1], ["something else", 0]]) {
    const { stub, connection } = await connect({ transport: "LongPolling" });
    const closed = new Promise((closes) => connection.onclose(closes));
    if (refreshes) {
      stub.poll({ status: 409, body: { error: "authentication_refresh_required" } });
    }
    stub.poll({ status: 409, body: { error: second } });
    assert.match((await closed).message, /409/);
    assert.equal(stub.count("POST /api/refresh"), refreshes);
  }
});

test("a failure is tried again, in half of the time that is left, until it succeeds", async () => {
  const { stub, clock, events } = await connect();
  stub.refreshes.push({ status: 500, body: { error: "internal_server_error" } }, { status: 502, content: "<html>" });
  clock.advance(3300);
  await until(() => events.length === 1);
  assert.deepEqual(events[0], {
    failed: "The app answered 500 (internal_server_error).",
    retryAt: new Date(clock.milliseconds + 150_000),
  });
  assert.deepEqual(clock.due, [150]);
  clock.advance(150);
  await until(() => events.length === 2);
  assert.equal(events[1].failed, "The app answered 502.");
  assert.deepEqual(clock.due, [75]);
  clock.advance(75);
  await until(() => events.length === 3);
  assert.equal(events[2].refreshed, 3600);
});

test("Retry-After is waited for, and not beyond the end", async () => {
  const { stub, clock, events } = await connect();
  const busy = (wait) => ({ status: 503, headers: { "Retry-After": wait } });
  stub.refreshes.push(busy("20"), busy(new Date(clock.milliseconds + 3_350_000).toUTCString()), busy("3600"));
  clock.chance = 0.5;
  clock.advance(3300);
  await until(() => events.length === 1);
  assert.deepEqual(clock.due, [21], "later than asked, and each client at a time of its own");
  clock.advance(21);
  await until(() => events.length === 2);
  assert.deepEqual(clock.due, [30.5]);
  clock.advance(31);
  await until(() => events.length === 3);
  assert.equal(events[2].retryAt, null);
  assert.deepEqual(clock.due, []);
});

test("tries end with the sign-in", async () => {
  const { stub, clock, events, connection } = await connect({ lifetime: 60 });
  for (let each = 0; each < 20; each++) stub.refreshes.push({ status: 500 });
  while (clock.timers.size) {
    const told = events.length;
    clock.advance(clock.due[0] + 0.1);
    await until(() => events.length > told);
  }
  assert.equal(events.at(-1).retryAt, null);
  assert.equal(stub.count("POST /api/refresh"), 6);
  assert.equal(connection.state, "Connected", "who ends the connection is the service");
});

for (const [status, error] of [[400, "missing_connection_token"], [403, "permission_change_rejected"], [404, "connection_not_found"], [405, undefined]]) {
  test(`a refusal with ${status} is final, and the connection goes on`, async () => {
    const { stub, clock, refresh, connection, events } = await connect();
    stub.refreshes.push({ status, body: { error } });
    await assert.rejects(refresh.refreshAuthentication(), { name: "AuthenticationRefreshError", status, reason: error ?? null });
    assert.equal(events[0].retryAt, null);
    assert.deepEqual(clock.due, []);
    assert.equal(connection.state, "Connected");
  });
}

test("answers that renew nothing are failures", async () => {
  const { stub, refresh, events } = await connect();
  const noToken = { tokenLifetimeSeconds: 3600 };
  for (const answer of [{ body: noToken }, { body: [] }, { content: "" }, { content: "{" }, { content: "null" }, { body: { accessToken: 1 } }]) {
    stub.refreshes.push({ status: 200, ...answer });
    await assert.rejects(refresh.refreshAuthentication(), /no accessToken/);
  }
  assert.ok(events.every(({ retryAt }) => retryAt !== null));
});

test("an answer without a lifetime renews, and plans nothing", async () => {
  const { stub, clock, refresh } = await connect();
  for (const tokenLifetimeSeconds of [undefined, null, 0, -1, 59.5, "60"]) {
    stub.refreshes.push({ status: 200, body: { accessToken: "renewed", tokenLifetimeSeconds } });
    assert.equal(await refresh.refreshAuthentication(), null);
    assert.equal(refresh.expiresAt, null);
    assert.deepEqual(clock.due, []);
  }
});

test("a provider that throws and an app that is gone are tried again", async () => {
  let fails = false;
  const { stub, clock, refresh, events } = await connect({}, {
    accessTokenFactory: () => {
      if (fails) throw new Error("no network");
      return "app";
    },
  });
  fails = true;
  await assert.rejects(refresh.refreshAuthentication(), (error) => error.cause.message === "no network");
  fails = false;
  stub.refreshes.push("hang");
  const hanging = refresh.refreshAuthentication();
  await until(() => stub.count("POST /api/refresh") === 1);
  stub.disconnect();
  await assert.rejects(hanging, /could not be asked/);
  assert.equal(clock.due.length, 1);
  assert.equal(events.length, 2);
});

test("two refreshes at once are one request", async () => {
  const { stub, refresh } = await connect();
  assert.deepEqual(await Promise.all([refresh.refreshAuthentication(), refresh.refreshAuthentication()]), [3600, 3600]);
  assert.equal(stub.count("POST /api/refresh"), 1);
});

test("a reconnect negotiates anew and plans anew, and what was under way is dropped", async () => {
  const { stub, clock, refresh, connection, events } = await connect({}, { reconnects: true });
  stub.refreshes.push("hang");
  const dropped = assert.rejects(refresh.refreshAuthentication());
  await until(() => stub.count("POST /api/refresh") === 1);
  const reconnected = new Promise((again) => connection.onreconnected(again));
  stub.drop();
  await reconnected;
  await dropped;
  assert.deepEqual(events, [], "nobody has to hear of the one that is gone");
  assert.deepEqual(clock.due, [3300]);
  assert.deepEqual(stub.tokensOf("POST /api/negotiate"), ["app-1", "app-3"]);
  assert.deepEqual(stub.tokensOf("WebSocket /client/"), ["service-1", "service-2"]);
  await refresh.refreshAuthentication();
  assert.equal(stub.requests.at(-1).headers["x-signalr-connection-token"], "secret-2");
});

test("a stateful reconnect keeps the plan and shows the newest token", async () => {
  const { stub, clock, refresh } = await connect({}, { stateful: true });
  await refresh.refreshAuthentication();
  clock.advance(100);
  stub.drop();
  await until(() => stub.count("WebSocket /client/") === 2);
  assert.deepEqual(stub.tokensOf("WebSocket /client/"), ["service-1", "renewed-1"]);
  assert.equal(stub.count("POST /api/negotiate"), 1);
  assert.deepEqual(clock.due, [3200]);
});

test("a connection that has closed has no timers, and can be started again", async () => {
  const { stub, clock, refresh, connection } = await connect();
  await connection.stop();
  assert.deepEqual(clock.due, []);
  assert.equal(refresh.expiresAt, null);
  await assert.rejects(refresh.refreshAuthentication(), /nothing to renew/);
  await connection.start();
  assert.deepEqual(clock.due, [3300]);
  assert.deepEqual(stub.tokensOf("POST /api/negotiate"), ["app-1", "app-2"]);
});

test("a start that failed leaves no refresh", async () => {
  const { stub, clock, refresh, connection } = await connect();
  await connection.stop();
  stub.refuseWebSockets();
  await assert.rejects(connection.start());
  await assert.rejects(connection.start());
  assert.deepEqual(stub.tokensOf("POST /api/negotiate"), ["app-1", "app-2", "app-3"]);
  clock.advance(3300);
  assert.equal(refresh.expiresAt, null, "what the last start left is dropped");
  assert.deepEqual(clock.due, []);
  assert.equal(stub.count("POST /api/refresh"), 0);
});

test("without a lifetime nothing is planned", async () => {
  const { clock, refresh } = await connect({ lifetime: 0 });
  assert.equal(refresh.expiresAt, null);
  assert.deepEqual(clock.due, []);
});

test("version 0 connects, and says that nothing will be renewed", async () => {
  const { clock, refresh, events, connection } = await connect({ version: 0 });
  assert.equal(connection.state, "Connected");
  assert.match(events[0].failed, /version 0/);
  assert.deepEqual(clock.due, []);
  await assert.rejects(refresh.refreshAuthentication(), /version 0/);
});

test("without negotiation the client's own options hold, and a refresh says why there is none", async () => {
  const { stub, refresh } = await connect({}, { skipNegotiation: true, transport: HttpTransportType.WebSockets });
  assert.deepEqual(stub.requests.map(({ name, token }) => [name, token]), [["WebSocket /api", "app-1"]]);
  await assert.rejects(refresh.refreshAuthentication(), /skipNegotiation/);
});

test("what cannot work is told before the connection starts", async () => {
  const httpClient = new DefaultHttpClient(NullLogger.instance);
  assert.throws(() => new AuthenticationRefresh({}), /httpClient is missing. Example/);
  assert.throws(() => new AuthenticationRefresh({ httpClient, headers: { authorization: "Bearer x" } }), /accessTokenFactory/);
  const { connectionOptions } = new AuthenticationRefresh({ httpClient });
  const connection = new HubConnectionBuilder().withUrl("http://127.0.0.1:1/api", connectionOptions).configureLogging(LogLevel.None).build();
  await assert.rejects(connection.start(), /follow\(connection\)/);
});

test("a listener that throws does not end the renewals", async (context) => {
  const { clock, refresh } = await connect();
  const said = context.mock.method(console, "error", () => {});
  refresh.onrefreshed(() => { throw new Error("a slip"); });
  assert.equal(await refresh.refreshAuthentication(), 3600);
  assert.equal(said.mock.callCount(), 1);
  assert.deepEqual(clock.due, [3300]);
});

test("the connection's secret follows no redirect", async () => {
  const { stub, refresh } = await connect();
  const other = await startStub();
  running.push(() => other.stop());
  stub.refreshes.push({ status: 307, headers: { Location: `${other.url}/api/refresh` } });
  await assert.rejects(refresh.refreshAuthentication(), /could not be asked/);
  assert.deepEqual(other.requests, []);
});

test("cookies that the app has set go along, without a token", async () => {
  const { stub, refresh } = await connect({ cookie: "session=ann" }, { accessTokenFactory: undefined });
  await refresh.refreshAuthentication();
  const { token, headers } = stub.requests.at(-1);
  assert.equal(token, undefined);
  // The client adds the attributes, as it does for WebSockets.
  assert.match(headers.cookie, /^session=ann(; |$)/);
});

for (const [what, program] of [
  ["the connection", "await connection.start(); await refresh.refreshAuthentication(); await connection.stop();"],
  ["a start that failed", "await connection.start().catch(() => {});"],
]) {
  test(`the process ends with ${what}, with timers of its own`, async () => {
    const stub = await startStub();
    running.push(() => stub.stop());
    if (what !== "the connection") stub.refuseWebSockets();
    const imports = `
      import { DefaultHttpClient, HubConnectionBuilder, NullLogger } from "@microsoft/signalr";
      import { AuthenticationRefresh } from "../../demo/authentication-refresh.mjs";
      const refresh = new AuthenticationRefresh({ httpClient: new DefaultHttpClient(NullLogger.instance) });
      const builder = new HubConnectionBuilder().withUrl("${stub.url}/api", refresh.connectionOptions);
      const connection = refresh.follow(builder.configureLogging(6).build());`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", imports + program], {
      cwd: import.meta.dirname, stdio: ["ignore", "ignore", "inherit"], timeout: 15_000,
    });
    assert.deepEqual(await once(child, "exit"), [0, null]);
    assert.equal(stub.count("WebSocket /client/"), what === "the connection" ? 1 : 0);
  });
}
