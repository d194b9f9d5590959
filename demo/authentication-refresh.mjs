// Renews the sign-in of a SignalR connection without reconnecting, for @microsoft/signalr up to
// version 10, whose own client cannot yet. One file without dependencies, for browsers and for
// Node.js from version 20.3 on. docs/renewing-in-javascript.md shows how it is used.

/** Share of a wait by which it differs from client to client, so that they do not come together. */
const JITTER = 0.1;
/** When to renew: so long before the end, or after half of a lifetime too short for that. */
const BEFORE_END_SECONDS = 300;
const SHORTEST_RETRY_MS = 1_000;
/** A timer's longest wait, in browsers and in Node.js. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
const LONGEST_REQUEST_MS = 100_000;
/** Answers after which another try can succeed; the others say that it cannot. A 401 does, since the
 * next token may be a newer one. */
const RETRYABLE = new Set([401, 408, 429, 500, 502, 503, 504]);

/**
 * Why a refresh failed.
 */
export class AuthenticationRefreshError extends Error {
  /**
   * @param {string} message What went wrong.
   * @param {object} [details] What the app answered, if it answered.
   * @param {number | null} [details.status] The status.
   * @param {string | null} [details.reason] The member `error` of its body.
   * @param {number | null} [details.retryAfterMs] How long it asks to wait.
   * @param {boolean} [details.retryable] Whether another try can succeed.
   * @param {unknown} [details.cause] The error below this one.
   */
  constructor(message, { status = null, reason = null, retryAfterMs = null, retryable = true, cause } = {}) {
    super(message, { cause });
    this.name = "AuthenticationRefreshError";
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.retryable = retryable;
  }
}

/**
 * What one negotiation has brought. A reconnect negotiates anew, and gets a new one.
 */
class Session {
  /** @type {string | undefined} What goes to whoever is asked next: app, then service. */
  token;
  /** @type {string | null} The connection's secret, which proves that a refresh is for it. */
  connectionToken = null;
  /** @type {number | null} The end of the sign-in, in milliseconds since 1970. */
  expiresAt = null;
  /** @type {Promise<number | null> | null} The refresh under way. */
  refreshing = null;
  /** @type {any} */
  timer;
  negotiating = false;
  redirected = false;
  /** Ends a refresh that is under way when the connection ends. */
  ending = new AbortController();
}

/**
 * Renews the sign-in of one connection, over its reconnects.
 */
export class AuthenticationRefresh {
  #options;
  #hooks;
  /** @type {any} */
  #connection = null;
  /** @type {Session | null} */
  #session = null;
  /** @type {((event: { expiresAt: Date | null, lifetimeSeconds: number | null }) => void)[]} */
  #renewed = [];
  /** @type {((event: { error: Error, retryAt: Date | null }) => void)[]} */
  #failed = [];

  /**
   * What to give to `withUrl`.
   *
   * @readonly
   */
  connectionOptions;

  /**
   * @param {object} options The options of the connection, as `withUrl` takes them.
   * @param {any} options.httpClient What sends the requests: `new DefaultHttpClient(logger)`.
   * @param {() => string | Promise<string>} [options.accessTokenFactory] Gives the token that the
   *   app asks for. It is called for each refresh too, and has to give a new one then. Apps that
   *   know their callers by a cookie need none.
   * @param {Record<string, string>} [options.headers] More headers for all requests.
   * @param {boolean} [options.withCredentials] Whether requests bring cookies; true by default.
   * @param {boolean} [options.skipNegotiation] If true, nothing can be renewed.
   * @param {object} [hooks] Clock, chance and requests, for tests.
   * @param {() => number} [hooks.now] Milliseconds since 1970.
   * @param {() => number} [hooks.random] A number from 0 to below 1.
   * @param {(callback: () => void, milliseconds: number) => any} [hooks.setTimer]
   * @param {(timer: any) => void} [hooks.clearTimer]
   * @param {typeof globalThis.fetch} [hooks.fetch]
   * @throws {TypeError} There is no client, or a token where none can be renewed.
   */
  constructor(options, hooks = {}) {
    if (!options?.httpClient) {
      throw new TypeError("httpClient is missing. Example: new DefaultHttpClient(NullLogger.instance)");
    }
    if (Object.keys(options.headers ?? {}).some((name) => name.toLowerCase() === "authorization")) {
      throw new TypeError("headers has Authorization, which cannot be renewed: give accessTokenFactory");
    }
    this.#options = options;
    this.#hooks = {
      now: Date.now,
      random: Math.random,
      setTimer: globalThis.setTimeout.bind(globalThis),
      clearTimer: globalThis.clearTimeout.bind(globalThis),
      fetch: globalThis.fetch.bind(globalThis),
      ...hooks,
    };
    this.connectionOptions = options.skipNegotiation
      ? options
      : { ...options, httpClient: this.#client(), accessTokenFactory: () => this.#currentToken() };
  }

  /**
   * Renew the sign-in of this connection from its start to its end. Call it before `start`.
   *
   * @template {{ baseUrl: string, state: string, onreconnecting: Function, onclose: Function }} C
   * @param {C} connection The connection that was built with `connectionOptions`.
   * @returns {C} The same connection.
   */
  follow(connection) {
    this.#connection = connection;
    connection.onreconnecting(() => this.#end());
    connection.onclose(() => this.#end());
    return connection;
  }

  /** When the sign-in ends, unless it is renewed; null if it has no end that is known. */
  get expiresAt() {
    const end = this.#session?.expiresAt ?? null;
    return end === null ? null : new Date(end);
  }

  /**
   * Call a function after each refresh.
   *
   * @param {(event: { expiresAt: Date | null, lifetimeSeconds: number | null }) => void} callback
   */
  onrefreshed(callback) {
    this.#renewed.push(callback);
  }

  /**
   * Call a function after each refresh that failed. `retryAt` is when it is tried again, or null.
   * The connection goes on either way, until the service ends it.
   *
   * @param {(event: { error: Error, retryAt: Date | null }) => void} callback
   */
  onrefreshfailed(callback) {
    this.#failed.push(callback);
  }

  /**
   * Renew the sign-in now, for instance when the rights of the user have changed. If a refresh is
   * under way, this waits for it.
   *
   * @returns {Promise<number | null>} How many seconds the sign-in is good for, if that is known.
   * @throws {AuthenticationRefreshError} It was not renewed, or cannot be.
   */
  async refreshAuthentication() {
    const session = this.#session;
    if (!session?.connectionToken) {
      throw new AuthenticationRefreshError(
        "There is nothing to renew: the connection has not negotiated (skipNegotiation), has "
          + "negotiated version 0, in which it gets no connection token, or has ended.",
        { retryable: false },
      );
    }
    session.refreshing ??= this.#refresh(session, session.connectionToken).finally(() => {
      session.refreshing = null;
    });
    return session.refreshing;
  }

  /** The connection's HTTP client: the one that was given, with `send` in between. */
  #client() {
    const given = this.#options.httpClient;
    return Object.assign(Object.create(given), {
      send: (/** @type {any} */ request) => this.#send(request),
      getCookieString: (/** @type {string} */ url) => given.getCookieString(url),
    });
  }

  /** What the connection shows: to the app at first, then to the service, WebSockets included. */
  async #currentToken() {
    this.#session ??= await this.#newSession();
    return this.#session.token ?? "";
  }

  async #newSession() {
    const session = new Session();
    session.token = (await this.#options.accessTokenFactory?.()) || undefined;
    return session;
  }

  /** @param {any} request */
  async #send(request) {
    if (!this.#connection) throw new Error("Call follow(connection) before connection.start()");
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname.endsWith("/negotiate")) return this.#negotiate(request);
    const session = this.#session;
    if (!session) return this.#options.httpClient.send(request);
    try {
      return await this.#sendWithToken(request, session);
    } catch (error) {
      if (!asksForRefresh(error)) throw error;
    }
    await this.refreshAuthentication();
    return this.#sendWithToken(request, session);
  }

  /**
   * @param {any} request
   * @param {Session} session
   */
  #sendWithToken(request, session) {
    const { Authorization: _, ...headers } = request.headers ?? {};
    if (session.token) headers.Authorization = `Bearer ${session.token}`;
    return this.#options.httpClient.send({ ...request, headers });
  }

  /** @param {any} request */
  async #negotiate(request) {
    if (this.#isOfHub(request.url)) {
      // What is there is of a start that failed, unless the client has just asked for its token.
      if (!this.#session || this.#session.negotiating) {
        this.#end();
        this.#session = await this.#newSession();
      }
      this.#session.negotiating = true;
    }
    const session = this.#session ?? (this.#session = await this.#newSession());
    const askedAt = this.#hooks.now();
    const response = await this.#sendWithToken(request, session);
    if (response.statusCode !== 200) return response;
    const { accessToken, ...answer } = JSON.parse(response.content);
    if (accessToken) {
      session.token = accessToken;
      session.redirected = true;
    }
    const lifetime = lifetimeIn(answer);
    if (lifetime) session.expiresAt = askedAt + 1_000 * lifetime;
    if (!answer.url && !answer.error) this.#begin(session, answer);
    // With a token in the answer the client would show it until the end. Without, it asks again.
    return { statusCode: 200, statusText: response.statusText, content: JSON.stringify(answer) };
  }

  /** @param {string} url */
  #isOfHub(url) {
    const { origin, pathname } = new URL(this.#connection.baseUrl);
    return new URL(url).href.split("?")[0] === `${origin}${pathname.replace(/\/$/, "")}/negotiate`;
  }

  /**
   * Plan the first refresh, when the service has told the connection's token.
   *
   * @param {Session} session
   * @param {any} answer
   */
  #begin(session, answer) {
    session.connectionToken = answer.negotiateVersion >= 1 ? answer.connectionToken : null;
    if (session.expiresAt === null) return;
    if (session.connectionToken) return this.#plan(session);
    const error = new AuthenticationRefreshError(
      "The sign-in will not be renewed: version 0 was negotiated, which has no connection token.",
      { retryable: false },
    );
    tell(this.#failed, { error, retryAt: null });
  }

  /** @param {Session} session */
  #plan(session) {
    const left = /** @type {number} */ (session.expiresAt) - this.#hooks.now();
    const before = 1_000 * BEFORE_END_SECONDS;
    const wait = left > 2 * before ? left - before : left / 2;
    this.#wait(session, wait * (1 - JITTER * this.#hooks.random()));
  }

  /**
   * @param {Session} session
   * @param {number} milliseconds
   */
  #wait(session, milliseconds) {
    this.#hooks.clearTimer(session.timer);
    session.timer = this.#hooks.setTimer(() => {
      // A start that fails tells nobody.
      if (this.#connection.state === "Disconnected") return this.#end();
      // Failures are told by the event.
      this.refreshAuthentication().catch(() => {});
    }, Math.min(Math.max(0, milliseconds), LONGEST_WAIT_MS));
    // In Node.js: what keeps the process is the connection.
    session.timer?.unref?.();
  }

  /** Drop what is due and what is under way. */
  #end() {
    this.#hooks.clearTimer(this.#session?.timer);
    this.#session?.ending.abort();
    this.#session = null;
  }

  /**
   * @param {Session} session
   * @param {string} connectionToken
   */
  async #refresh(session, connectionToken) {
    this.#hooks.clearTimer(session.timer);
    const askedAt = this.#hooks.now();
    try {
      const answer = await this.#ask(session, connectionToken);
      session.token = answer.token;
      const lifetime = answer.lifetime;
      session.expiresAt = lifetime && askedAt + 1_000 * lifetime;
      if (lifetime) this.#plan(session);
      tell(this.#renewed, { expiresAt: this.expiresAt, lifetimeSeconds: lifetime });
      return lifetime;
    } catch (error) {
      const failure = error instanceof AuthenticationRefreshError
        ? error
        : new AuthenticationRefreshError("The app could not be asked to renew the sign-in.", { cause: error });
      // Of a connection that has ended there is nothing to tell.
      if (!session.ending.signal.aborted) tell(this.#failed, { error: failure, retryAt: this.#retry(session, failure) });
      throw failure;
    }
  }

  /**
   * Plan another try, if there is time for one before the sign-in ends.
   *
   * @param {Session} session
   * @param {AuthenticationRefreshError} failure
   * @returns {Date | null} When it will be.
   */
  #retry(session, failure) {
    if (!failure.retryable || session.expiresAt === null) return null;
    const now = this.#hooks.now();
    const left = session.expiresAt - now;
    const chance = JITTER * this.#hooks.random();
    // Half of what is left, again and again. Who was told how long to wait never comes earlier.
    const asked = failure.retryAfterMs;
    const wait = Math.max(SHORTEST_RETRY_MS, asked === null ? (left / 2) * (1 - chance) : asked * (1 + chance));
    if (wait >= left) return null;
    this.#wait(session, wait);
    return new Date(now + wait);
  }

  /**
   * @param {Session} session
   * @param {string} connectionToken
   * @returns {Promise<{ token: string | undefined, lifetime: number | null }>}
   */
  async #ask(session, connectionToken) {
    const { accessTokenFactory, headers, httpClient, withCredentials = true } = this.#options;
    const url = new URL(this.#connection.baseUrl);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/refresh`;
    const appToken = (await accessTokenFactory?.()) || undefined;
    // In browsers this is empty, and cookies go along by themselves.
    const cookie = httpClient.getCookieString(url.href);
    const response = await this.#hooks.fetch(url, {
      method: "POST",
      headers: {
        "X-Requested-With": "XMLHttpRequest",
        ...headers,
        ...(cookie && { Cookie: cookie }),
        ...(appToken && { Authorization: `Bearer ${appToken}` }),
        "X-SignalR-Connection-Token": connectionToken,
      },
      credentials: withCredentials ? "include" : "same-origin",
      cache: "no-store",
      // Another site must not get the connection's token.
      redirect: "error",
      signal: AbortSignal.any([session.ending.signal, AbortSignal.timeout(LONGEST_REQUEST_MS)]),
    });
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw this.#refusal(response, answer);
    const token = answer?.accessToken || (session.redirected ? undefined : appToken);
    if (typeof answer !== "object" || answer === null || (session.redirected && typeof token !== "string")) {
      throw new AuthenticationRefreshError("The app's answer has no accessToken.", { status: response.status });
    }
    return { token, lifetime: lifetimeIn(answer) };
  }

  /**
   * @param {Response} response
   * @param {any} answer
   */
  #refusal(response, answer) {
    const reason = typeof answer?.error === "string" ? answer.error : null;
    const message = `The app answered ${response.status}${reason === null ? "" : ` (${reason})`}.`;
    return new AuthenticationRefreshError(message, {
      status: response.status,
      reason,
      retryAfterMs: this.#retryAfter(response),
      retryable: RETRYABLE.has(response.status),
    });
  }

  /**
   * A page of another origin sees the header only if the app exposes it.
   *
   * @param {Response} response
   */
  #retryAfter(response) {
    const value = response.headers.get("Retry-After");
    if (!value) return null;
    const wait = /^\d+$/.test(value) ? 1_000 * Number(value) : Date.parse(value) - this.#hooks.now();
    return Number.isNaN(wait) ? null : Math.max(0, wait);
  }
}

/** @param {any} answer */
function lifetimeIn(answer) {
  const seconds = answer.tokenLifetimeSeconds;
  return Number.isInteger(seconds) && seconds > 0 ? seconds : null;
}

/**
 * Tell whether the service wants a newer token before it takes a request.
 *
 * @param {any} error
 */
function asksForRefresh(error) {
  return error?.statusCode === 409 && String(error.message).includes("authentication_refresh_required");
}

/**
 * Call what was registered. One that throws does not keep the others from being called.
 *
 * @template E
 * @param {((event: E) => void)[]} callbacks
 * @param {E} event
 */
function tell(callbacks, event) {
  for (const callback of callbacks) {
    try {
      callback(event);
    } catch (error) {
      console.error(error);
    }
  }
}
