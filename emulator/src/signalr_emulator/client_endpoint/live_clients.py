"""The clients of one resource whose connections have a transport, by their connection tokens."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from aiohttp import web

from ..authentication.client_tokens import ClientIdentity, HttpTransports
from ..clients.connected import Client
from ..clients.negotiations import Negotiated
from ..clients.transport import Traits
from ..configuration.service_mode import ServiceMode
from ..server_connections.client import RelayedClient
from ..server_connections.opening import ClientRequest
from ..state.resource import Resource
from ..state.service import Service
from ..transports.deadlines import Deadlines
from ..transports.long_polling import LongPollingTransport
from ..transports.timing import Timing
from .authentication_expiry import AuthenticationExpiry
from .request import query_without_secrets, sent_query, shown_headers

__all__ = ["AnyClient", "LiveClient", "LiveClients"]


type AnyClient = Client | RelayedClient


@dataclass(frozen=True, slots=True)
class LiveClient:
    """A negotiated connection that has a transport.

    Attributes:
        negotiated: What was negotiated.
        kind: How it is transported.
        client: Who uses it.
        polls: The transport of a client that polls.
    """

    negotiated: Negotiated
    kind: HttpTransports
    client: AnyClient
    polls: LongPollingTransport | None = None


class LiveClients:
    """Starts clients and remembers them until they end.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that they join.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._resource = resource
        self._timing = service.config.timing
        self._mode = service.config.service_mode
        self._max_held = service.config.max_write_buffer
        is_whole = service.config.upstream.whole_query
        self._shown_query = sent_query if is_whole else query_without_secrets
        self._live: dict[str, LiveClient] = {}
        self._deadlines = Deadlines()
        self._expiry = AuthenticationExpiry(service.clock, self._timing.expiry_scan)

    def find(self, connection_token: str) -> LiveClient | None:
        """Give the client of a connection, or None."""
        return self._live.get(connection_token)

    def is_awaited(self, negotiated: Negotiated) -> bool:
        """Tell whether a connection may still get its first transport."""
        now = asyncio.get_running_loop().time()
        token, hub = negotiated.connection_token, negotiated.hub
        return self._resource.negotiations.waiting(token, hub, now) is not None

    def start(
        self,
        negotiated: Negotiated,
        kind: HttpTransports,
        traits: Traits,
        *,
        request: web.Request,
        polls: LongPollingTransport | None = None,
    ) -> LiveClient:
        """Make the client of a connection.

        Args:
            negotiated: What was negotiated.
            kind: How it is transported.
            traits: What its transport is able to do.
            request: The request that connects it.
            polls: The transport of a client that polls.
        """

        def ended() -> None:
            self._expiry.forget(client)
            self._resource.negotiations.end(negotiated)
            # Who polls has yet to be told.
            if polls is None:
                self.forget(negotiated)

        start = self._relayed if self._has_app_server(negotiated.hub) else self._served
        client = start(negotiated, traits, request, ended)
        live = LiveClient(negotiated, kind, client, polls)
        self._live[negotiated.connection_token] = live
        if negotiated.identity.closes_at is not None:
            self._expiry.watch(client, negotiated)
        return live

    def _has_app_server(self, hub: str) -> bool:
        """Tell whether the clients of a hub are answered by an app server."""
        if self._mode is ServiceMode.CLASSIC:
            return any(each.takes_clients for each in self._resource.servers.of_hub(hub))
        return self._mode is ServiceMode.DEFAULT

    def allows_stateful_reconnect(self, hub: str) -> bool:
        """Tell whether the clients of a hub may outlive their transports."""
        if not self._has_app_server(hub):
            return True
        carriers = [each for each in self._resource.servers.of_hub(hub) if each.takes_clients]
        return bool(carriers) and all(each.allows_stateful_reconnect for each in carriers)

    def _served(
        self,
        negotiated: Negotiated,
        traits: Traits,
        request: web.Request,
        on_end: Callable[[], None],
    ) -> AnyClient:
        """Make a client that an upstream answers, or nobody."""
        return Client(
            negotiated=negotiated,
            query=self._shown_query(request),
            hubs=self._resource.hubs,
            handler=self._resource.handler,
            events=self._resource.events,
            timing=self.timing(negotiated.identity),
            traits=traits,
            loop=asyncio.get_running_loop(),
            deadlines=self._deadlines,
            on_end=on_end,
        )

    def _relayed(
        self,
        negotiated: Negotiated,
        traits: Traits,
        request: web.Request,
        on_end: Callable[[], None],
    ) -> AnyClient:
        """Make a client that an app server answers."""
        return RelayedClient(
            negotiated=negotiated,
            request=ClientRequest(shown_headers(request), query_without_secrets(request)),
            hubs=self._resource.hubs,
            servers=self._resource.servers,
            timing=self.timing(negotiated.identity),
            traits=traits,
            max_held=self._max_held,
            loop=asyncio.get_running_loop(),
            deadlines=self._deadlines,
            on_end=on_end,
        )

    def timing(self, identity: ClientIdentity) -> Timing:
        """Give the time limits of a client, some of which its token may choose."""
        timing = self._timing
        if identity.handshake is not None:
            timing = replace(timing, handshake=identity.handshake)
        if identity.poll_idle is not None:
            timing = replace(timing, poll_idle=identity.poll_idle)
        return timing

    def forget(self, negotiated: Negotiated) -> None:
        """End a connection for good."""
        self._live.pop(negotiated.connection_token, None)
        self._resource.negotiations.end(negotiated)

    def forget_unless_started(self, negotiated: Negotiated) -> None:
        """End a connection whose transport has failed before it had a client."""
        if negotiated.connection_token not in self._live:
            self._resource.negotiations.end(negotiated)

    def disconnect_all(self) -> None:
        """Tell every client that the service stops, and that it may try again."""
        for live in list(self._live.values()):
            live.client.disconnect(None, allow_reconnect=True)
