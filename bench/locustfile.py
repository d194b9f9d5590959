r"""Load on a deployment: clients that negotiate and stay connected, and a sender that broadcasts.

One machine, no web page:

    locust -f bench/locustfile.py --headless --users 500 --spawn-rate 50 --run-time 5m \
        --host https://<app>.azurewebsites.net/api

Several machines: one leads, the others do the work; each needs this file and the variables below.

    locust -f bench/locustfile.py --master --expect-workers 4 --headless --users 20000 \
        --spawn-rate 500 --run-time 10m --host https://<app>.azurewebsites.net/api
    locust -f bench/locustfile.py --worker --master-host <address of the first> --processes -1

LOCUST_FUNCTION_KEY is the function key for broadcasts, LOCUST_BEARER_TOKEN the token with which
clients negotiate where NEGOTIATE_IDENTITY is oidc; without it they are anonymous. Neither is shown.

What the report calls delivery is the time from a broadcast's request to its arrival at one client,
by the clocks of both machines: keep them in step, or let one machine do both.
"""

import json
import logging
import time
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import gevent  # type: ignore[import-untyped]  # has no types
from locust import HttpUser, constant_pacing, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import RescheduleTask
from websocket import (
    WebSocket,
    WebSocketBadStatusException,
    WebSocketException,
    WebSocketTimeoutException,
    create_connection,
)

__all__ = ["Broadcaster", "Listener"]

_logger = logging.getLogger(__name__)

_TARGET: Final = "loadTest"
_SEPARATOR: Final = "\x1e"
_HANDSHAKE: Final = f'{{"protocol":"json","version":1}}{_SEPARATOR}'
_PING: Final = f'{{"type":6}}{_SEPARATOR}'
_PING_INTERVAL: Final = 15.0
"""Seconds between a client's pings, as in @microsoft/signalr."""

_TIMEOUT: Final = 30.0
"""Seconds that an answer may take."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # locust's
def add_options(parser: LocustArgumentParser) -> None:
    """Add this file's options to those of locust."""
    parser.add_argument(
        "--hub", default="", help="hub to connect to; the app's default hub if not given"
    )
    parser.add_argument(
        "--stay",
        type=float,
        default=0.0,
        help="seconds after which a client leaves and negotiates anew; 0 lets it stay",
    )
    parser.add_argument(
        "--broadcast-every", type=float, default=1.0, help="seconds between two broadcasts (1)"
    )
    parser.add_argument("--message-bytes", type=int, default=1024, help="size of a message (1024)")
    parser.add_argument(
        "--function-key",
        env_var="LOCUST_FUNCTION_KEY",
        default="",
        is_secret=True,
        help="function key for broadcasts; better as the variable LOCUST_FUNCTION_KEY, since a"
        " command line can be seen by others",
    )
    parser.add_argument(
        "--bearer-token",
        env_var="LOCUST_BEARER_TOKEN",
        default="",
        is_secret=True,
        help="token that clients negotiate with; better as the variable LOCUST_BEARER_TOKEN",
    )


@events.init.add_listener  # type: ignore[untyped-decorator]  # locust's
def look_at_the_clock(**_: object) -> None:
    """Have `--run-time` count from here: locust counts from when gevent has looked at the clock.

    That was before all imports, and a short run on a busy machine is over before it begins.
    """
    gevent.get_hub().loop.update_now()


@events.test_start.add_listener  # type: ignore[untyped-decorator]  # locust's
def announce(environment: Environment, **_: object) -> None:
    """Say what is driven, before anything is."""
    options = _options(environment)
    _logger.warning(
        "Driving %s, hub %s, a broadcast of %d bytes each %g s",
        environment.host,
        options.hub or "(default)",
        options.message_bytes,
        options.broadcast_every,
    )


class Listener(HttpUser):
    """A client that negotiates, connects by WebSocket and receives."""

    _socket: WebSocket | None = None
    _leaves_at = 0.0
    _pings_at = 0.0

    @task
    def listen(self) -> None:
        """Receive until the next ping is due; connect first where there is no connection."""
        if self._socket is None:
            self._connect()
        assert self._socket is not None  # noqa: S101  _connect gives up otherwise
        try:
            self._receive(self._socket)
        except (WebSocketException, OSError) as error:
            self._report("connection", 0.0, error=error)
            self._leave()
        if time.monotonic() >= self._leaves_at:
            self._leave()

    def on_stop(self) -> None:
        """Leave."""
        self._leave()

    def _connect(self) -> None:
        options = _options(self.environment)
        headers = _bearer(options.bearer_token) if options.bearer_token else {}
        path = f"/{options.hub}/negotiate" if options.hub else "/negotiate"
        offered = self._post(f"{path}?negotiateVersion=1", "negotiate", headers)
        headers = _bearer(offered["accessToken"])
        parts = urlsplit(offered["url"])
        negotiation = parts._replace(path=f"{parts.path.rstrip('/')}/negotiate")
        url = f"{urlunsplit(negotiation)}&negotiateVersion=1"
        connection = self._post(url, "negotiate with the service", headers)
        scheme = "wss" if parts.scheme == "https" else "ws"
        query = f"{parts.query}&id={connection['connectionToken']}"
        self._open(urlunsplit(parts._replace(scheme=scheme, query=query)), headers)

    def _open(self, url: str, headers: dict[str, str]) -> None:
        started = time.perf_counter()
        try:
            opened: WebSocket = create_connection(url, timeout=_TIMEOUT, header=headers)
            opened.send(_HANDSHAKE)
            _check_handshake(str(opened.recv()))
        except (WebSocketException, OSError) as error:
            self._report("connect", _since(started), error=error)
            raise RescheduleTask from None
        self._report("connect", _since(started))
        stay = _options(self.environment).stay
        self._leaves_at = time.monotonic() + stay if stay else float("inf")
        self._pings_at = time.monotonic() + _PING_INTERVAL
        self._socket = opened

    def _receive(self, connected: WebSocket) -> None:
        """Report broadcasts until a ping is due or it is time to leave."""
        until = min(self._pings_at, self._leaves_at)
        while (left := until - time.monotonic()) > 0:
            connected.settimeout(left)
            try:
                frame = connected.recv()
            except WebSocketTimeoutException:
                break
            for message in _messages(str(frame)):
                self._take(message, len(frame))
        connected.send(_PING)
        self._pings_at = time.monotonic() + _PING_INTERVAL

    def _take(self, message: dict[str, Any], length: int) -> None:
        if message.get("type") == 7:  # noqa: PLR2004  close, in the hub protocol
            raise WebSocketException(message.get("error", "closed by the service"))
        if message.get("target") == _TARGET:
            sent_at = message["arguments"][0]["sentAt"]
            self._report("delivery", (time.time() - sent_at) * 1e3, length=length)

    def _post(self, url: str, name: str, headers: dict[str, str]) -> dict[str, str]:
        with self.client.post(
            url, name=name, headers=headers, timeout=_TIMEOUT, catch_response=True
        ) as response:
            if response.status_code == 200:  # noqa: PLR2004
                answer: dict[str, str] = response.json()
                return answer
            response.failure(f"status {response.status_code}")
        raise RescheduleTask

    def _report(
        self, name: str, milliseconds: float, *, length: int = 0, error: Exception | None = None
    ) -> None:
        # A refused upgrade carries the answer's headers, of which the status is enough.
        if isinstance(error, WebSocketBadStatusException):
            error = WebSocketException(f"status {error.status_code}")
        self.environment.events.request.fire(
            request_type="SignalR",
            name=name,
            response_time=milliseconds,
            response_length=length,
            exception=error,
            context={},
        )

    def _leave(self) -> None:
        if self._socket is None:
            return
        # In a greenlet of its own, since `close` swallows whatever is raised in it: also the
        # GreenletExit by which locust ends a user, who would then go on, and the run with him.
        closing = gevent.spawn(self._socket.close, timeout=1)
        self._socket = None
        closing.join()


class Broadcaster(HttpUser):
    """The one caller that broadcasts."""

    fixed_count = 1

    def wait_time(self) -> float:
        """Keep the pace whatever a request takes."""
        pace = constant_pacing(_options(self.environment).broadcast_every)
        waited: float = pace(self)
        return waited

    @task
    def broadcast(self) -> None:
        """Send a message to everyone, with the time in it."""
        options = _options(self.environment)
        message = {
            "target": _TARGET,
            "arguments": [{"sentAt": time.time(), "padding": "x" * options.message_bytes}],
            **({"hub": options.hub} if options.hub else {}),
        }
        headers = {"x-functions-key": options.function_key} if options.function_key else {}
        self.client.post(
            "/broadcast", name="broadcast", json=message, headers=headers, timeout=_TIMEOUT
        )


def _options(environment: Environment) -> Namespace:
    options = environment.parsed_options
    if not isinstance(options, Namespace):
        raise TypeError("run this file with the locust command")
    return options


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _check_handshake(frame: str) -> None:
    answer = next(_messages(frame))
    if "error" in answer:
        raise WebSocketException(answer["error"])


def _messages(frame: str) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, filter(None, frame.split(_SEPARATOR)))


def _since(started: float) -> float:
    """Return milliseconds."""
    return (time.perf_counter() - started) * 1e3
