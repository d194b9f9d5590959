"""What clients call: negotiation and the connection itself, over aiohttp.

Source: TransportProtocols.md of dotnet/aspnetcore for statuses and bodies.
"""

import asyncio
import re

from aiohttp import hdrs, web

from signalr_emulator.authentication import bearer_token
from signalr_emulator.client import Client
from signalr_emulator.client_tokens import (
    ClientIdentity,
    client_audiences,
    validate_client_token,
)
from signalr_emulator.errors import (
    AuthenticationError,
    ConnectionInUseError,
    InvalidRequestError,
    UnknownConnectionError,
)
from signalr_emulator.negotiations import Negotiated, negotiate_reply
from signalr_emulator.parameters import effective_hub
from signalr_emulator.resource import Resource
from signalr_emulator.rest import unauthorized
from signalr_emulator.service import Service
from signalr_emulator.websocket import WebSocketTransport, receive_all, websocket_response

__all__ = ["ClientEndpoint"]

_NUMBER = re.compile(r"[0-9]{1,9}")
_NEGOTIATE = "/client/negotiate"
_CONNECT = ("/client/", "/client")


class ClientEndpoint:
    """Lets clients negotiate and connect.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that they join.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._service = service
        self._resource = resource
        self._clients: set[Client] = set()
        self._hosts = service.config.service_names | {_url_host(service.config.host)}

    def routes(self) -> list[web.RouteDef]:
        """Give the routes, answers to CORS preflights included."""
        return [
            web.post(_NEGOTIATE, self._negotiate),
            web.options(_NEGOTIATE, _preflight),
            *(web.get(path, self._connect) for path in _CONNECT),
            *(web.options(path, _preflight) for path in _CONNECT),
        ]

    async def disconnect_all(self, _app: web.Application) -> None:
        """Tell every client that the service stops, and that it may try again."""
        for client in list(self._clients):
            client.disconnect(None, allow_reconnect=True)

    async def _negotiate(self, request: web.Request) -> web.Response:
        hub = _hub(request)
        try:
            self._identify(request, hub)
        except AuthenticationError as error:
            return unauthorized(error)
        version = _negotiate_version(request)
        if version is None:
            return web.json_response({"error": "The negotiateVersion has to be an integer from 0."})
        now = asyncio.get_running_loop().time()
        return web.json_response(
            negotiate_reply(self._resource.negotiations.open(hub, version, now))
        )

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        hub = _hub(request)
        try:
            identity = self._identify(request, hub)
        except AuthenticationError as error:
            return unauthorized(error)
        response = websocket_response()
        if not response.can_prepare(request).ok:
            raise web.HTTPNotFound(text="The only transport is WebSockets.")
        negotiated = self._negotiated(request, hub)
        try:
            await self._serve(request, response, negotiated, identity)
        finally:
            self._resource.negotiations.end(negotiated)
        return response

    async def _serve(
        self,
        request: web.Request,
        response: web.WebSocketResponse[bool],
        negotiated: Negotiated,
        identity: ClientIdentity,
    ) -> None:
        await response.prepare(request)
        if request.transport is None:
            return
        transport = WebSocketTransport(
            response, request.transport, self._service.config.max_write_buffer
        )
        client = Client(
            connection_id=negotiated.connection_id,
            hub=negotiated.hub,
            user_id=identity.user_id,
            hubs=self._resource.hubs,
            transport=transport,
            timing=self._service.config.timing,
            loop=asyncio.get_running_loop(),
        )
        self._clients.add(client)
        try:
            await receive_all(response, client.data_received)
        finally:
            self._clients.discard(client)
            client.transport_lost()
            await transport.closed()

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


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()
