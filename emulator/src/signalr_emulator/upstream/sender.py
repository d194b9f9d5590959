"""Sends what clients do to the app's upstream: the edge between events and one HTTP session.

Each template has requests of its own under way, so that a slow upstream does not hold up other
upstreams; what waits for its turn is one event of each client.
"""

import asyncio
import io
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs

from ..clock import Clock
from ..documents.json_text import Json
from ..protocols.arguments import arguments_in, error_of
from ..protocols.supported import PROTOCOLS, HubProtocol
from .messages import (
    MAX_RESPONSE_BYTES,
    MESSAGES,
    UpstreamClient,
    UpstreamEvent,
    headers,
)
from .recent import Recent
from .settings import UpstreamConfig, UpstreamTemplate, choose
from .settings_file import UpstreamFile

__all__ = ["Response", "Upstream", "UpstreamCall"]

_LOGGER = logging.getLogger(__name__)

_BY_CONTENT_TYPE = {protocol.content_type: protocol for protocol in PROTOCOLS.values()}

_REMEMBERED_CALLS = 200
_REMEMBERED_BYTES = 16 * 1024 * 1024
_REMEMBERED_ANSWER = 16 * 1024
"""How much of a response is remembered, in bytes."""

_NO_TEMPLATE = "no upstream is configured for it"


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    """One request to an upstream, as it ended.

    Attributes:
        at: When it ended, in seconds since the epoch on the emulator's clock.
        hub: Name of the hub.
        category: `connections` or `messages`.
        event: `connected`, `disconnected` or a target.
        connection_id: Whose event it was.
        user_id: Who that is, or None.
        invocation: What the client has sent: an invocation in the protocol of `content_type`,
            without its framing; nothing for events of connections.
        content_type: Media type of the request.
        url: Where it went, without the query, which may hold a key.
        status: HTTP status, or None if there was no response.
        error: What went wrong, or None.
        duration: How long it took, in seconds of real time.
        answer: The body of the response, or the start of it.
    """

    at: float
    hub: str
    category: str
    event: str
    connection_id: str
    user_id: str | None
    invocation: bytes = field(repr=False)
    content_type: str
    url: str
    status: int | None
    error: str | None
    duration: float
    answer: bytes = field(default=b"", repr=False)

    @property
    def size(self) -> int:
        """Bytes of what is kept of it."""
        return len(self.invocation) + len(self.answer)

    def arguments(self) -> Json:
        """Give the arguments of an invocation as JSON values, or None if there are none such."""
        return arguments_in(self.invocation, self._protocol) if self.invocation else None

    def refusal(self) -> str | None:
        """Give the error that the upstream has answered an invocation with, or None."""
        if self.category != MESSAGES or self.error is not None:
            return None
        return error_of(self.answer, self._protocol)

    @property
    def _protocol(self) -> HubProtocol:
        return _BY_CONTENT_TYPE[self.content_type]


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for an event.

    Attributes:
        status: HTTP status, or None if there was no response.
        body: The body, or None if it is longer than `MAX_RESPONSE_BYTES`.
        error: What went wrong, or None.
    """

    status: int | None
    body: bytes | None = b""
    error: str | None = None


class Upstream:
    """Sends events to upstreams; use it as a context.

    Args:
        config: Templates and limits.
        signing_keys: Gives the service's access keys, which sign each request; nothing while
            local authentication is disabled.
        token: Gives an Entra token of the service's own managed identity for an audience.
        clock: Tells the times of the calls that are remembered.
        called: Learns of each call, and of invocations that no template matches.
        pause: Waits for a number of seconds, before a request is repeated.

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
        called: Callable[[UpstreamCall], None] = lambda _call: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._signing_keys = signing_keys
        self._token = token
        self._clock = clock
        self._called = called
        self._pause = pause
        self._session: aiohttp.ClientSession | None = None
        self._file = UpstreamFile(config.settings_file) if config.settings_file else None
        # By value, so that a template which stays in a changed file keeps its limit.
        self._slots: defaultdict[UpstreamTemplate, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(config.concurrency)
        )
        self._calls: Recent[UpstreamCall] = Recent(_REMEMBERED_CALLS, _REMEMBERED_BYTES)

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
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def templates(self) -> tuple[UpstreamTemplate, ...]:
        """Where events go at present."""
        more = self._file.templates() if self._file else ()
        return (*self._config.templates, *more)

    def calls(self) -> list[UpstreamCall]:
        """Give the last calls, the oldest first."""
        return [*self._calls][::-1]

    def forget_calls(self) -> None:
        """Forget the calls that were made."""
        self._calls.clear()

    async def send(self, client: UpstreamClient, event: UpstreamEvent) -> Response | None:
        """Send an event.

        Args:
            client: Whose event it is.
            event: What happened.

        Returns:
            What came back at last, or None if no template matches.
        """
        template = choose(self.templates, client.hub, event.category, event.event)
        if template is None:
            if event.category == MESSAGES:
                missing = Response(None, error=_NO_TEMPLATE)
                self._called(self._call(client, event, "", missing, 0.0))
            return None
        response = await self._in_turn(client, event, template)
        for delay in self._config.retry_delays:
            if not _is_transient(response):
                break
            # Other clients' events have the turn meanwhile; this client's own wait.
            await self._pause(delay)
            response = await self._in_turn(client, event, template)
        return response

    async def _in_turn(
        self, client: UpstreamClient, event: UpstreamEvent, template: UpstreamTemplate
    ) -> Response:
        async with self._slots[template]:
            loop = asyncio.get_running_loop()
            started = loop.time()
            response = await self._post(client, event, template)
            self._remember(client, event, template, response, loop.time() - started)
            return response

    async def _post(
        self, client: UpstreamClient, event: UpstreamEvent, template: UpstreamTemplate
    ) -> Response:
        given = headers(client, event, self._signing_keys())
        if template.managed_identity is not None:
            given[hdrs.AUTHORIZATION] = f"Bearer {self._token(template.managed_identity)}"
        url = template.fill(client.hub, event.category, event.event)
        if self._session is None:
            return Response(None, error="the emulator stops")
        try:
            async with self._session.post(
                url, data=io.BytesIO(event.body), headers=given, allow_redirects=False
            ) as response:
                body = await _read(response)
                return Response(response.status, body, _response_error(response.status, body))
        except TimeoutError:
            return Response(None, error=f"no response within {self._config.timeout:g} seconds")
        except (aiohttp.ClientError, ValueError, OSError) as error:
            # The text of some exceptions holds the URL, and with it the key in its query.
            return Response(None, error=type(error).__name__)

    def _remember(
        self,
        client: UpstreamClient,
        event: UpstreamEvent,
        template: UpstreamTemplate,
        response: Response,
        duration: float,
    ) -> None:
        filled = urlsplit(template.fill(client.hub, event.category, event.event))
        url = f"{filled.scheme}://{filled.netloc.rpartition('@')[2]}{filled.path}"
        call = self._call(client, event, url, response, duration)
        self._calls.add(call, call.size)
        self._called(call)
        if call.error is not None:
            _LOGGER.warning(
                "Upstream %s failed for %r of hub %s: %s.",
                call.url,
                call.event,
                call.hub,
                call.error,
            )

    def _call(
        self,
        client: UpstreamClient,
        event: UpstreamEvent,
        url: str,
        response: Response,
        duration: float,
    ) -> UpstreamCall:
        return UpstreamCall(
            at=self._clock.now(),
            hub=client.hub,
            category=event.category,
            event=event.event,
            connection_id=client.connection_id,
            user_id=client.user_id,
            invocation=event.body if event.category == MESSAGES else b"",
            content_type=event.content_type,
            url=url,
            status=response.status,
            error=response.error,
            duration=duration,
            answer=(response.body or b"")[:_REMEMBERED_ANSWER],
        )


def _is_transient(response: Response) -> bool:
    status = response.status
    return (
        status is None
        or status == HTTPStatus.REQUEST_TIMEOUT
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


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
