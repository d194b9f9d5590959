"""Sends what clients do to the app's upstream: the edge between events and one HTTP session.

Events of one client go out one after the other, in their order. Each template has requests of its
own under way, so that a slow upstream holds up neither other upstreams nor the event loop; what
waits is bounded.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs

from signalr_emulator.clock import Clock
from signalr_emulator.upstream_file import UpstreamFile
from signalr_emulator.upstream_messages import (
    MAX_RESPONSE_BYTES,
    Answer,
    UpstreamClient,
    UpstreamEvent,
    UpstreamInvocation,
    answer,
    connected,
    disconnected,
    headers,
    invoked,
)
from signalr_emulator.upstream_settings import UpstreamConfig, UpstreamTemplate, choose

__all__ = ["Reply", "Upstream", "UpstreamCall"]

_LOGGER = logging.getLogger(__name__)

_REMEMBERED_CALLS = 200
_GRACE = 2.0
"""How long events that still wait are sent when the emulator stops, in seconds."""

_QUEUE_FULL = "too many events wait"

type Reply = Callable[[Answer], None]
"""Takes the answer to an invocation."""


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    """One request to an upstream, as it ended.

    Attributes:
        at: When it ended, in seconds since the epoch on the emulator's clock.
        hub: Name of the hub.
        category: `connections` or `messages`.
        event: `connected`, `disconnected` or a target.
        connection_id: Whose event it was.
        url: Where it went, without the query, which may hold a key.
        status: HTTP status, or None if there was no response.
        error: What went wrong, or None.
        duration: How long it took, in seconds of real time; 0 for one that was never sent.
    """

    at: float
    hub: str
    category: str
    event: str
    connection_id: str
    url: str
    status: int | None
    error: str | None
    duration: float


@dataclass(frozen=True, slots=True)
class _Pending:
    client: UpstreamClient
    event: UpstreamEvent
    template: UpstreamTemplate
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class _Response:
    status: int | None
    body: bytes | None = b""
    error: str | None = None


@dataclass(slots=True)
class _Lane:
    """What waits for one client, and the task that sends it."""

    waiting: deque[_Pending] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Upstream:
    """Sends events to upstreams. Its methods return at once; use it as a context.

    Args:
        config: Templates and limits.
        signing_keys: Gives the service's access keys, which sign each request; nothing while
            local authentication is disabled.
        token: Gives an Entra token of the service's own managed identity for an audience.
        clock: Tells the times of the calls that are remembered.

    Raises:
        OSError: The file of templates cannot be read.
        UpstreamSettingsError: The file of templates is something else.
    """

    def __init__(
        self,
        config: UpstreamConfig,
        *,
        signing_keys: Callable[[], Sequence[str]],
        token: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._config = config
        self._signing_keys = signing_keys
        self._token = token
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._lanes: dict[str, _Lane] = {}
        self._queued = 0
        self._file = UpstreamFile(config.settings_file) if config.settings_file else None
        # By value, so that a template which stays in a changed file keeps its limit.
        self._slots: defaultdict[UpstreamTemplate, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(config.concurrency)
        )
        self._calls: deque[UpstreamCall] = deque(maxlen=_REMEMBERED_CALLS)

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self._config.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=(hdrs.USER_AGENT,),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Send what still waits for a short while, then give up and close the session."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=_GRACE)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def queued(self) -> int:
        """How many events wait or are under way."""
        return self._queued

    @property
    def templates(self) -> tuple[UpstreamTemplate, ...]:
        """Where events go at present."""
        more = self._file.templates() if self._file else ()
        return (*self._config.templates, *more)

    def calls(self) -> list[UpstreamCall]:
        """Give the last calls, the oldest first."""
        return list(self._calls)

    def on_connected(self, client: UpstreamClient) -> None:
        """Tell the upstream that a client has shaken hands."""
        self._enqueue(client, connected(), None)

    def on_disconnected(self, client: UpstreamClient, error: str | None) -> None:
        """Tell the upstream that a client is gone.

        Args:
            client: Who it was.
            error: Why, or None for an orderly end.
        """
        self._enqueue(client, disconnected(error), None)

    def on_invocation(
        self, client: UpstreamClient, invocation: UpstreamInvocation, reply: Reply
    ) -> bool:
        """Hand a method that a client calls to the upstream.

        Args:
            client: Who calls.
            invocation: What it calls.
            reply: Called once, later, if the client waits for an answer.

        Returns:
            False if no template matches: nothing is sent and `reply` is not called.
        """
        return self._enqueue(client, invoked(client.protocol, invocation), reply)

    def _enqueue(self, client: UpstreamClient, event: UpstreamEvent, reply: Reply | None) -> bool:
        template = choose(self.templates, client.hub, event.category, event.event)
        if template is None:
            return False
        pending = _Pending(client, event, template, reply)
        lane = self._lanes.get(client.connection_id)
        if self._queued >= self._config.max_queued:
            self._remember(pending, _Response(None, error=_QUEUE_FULL), 0)
            # Later, as any other answer: the caller is in the middle of something.
            asyncio.get_running_loop().call_soon(
                _give, pending, HTTPStatus.SERVICE_UNAVAILABLE, b""
            )
            return True
        if lane is None:
            lane = self._lanes[client.connection_id] = _Lane()
        self._queued += 1
        lane.waiting.append(pending)
        if lane.task is None:
            lane.task = asyncio.get_running_loop().create_task(
                self._work_off(client.connection_id, lane)
            )
        return True

    async def _work_off(self, connection_id: str, lane: _Lane) -> None:
        try:
            while lane.waiting:
                pending = lane.waiting.popleft()
                try:
                    async with self._slots[pending.template]:
                        await self._call(pending)
                finally:
                    self._queued -= 1
        finally:
            self._queued -= len(lane.waiting)
            del self._lanes[connection_id]

    async def _call(self, pending: _Pending) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        response = await self._send(pending)
        self._remember(pending, response, loop.time() - started)
        _give(pending, response.status or HTTPStatus.INTERNAL_SERVER_ERROR, response.body)

    async def _send(self, pending: _Pending) -> _Response:
        client, event, template = pending.client, pending.event, pending.template
        given = headers(client, event, self._signing_keys())
        if template.managed_identity is not None:
            given[hdrs.AUTHORIZATION] = f"Bearer {self._token(template.managed_identity)}"
        url = template.fill(client.hub, event.category, event.event)
        if self._session is None:
            return _Response(None, error="the emulator stops")
        try:
            async with self._session.post(
                url, data=event.body, headers=given, allow_redirects=False
            ) as response:
                body = await _read(response)
                return _Response(response.status, body, _response_error(response.status, body))
        except TimeoutError:
            return _Response(None, error=f"no response within {self._config.timeout:g} seconds")
        except (aiohttp.ClientError, ValueError, OSError) as error:
            # The text of some exceptions holds the URL, and with it the key in its query.
            return _Response(None, error=type(error).__name__)

    def _remember(self, pending: _Pending, response: _Response, duration: float) -> None:
        client, event = pending.client, pending.event
        url = urlsplit(pending.template.fill(client.hub, event.category, event.event))
        call = UpstreamCall(
            at=self._clock.now(),
            hub=client.hub,
            category=event.category,
            event=event.event,
            connection_id=client.connection_id,
            url=f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}",
            status=response.status,
            error=response.error,
            duration=duration,
        )
        self._calls.append(call)
        if call.error is not None:
            _LOGGER.warning(
                "Upstream %s failed for %r of hub %s: %s.",
                call.url,
                call.event,
                call.hub,
                call.error,
            )


def _give(pending: _Pending, status: int, body: bytes | None) -> None:
    """Give the client what it waits for, if it waits."""
    given = answer(pending.client.protocol, pending.event.invocation_id, status, body)
    if given is not None and pending.reply is not None:
        pending.reply(given)


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Read a body, or give None if it is too long."""
    if (response.content_length or 0) > MAX_RESPONSE_BYTES:
        response.close()
        return None
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            response.close()
            return None
    return bytes(body)


def _response_error(status: int, body: bytes | None) -> str | None:
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return f"status {status}"
    return None if body is not None else f"response over {MAX_RESPONSE_BYTES} bytes"
