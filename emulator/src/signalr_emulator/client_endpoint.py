"""What clients call: negotiation and the connection itself, over aiohttp.

Source: TransportProtocols.md of dotnet/aspnetcore for statuses and bodies.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import HttpVersion11, hdrs, web

from signalr_emulator.authentication import bearer_token
from signalr_emulator.authentication_expiry import AuthenticationExpiry
from signalr_emulator.client import Client, Lost
from signalr_emulator.client_events import ConnectedClient
from signalr_emulator.client_tokens import (
    ClientIdentity,
    HttpTransports,
    client_audiences,
    validate_client_token,
)
from signalr_emulator.connection import Timing, Traits
from signalr_emulator.errors import (
    AuthenticationError,
    ConnectionInUseError,
    InvalidRequestError,
    UnknownConnectionError,
)
from signalr_emulator.long_polling import LongPollingTransport
from signalr_emulator.negotiations import Negotiated, negotiate_reply
from signalr_emulator.parameters import effective_hub
from signalr_emulator.protocols import TransferFormat
from signalr_emulator.resource import Resource
from signalr_emulator.rest import unauthorized
from signalr_emulator.server_sent_events import ServerSentEventsTransport, event_stream_response
from signalr_emulator.service import Service
from signalr_emulator.websocket import WebSocketTransport, websocket_response

__all__ = ["ClientEndpoint"]

_NUMBER = re.compile(r"[0-9]{1,9}")
_NEGOTIATE = "/client/negotiate"
_CONNECT = ("/client/", "/client")
_EVENT_STREAM = "text/event-stream"
_TEXT_ONLY = frozenset((TransferFormat.TEXT,))
_NOT_SHOWN = frozenset(("access_token", "id"))
_MAX_EARLY_BYTES = 64 * 1024
"""Bytes that may come before the transport does; ASP.NET Core lets a sender wait from here on."""

type _AnyTransport = WebSocketTransport | ServerSentEventsTransport | LongPollingTransport


@dataclass(frozen=True, slots=True)
class _Live:
    """A negotiated connection that has a transport."""

    negotiated: Negotiated
    kind: HttpTransports
    client: Client
    polls: LongPollingTransport | None = None


class ClientEndpoint:
    """Lets clients negotiate, connect, send and poll.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that they join.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._service = service
        self._resource = resource
        self._live: dict[str, _Live] = {}
        self._hosts = service.config.hosts
        self._expiry = AuthenticationExpiry(service.clock, service.config.timing.expiry_scan)

    def routes(self) -> list[web.RouteDef]:
        """Give the routes, answers to CORS preflights included."""
        return [
            web.post(_NEGOTIATE, self._negotiate),
            web.options(_NEGOTIATE, _preflight),
            *(web.get(path, self._connect, allow_head=False) for path in _CONNECT),
            *(web.post(path, self._receive) for path in _CONNECT),
            *(web.delete(path, self._end) for path in _CONNECT),
            *(web.options(path, _preflight) for path in _CONNECT),
        ]

    async def disconnect_all(self, _app: web.Application) -> None:
        """Tell every client that the service stops, and that it may try again."""
        for live in list(self._live.values()):
            live.client.disconnect(None, allow_reconnect=True)

    async def _negotiate(self, request: web.Request) -> web.Response:
        hub = _hub(request)
        try:
            identity = self._identify(request, hub)
        except AuthenticationError as error:
            return unauthorized(error)
        version = _negotiate_version(request)
        if version is None:
            return web.json_response({"error": "The negotiateVersion has to be an integer from 0."})
        is_stateful = request.query.get("useStatefulReconnect", "").lower() == "true"
        negotiated = self._resource.negotiations.open(
            hub, version, asyncio.get_running_loop().time(), is_stateful=is_stateful
        )
        return web.json_response(negotiate_reply(negotiated, identity.transports))

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        hub = _hub(request)
        try:
            identity = self._identify(request, hub)
        except AuthenticationError as error:
            return unauthorized(error)
        kind = _kind(request)
        if kind not in identity.transports:
            raise web.HTTPNotFound(text="The client token does not allow this transport.")
        live = self._find(request, hub, identity)
        if live is not None and live.kind is not kind:
            raise web.HTTPBadRequest(text="Cannot change transports mid-connection")
        match kind:
            case HttpTransports.WEB_SOCKETS:
                return await self._web_socket(request, hub, identity, live)
            case HttpTransports.SERVER_SENT_EVENTS:
                return await self._event_stream(request, hub, identity, live)
            case _:
                return await self._poll(request, hub, identity, live)

    async def _receive(self, request: web.Request) -> web.Response:
        known = self._known(request)
        if isinstance(known, web.Response):
            return known
        if isinstance(known, _Live) and known.kind is HttpTransports.WEB_SOCKETS:
            raise web.HTTPMethodNotAllowed(
                hdrs.METH_POST, [hdrs.METH_GET], text="A WebSocket connection takes no requests."
            )
        try:
            body = await request.read()
        except web.RequestPayloadError as error:
            raise web.HTTPBadRequest(text="The body cannot be read.") from error
        negotiated = known if isinstance(known, Negotiated) else known.negotiated
        # While the body was read, the client may have connected.
        live = self._live.get(negotiated.connection_token)
        if live is not None:
            live.client.data_received(body)
        elif len(negotiated.early) + len(body) > _MAX_EARLY_BYTES:
            raise web.HTTPRequestEntityTooLarge(_MAX_EARLY_BYTES, len(negotiated.early) + len(body))
        else:
            negotiated.early.extend(body)
        return web.Response(content_type="text/plain")

    async def _end(self, request: web.Request) -> web.Response:
        known = self._known(request)
        if isinstance(known, web.Response):
            return known
        if not isinstance(known, _Live) or known.polls is None:
            raise web.HTTPBadRequest(text="Only long polling connections can be deleted.")
        known.client.transport_lost(known.polls, Lost.ORDERLY)
        return web.Response(status=HTTPStatus.ACCEPTED, content_type="text/plain")

    def _known(self, request: web.Request) -> _Live | Negotiated | web.Response:
        """Give the connection that a request is for, or what refuses the request."""
        hub = _hub(request)
        try:
            identity = self._identify(request, hub)
        except AuthenticationError as error:
            return unauthorized(error)
        if "id" not in request.query:
            raise web.HTTPBadRequest(text="Connection ID required")
        known = self._find(request, hub, identity) or self._resource.negotiations.waiting(
            request.query["id"], hub, asyncio.get_running_loop().time()
        )
        if known is None:
            raise web.HTTPNotFound(text="No Connection with that ID")
        return known

    async def _web_socket(
        self, request: web.Request, hub: str, identity: ClientIdentity, live: _Live | None
    ) -> web.StreamResponse:
        if live is not None and not live.client.is_stateful:
            raise web.HTTPConflict(text="The connection is already connected.")
        negotiated = live.negotiated if live else self._negotiated(request, hub)
        response = websocket_response()
        try:
            await response.prepare(request)
        finally:
            if request.transport is None or not response.prepared:
                self._forget_unless_live(negotiated)
        if request.transport is None:
            return response
        config = self._service.config
        transport = WebSocketTransport(
            response, request.transport, config.max_write_buffer, config.timing.linger
        )
        # A client that is gone since the upgrade began is not there any more.
        live = self._live.get(negotiated.connection_token) if live else None
        if live is None:
            traits = Traits(
                is_stateful=negotiated.is_stateful, max_unacknowledged=config.max_write_buffer
            )
            client = self._start(request, negotiated, identity, traits)
        else:
            client = live.client
        _attach(client, transport, negotiated)
        how = Lost.BROKEN
        try:
            if await transport.receive_all(client.data_received):
                how = Lost.ORDERLY
        finally:
            client.transport_lost(transport, how)
            await transport.closed()
        return response

    async def _event_stream(
        self, request: web.Request, hub: str, identity: ClientIdentity, live: _Live | None
    ) -> web.StreamResponse:
        _require_id(request)
        if live is not None:
            raise web.HTTPConflict(text="The connection is already connected.")
        if request.version < HttpVersion11:
            raise web.HTTPVersionNotSupported(text="Server-sent events need HTTP/1.1.")
        negotiated = self._negotiated(request, hub)
        response = event_stream_response()
        writer = await response.prepare(request)
        if writer is None or request.transport is None:
            self._forget_unless_live(negotiated)
            return response
        writer.send_headers()
        config = self._service.config
        transport = ServerSentEventsTransport(
            request.transport, config.max_write_buffer, config.timing.linger
        )
        client = self._start(request, negotiated, identity, Traits(transfer_formats=_TEXT_ONLY))
        _attach(client, transport, negotiated)
        try:
            await transport.closed()
        finally:
            client.transport_lost(transport, Lost.BROKEN)
        return response

    async def _poll(
        self, request: web.Request, hub: str, identity: ClientIdentity, live: _Live | None
    ) -> web.Response:
        _require_id(request)
        if live is not None and live.polls is not None:
            return await live.polls.poll()
        negotiated = self._negotiated(request, hub)
        return await self._start_polling(request, negotiated, identity).poll()

    def _start_polling(
        self, request: web.Request, negotiated: Negotiated, identity: ClientIdentity
    ) -> LongPollingTransport:
        def gone() -> None:
            client.transport_lost(transport, Lost.BROKEN)

        transport = LongPollingTransport(
            self._timing(identity), on_gone=gone, on_finished=lambda: self._forget(negotiated)
        )
        client = self._start(
            request, negotiated, identity, Traits(keeps_itself_alive=True), transport
        )
        _attach(client, transport, negotiated)
        return transport

    def _start(
        self,
        request: web.Request,
        negotiated: Negotiated,
        identity: ClientIdentity,
        traits: Traits,
        polls: LongPollingTransport | None = None,
    ) -> Client:
        """Make the client of a connection, and remember both until it ends."""

        def ended() -> None:
            self._expiry.forget(client)
            # Who polls has yet to be told.
            if polls is None:
                self._forget(negotiated)

        client = Client(
            identity=ConnectedClient(
                connection_id=negotiated.connection_id,
                hub=negotiated.hub,
                user_id=identity.user_id,
                claims=identity.claims,
                query=urlencode([i for i in request.query.items() if i[0] not in _NOT_SHOWN]),
            ),
            hubs=self._resource.hubs,
            handler=self._resource.handlers.find(negotiated.hub),
            timing=self._timing(identity),
            traits=traits,
            loop=asyncio.get_running_loop(),
            on_end=ended,
        )
        self._live[negotiated.connection_token] = _Live(negotiated, _kind(request), client, polls)
        if identity.closes_at is not None:
            self._expiry.watch(client, identity.closes_at)
        return client

    def _timing(self, identity: ClientIdentity) -> Timing:
        timing = self._service.config.timing
        if identity.handshake is not None:
            timing = replace(timing, handshake=identity.handshake)
        if identity.poll_idle is not None:
            timing = replace(timing, poll_idle=identity.poll_idle)
        return timing

    def _find(self, request: web.Request, hub: str, identity: ClientIdentity) -> _Live | None:
        live = self._live.get(request.query.get("id", ""))
        if live is None or live.negotiated.hub != hub:
            return None
        if live.client.user_id != identity.user_id:
            raise web.HTTPForbidden(text="The connection belongs to another user.")
        return live

    def _forget(self, negotiated: Negotiated) -> None:
        self._live.pop(negotiated.connection_token, None)
        self._resource.negotiations.end(negotiated)

    def _forget_unless_live(self, negotiated: Negotiated) -> None:
        if negotiated.connection_token not in self._live:
            self._resource.negotiations.end(negotiated)

    def _identify(self, request: web.Request, hub: str) -> ClientIdentity:
        token = bearer_token(request.headers.get(hdrs.AUTHORIZATION))
        token = token or request.query.get("access_token")
        if not token or not token.isascii():
            raise AuthenticationError("The request needs a client token.")
        return validate_client_token(
            token,
            audiences=client_audiences(request.scheme, self._hosts, _port(request), hub),
            keys=self._resource.access_keys,
            clock=self._service.clock,
        )

    def _negotiated(self, request: web.Request, hub: str) -> Negotiated:
        negotiations = self._resource.negotiations
        now = asyncio.get_running_loop().time()
        token = request.query.get("id")
        if token is None:
            token = negotiations.open(hub, 1, now).connection_token
        try:
            return negotiations.connect(token, hub, now)
        except UnknownConnectionError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except ConnectionInUseError as error:
            raise web.HTTPConflict(text=str(error)) from error


def _attach(client: Client, transport: _AnyTransport, negotiated: Negotiated) -> None:
    """Give a client its transport, and then what came before it did."""
    transport.on_overflow(client.overflow)
    client.attach(transport)
    early = bytes(negotiated.early)
    negotiated.early.clear()
    client.data_received(early)


async def _preflight(request: web.Request) -> web.Response:
    """Answer a CORS preflight: every method and header is allowed (Fetch standard)."""
    headers = {}
    for asked, allowed in (
        (hdrs.ACCESS_CONTROL_REQUEST_METHOD, hdrs.ACCESS_CONTROL_ALLOW_METHODS),
        (hdrs.ACCESS_CONTROL_REQUEST_HEADERS, hdrs.ACCESS_CONTROL_ALLOW_HEADERS),
    ):
        if asked in request.headers:
            headers[allowed] = request.headers[asked]
    return web.Response(status=204, headers=headers)


def _kind(request: web.Request) -> HttpTransports:
    """Tell by which transport a request wants to connect."""
    if _EVENT_STREAM in request.headers.get(hdrs.ACCEPT, "").lower():
        return HttpTransports.SERVER_SENT_EVENTS
    if websocket_response().can_prepare(request).ok:
        return HttpTransports.WEB_SOCKETS
    return HttpTransports.LONG_POLLING


def _require_id(request: web.Request) -> None:
    if "id" not in request.query:
        raise web.HTTPBadRequest(text="Connection ID required")


def _hub(request: web.Request) -> str:
    try:
        return effective_hub(request.query.get("hub", ""))
    except InvalidRequestError as error:
        raise web.HTTPBadRequest(text=error.message) from error


def _negotiate_version(request: web.Request) -> int | None:
    text = request.query.get("negotiateVersion", "0")
    return int(text) if _NUMBER.fullmatch(text) else None


def _port(request: web.Request) -> int | None:
    """Give the port that the request came in on: the Host header could name any."""
    address = request.transport and request.transport.get_extra_info("sockname")
    return int(address[1]) if address else None
