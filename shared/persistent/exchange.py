"""What all operations of a sender go by: the server connections of each hub and endpoint."""

import asyncio
import math
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Never, Self

from msgspec.structs import replace

from ..endpoints.credentials import (
    Credential,
    EntraTokenSources,
    addresses,
    credentials,
    local_key,
)
from ..endpoints.fan_out import GRACE, FanOut, combine, settles
from ..errors import InvalidArgumentError, ServiceError, ServiceUnavailableError
from ..rest.exchange import TRACING_ID_BITS
from ..server_connections.connections import HubConnections
from ..server_connections.instruments import Begun, find_telemetry, operation_of
from ..server_connections.opening import Opening, server_id
from ..server_connections.recording import Recording, Sent
from ..service_protocol import requests as ask
from ..service_protocol.codec import write
from ..service_protocol.messages import Message
from ..settings.endpoint import Endpoint
from ..settings.environment import (
    Settings,
    read_application,
    read_endpoints,
    read_message_tracing,
)
from ..settings.names import check_application, check_hub, prefixed_hub
from ..transport.tasks import settled_outcomes

if TYPE_CHECKING:
    from ..identity.token import TokenSource
    from ..keys.local import LocalKey

__all__ = ["Exchange", "missing_attribute"]


_BY_REST: Final = frozenset(
    {"send_stream_item", "complete_stream", "execute", "get_client_access_token",
     "service_is_healthy", "warm_up", "degraded"}
)  # fmt: skip


class Exchange:
    """Sends by server connections, which are opened at the first need and kept up.

    Args:
        endpoints: The endpoint of the service, or several: what is sent goes to all of them.
        credential: A credential of azure-identity, or settings to make one from: one for all
            endpoints, or one for each.
        connections: How many server connections there are to each hub at each endpoint.
        send_timeout: Seconds that a message waits for a connection that is up and takes it.
        application: Name of the application whose hubs these are.
        message_tracing: Whether what is sent gets a name in the service's messaging logs.
        clock: Current time in epoch seconds.
        jitter: Random numbers from 0 to 1, which spread attempts to connect.
    """

    def __init__(
        self,
        endpoints: str | Endpoint | Sequence[Endpoint],
        credential: Credential | Sequence[Credential],
        *,
        connections: int = 1,
        send_timeout: float = 10.0,
        application: str = "",
        message_tracing: bool = False,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if connections < 1:
            raise InvalidArgumentError("connections", "must be 1 or more")
        if not 0 < send_timeout < math.inf:
            raise InvalidArgumentError("send_timeout", "must be a positive number of seconds")
        self.endpoints = addresses(endpoints)
        self.application = check_application(application)
        sources = EntraTokenSources(clock)
        self._proofs: list[TokenSource | LocalKey] = [
            local_key(each) or sources.of(each, endpoint)
            for endpoint, each in zip(
                self.endpoints, credentials(credential, len(self.endpoints)), strict=True
            )
        ]
        self._count = connections
        self._send_timeout = send_timeout
        self._message_tracing = message_tracing
        self._telemetry = find_telemetry()
        self._clock = clock
        self._jitter = jitter
        self._server_id = server_id()
        self._hubs: dict[str, list[HubConnections]] = {}
        self._is_closed = False
        self._process = os.getpid()

    @classmethod
    def from_settings(cls, settings: Settings, *, connections: int = 1) -> Self:
        """Make a sender from the settings of a Function App."""
        return cls(
            [each.endpoint for each in settings.endpoints],
            [each.credential for each in settings.endpoints],
            connections=connections,
            application=settings.application,
            message_tracing=settings.message_tracing,
        )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, *, connections: int = 1
    ) -> Self:
        """Make a sender from settings of the environment: those that say where the service is.

        Raises:
            SettingsError: A setting is missing or wrong. It names the setting and shows a right
                value.
        """
        endpoints = read_endpoints(environment)
        return cls(
            [each.endpoint for each in endpoints],
            [each.credential for each in endpoints],
            connections=connections,
            application=read_application(environment),
            message_tracing=read_message_tracing(environment),
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Never:
            """Say where to look for what server connections cannot do."""
            raise missing_attribute(self, name)

    @property
    def is_own(self) -> bool:
        """Whether this is the process that made it, which has its sockets and its event loop."""
        return os.getpid() == self._process

    def check_process(self) -> None:
        """Refuse to work in a child process.

        Raises:
            ServiceUnavailableError: This is not the process that made it.
        """
        if not self.is_own:
            raise ServiceUnavailableError(
                "The sender belongs to the process that made it: make another one after a fork"
            )

    async def close(self) -> None:
        """Have the sockets take what was sent, and close them. Nothing is sent afterwards."""
        if not self.is_own:
            return
        self._is_closed = True
        connections = [each for hub in self._hubs.values() for each in hub]
        self._hubs.clear()
        await asyncio.gather(*(each.close() for each in connections))

    async def _write(self, hub: str, message: Message, about: str) -> None:
        sent = self._encode(message, about)
        connections = self._up(hub)
        if connections is None:
            await self._send(hub, sent)
        else:
            await connections.write(sent)

    def _encode(self, message: Message, about: str) -> Sent:
        """Return a message on its way, with a name and a moment where somebody looks at them."""
        if not self._message_tracing and self._telemetry is None:
            return Sent(write(message), about)
        tracing_id = random.getrandbits(TRACING_ID_BITS) if self._message_tracing else None
        message = replace(message, tracing_id=tracing_id)
        operation = operation_of(message)
        if self._telemetry is None:
            begun = Begun(operation, tracing_id=tracing_id)
        else:
            begun = self._telemetry.begin(operation, tracing_id)
        return Sent(write(message), about, begun)

    def _up(self, hub: str) -> HubConnections | None:
        """Return the connections to a hub if they are there, at one endpoint alone."""
        self.check_process()
        connections = self._hubs.get(hub, ())
        return connections[0] if len(connections) == 1 else None

    async def _send(self, hub: str, sent: Sent) -> None:
        await self._everywhere("all", hub, lambda each: each.write(sent))

    async def _ask(self, hub: str, request: ask.AckRequest, about: str) -> None:
        await self._everywhere("all", hub, lambda each: each.ask(request, about))

    async def _everywhere[T](
        self, fan_out: FanOut, hub: str, do: Callable[[HubConnections], Awaitable[T]]
    ) -> T:
        """Do something at every endpoint, all at once, and return the one result."""
        connections = self._connections(hub)
        if len(connections) == 1:
            return await do(connections[0])

        async def outcome(each: HubConnections) -> T | ServiceError:
            try:
                return await do(each)
            except ServiceError as error:
                return error

        outcomes = await settled_outcomes(
            [outcome(each) for each in connections], lambda each: settles(fan_out, each), GRACE
        )
        names = [each.name for each in self.endpoints]
        return combine(fan_out, dict(zip(names, outcomes, strict=True)))

    def _connections(self, hub: str) -> list[HubConnections]:
        """Return the connections of a hub at each endpoint."""
        self.check_process()
        found = self._hubs.get(hub)
        if found is not None:
            return found
        name = check_hub(hub)
        if name in self._hubs:
            return self._hubs[name]
        if self._is_closed:
            raise ServiceUnavailableError("The sender is closed", hub=name)
        known_as = prefixed_hub(self.application, name)
        made = [
            HubConnections(
                Opening(endpoint, known_as, proof, server_id=self._server_id, clock=self._clock),
                name,
                server_id=self._server_id,
                count=self._count,
                patience=self._send_timeout,
                jitter=self._jitter,
                recording=Recording(self._telemetry, endpoint, name),
            )
            for endpoint, proof in zip(self.endpoints, self._proofs, strict=True)
        ]
        self._hubs[name] = made
        return made


def missing_attribute(sender: object, name: str) -> AttributeError:
    """Return the error of a name that a sender has not."""
    if name in _BY_REST:
        return AttributeError(
            f"Server connections have no {name}: use SignalRServiceClient, which asks by REST"
        )
    return AttributeError(f"{type(sender).__name__!r} object has no attribute {name!r}")
