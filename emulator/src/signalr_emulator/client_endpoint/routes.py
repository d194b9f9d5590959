"""What clients call: negotiation and the connection itself, over aiohttp.

Source: TransportProtocols.md of dotnet/aspnetcore for statuses and bodies.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import HttpVersion11, hdrs, web

from ..authentication.callers import bearer_token
from ..authentication.client_tokens import (
    ClientIdentity,
    HttpTransports,
    client_audiences,
    validate_client_token,
)
from ..clients.negotiations import Negotiated, negotiate_reply
from ..clients.transport import Lost, Traits
from ..errors import (
    AuthenticationError,
    ConnectionInUseError,
    UnknownConnectionError,
)
from ..operations.errors import unauthorized
from ..protocols.supported import TransferFormat
from ..state.resource import Resource
from ..state.service import Service
from ..transports.local_address import called_ports
from ..transports.long_polling import LongPollingTransport
from ..transports.server_sent_events import ServerSentEventsTransport, event_stream_response
from ..websocket.upgrade import switch_protocols, take_over
from .live_clients import AnyClient, LiveClient, LiveClients
from .posting import MAX_POSTED, take_body
from .request import (
    hub_of,
    negotiate_version,
    preflight,
    require_id,
    transport_of,
)
from .web_socket import WebSocketTransport

__all__ = ["ClientEndpoint"]

_NEGOTIATE = "/client/negotiate"
_CONNECT = ("/client/", "/client")
_TEXT_ONLY = frozenset((TransferFormat.TEXT,))
_RETRY_AFTER = "1"
"""Seconds after which it is worth trying again, when clients wait for the upstream."""

type _AnyTransport = WebSocketTransport | ServerSentEventsTransport | LongPollingTransport

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ClientEndpoint:
    """Lets clients negotiate, connect, send and poll.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that they join.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._service = service
        self._resource = resource
        self._live = LiveClients(service, resource)
        self._hosts = service.config.hosts

    def routes(self) -> list[web.RouteDef]:
        """Give the routes, answers to CORS preflights included."""
        return [
            web.post(_NEGOTIATE, _admitting(self._negotiate)),
            web.options(_NEGOTIATE, preflight),
            *(web.get(path, _admitting(self._connect), allow_head=False) for path in _CONNECT),
            *(web.post(path, _admitting(self._receive)) for path in _CONNECT),
            *(web.delete(path, _admitting(self._end)) for path in _CONNECT),
            *(web.options(path, preflight) for path in _CONNECT),
        ]

    def is_poll(self, request: web.Request) -> bool:
        """Tell whether a request polls for a client that a first poll has connected."""
        live = self._live.find(request.query.get("id", ""))
        return request.method == hdrs.METH_GET and live is not None and live.polls is not None

    async def disconnect_all(self, _app: web.Application) -> None:
        """Tell every client that the service stops, and that it may try again."""
        self._live.disconnect_all()

    async def _negotiate(self, request: web.Request) -> web.Response:
        hub = hub_of(request)
        identity = self._identify(request, hub)
        version = negotiate_version(request)
        if version is None:
            return web.json_response({"error": "The negotiateVersion has to be an integer from 0."})
        is_stateful = request.query.get(
            "useStatefulReconnect", ""
        ).lower() == "true" and self._live.allows_stateful_reconnect(hub)
        negotiated = self._resource.negotiations.open(
            identity, hub, version, asyncio.get_running_loop().time(), is_stateful=is_stateful
        )
        return web.json_response(negotiate_reply(negotiated, identity.transports))

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        hub = hub_of(request)
        identity = self._identify(request, hub)
        kind = transport_of(request)
        if kind not in identity.transports:
            raise web.HTTPNotFound(text="The client token does not allow this transport.")
        self._check_user(request, hub, identity)
        live = self._find(request, hub)
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
        if isinstance(known, LiveClient) and known.kind is HttpTransports.WEB_SOCKETS:
            raise web.HTTPMethodNotAllowed(
                hdrs.METH_POST, [hdrs.METH_GET], text="A WebSocket connection takes no requests."
            )
        negotiated = known if isinstance(known, Negotiated) else known.negotiated
        await take_body(request.content, negotiated, self._live)
        return web.Response(content_type="text/plain")

    async def _end(self, request: web.Request) -> web.Response:
        known = self._known(request)
        if not isinstance(known, LiveClient) or known.polls is None:
            raise web.HTTPBadRequest(text="Only long polling connections can be deleted.")
        known.client.transport_lost(known.polls, Lost.ORDERLY)
        return web.Response(status=HTTPStatus.ACCEPTED, content_type="text/plain")

    def _known(self, request: web.Request) -> LiveClient | Negotiated:
        """Give the connection that a request is for, which may wait for its transport."""
        hub = hub_of(request)
        identity = self._identify(request, hub)
        require_id(request)
        self._check_user(request, hub, identity)
        known = self._find(request, hub) or self._waiting(request, hub)
        if known is None:
            raise web.HTTPNotFound(text="No Connection with that ID")
        return known

    async def _web_socket(
        self, request: web.Request, hub: str, identity: ClientIdentity, live: LiveClient | None
    ) -> web.StreamResponse:
        if live is not None and not live.client.is_stateful:
            raise web.HTTPConflict(text="The connection is already connected.")
        negotiated = live.negotiated if live else self._negotiated(request, hub, identity)
        try:
            response = await switch_protocols(request)
            if request.transport is not None:
                self._start_web_socket(
                    request, request.transport, negotiated, is_resumed=live is not None
                )
        finally:
            self._live.forget_unless_started(negotiated)
        return response

    def _start_web_socket(
        self,
        request: web.Request,
        socket: asyncio.Transport,
        negotiated: Negotiated,
        *,
        is_resumed: bool,
    ) -> None:
        config = self._service.config
        client = self._web_socket_client(request, negotiated, is_resumed=is_resumed)
        transport = WebSocketTransport(
            client, socket, config.max_write_buffer, config.timing.linger
        )
        behind = take_over(request, socket, transport)
        _attach(client, transport, negotiated)
        transport.data_received(behind)

    def _web_socket_client(
        self, request: web.Request, negotiated: Negotiated, *, is_resumed: bool
    ) -> AnyClient:
        # A client that is gone since the upgrade began is not there any more.
        live = self._live.find(negotiated.connection_token) if is_resumed else None
        if live is not None:
            return live.client
        traits = Traits(
            is_stateful=negotiated.is_stateful,
            max_unacknowledged=self._service.config.max_write_buffer,
        )
        kind = HttpTransports.WEB_SOCKETS
        return self._live.start(negotiated, kind, traits, request=request).client

    async def _event_stream(
        self, request: web.Request, hub: str, identity: ClientIdentity, live: LiveClient | None
    ) -> web.StreamResponse:
        require_id(request)
        if live is not None:
            raise web.HTTPConflict(text="The connection is already connected.")
        if request.version < HttpVersion11:
            raise web.HTTPVersionNotSupported(text="Server-sent events need HTTP/1.1.")
        negotiated = self._negotiated(request, hub, identity)
        response = event_stream_response()
        writer = await response.prepare(request)
        if writer is None or request.transport is None:
            self._live.forget_unless_started(negotiated)
            return response
        writer.send_headers()
        config = self._service.config
        transport = ServerSentEventsTransport(
            request.transport, config.max_write_buffer, config.timing.linger
        )
        client = self._live.start(
            negotiated,
            HttpTransports.SERVER_SENT_EVENTS,
            Traits(transfer_formats=_TEXT_ONLY, max_record=MAX_POSTED),
            request=request,
        ).client
        _attach(client, transport, negotiated)
        try:
            await transport.closed()
        finally:
            # A client has no other way to end it than to close the socket.
            client.transport_lost(transport, Lost.ORDERLY)
        return response

    async def _poll(
        self, request: web.Request, hub: str, identity: ClientIdentity, live: LiveClient | None
    ) -> web.Response:
        require_id(request)
        if live is not None and live.polls is not None:
            return await live.polls.poll(request.transport)
        negotiated = self._negotiated(request, hub, identity)
        transport = self._start_polling(request, negotiated)
        return await transport.poll(request.transport)

    def _start_polling(self, request: web.Request, negotiated: Negotiated) -> LongPollingTransport:
        def gone() -> None:
            client.transport_lost(transport, Lost.BROKEN)

        transport = LongPollingTransport(
            self._live.timing(negotiated.identity),
            on_gone=gone,
            on_finished=lambda: self._live.forget(negotiated),
        )
        client = self._live.start(
            negotiated,
            HttpTransports.LONG_POLLING,
            Traits(keeps_itself_alive=True, max_record=MAX_POSTED),
            request=request,
            polls=transport,
        ).client
        _attach(client, transport, negotiated)
        return transport

    def _check_user(self, request: web.Request, hub: str, identity: ClientIdentity) -> None:
        """Refuse who is not the user of a connection, whatever else the token says."""
        live = self._find(request, hub)
        negotiated = live.negotiated if live else self._waiting(request, hub)
        if negotiated is not None and negotiated.identity.user_id != identity.user_id:
            raise web.HTTPForbidden(text="The connection belongs to another user.")

    def _find(self, request: web.Request, hub: str) -> LiveClient | None:
        live = self._live.find(request.query.get("id", ""))
        return live if live is not None and live.negotiated.hub == hub else None

    def _waiting(self, request: web.Request, hub: str) -> Negotiated | None:
        now = asyncio.get_running_loop().time()
        return self._resource.negotiations.waiting(request.query.get("id", ""), hub, now)

    def _identify(self, request: web.Request, hub: str) -> ClientIdentity:
        token = bearer_token(request.headers.get(hdrs.AUTHORIZATION))
        token = token or request.query.get("access_token")
        if not token or not token.isascii():
            raise AuthenticationError("The request needs a client token.")
        ports = called_ports(request)
        return validate_client_token(
            token,
            audiences=client_audiences(request.scheme, self._hosts, ports, hub),
            keys=self._resource.access_keys,
            clock=self._service.clock,
        )

    def _negotiated(self, request: web.Request, hub: str, identity: ClientIdentity) -> Negotiated:
        if self._resource.events.clients >= self._service.config.upstream.max_waiting_clients:
            raise web.HTTPServiceUnavailable(
                headers={hdrs.RETRY_AFTER: _RETRY_AFTER},
                text="Too many clients wait for the upstream.",
            )
        negotiations = self._resource.negotiations
        now = asyncio.get_running_loop().time()
        token = request.query.get("id")
        if token is None:
            token = negotiations.open(identity, hub, 1, now).connection_token
        try:
            negotiated = negotiations.connect(token, hub, now)
        except UnknownConnectionError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except ConnectionInUseError as error:
            raise web.HTTPConflict(text=str(error)) from error
        negotiated.begin(identity)
        return negotiated


def _attach(client: AnyClient, transport: _AnyTransport, negotiated: Negotiated) -> None:
    """Give a client its transport, and then what came before it did."""
    transport.on_overflow(client.overflow)
    client.attach(transport)
    early = bytes(negotiated.early)
    negotiated.early.clear()
    client.data_received(early)


def _admitting(handler: Handler) -> Handler:
    """Refuse who shows no valid client token."""

    async def admit(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except AuthenticationError as error:
            return unauthorized(error)

    return admit
