"""What a server connection says is to be done, by whoever holds its socket."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import ServiceUnavailableError
from .messages import (
    AccessKeyResponse,
    Ack,
    ClientCompletion,
    ErrorCompletion,
    ServiceEvent,
    ServiceMapping,
)

__all__ = [
    "Abandoned",
    "Action",
    "BufferFull",
    "Close",
    "InstanceOffline",
    "Opened",
    "Received",
    "RenewToken",
    "Status",
    "Told",
    "Unreadable",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Write:
    """Action: write to the socket. There may be an Entra token in it."""

    data: bytes = field(repr=False)


class Close(NamedTuple):
    """Action: close the WebSocket with status 1000. The last one; the error says why."""

    error: ServiceUnavailableError


class Opened(NamedTuple):
    """Action: write from now on; the id is the service's name for this connection."""

    connection_id: str | None


class RenewToken(NamedTuple):
    """Action: get an Entra token that is valid now, and give it to `prove`."""


type Told = (
    Ack | AccessKeyResponse | ClientCompletion | ErrorCompletion | ServiceMapping | ServiceEvent
)
"""What somebody may wait for, or may want to log."""


class Received(NamedTuple):
    """Action: give what has come to whoever waits for it."""

    message: Told


class Status(NamedTuple):
    """Action: take what the service says of itself, for routing among endpoints.

    Args:
        has_clients: Whether it has clients of the hub.
        client_count: How many it has; `None` where it does not say so, as for the others.
        server_count: How many server connections it has.
        capacity: How many clients it can have.
    """

    has_clients: bool
    client_count: int | None
    server_count: int | None
    capacity: int | None


class InstanceOffline(NamedTuple):
    """Action: take note that an instance of the service is gone, and its clients with it."""

    instance_id: str


class Abandoned(NamedTuple):
    """Action: write nothing more here. The service is about to close the connection."""

    text: str


class BufferFull(NamedTuple):
    """Action: send less, since the service cannot keep up with this connection."""

    text: str


class Unreadable(NamedTuple):
    """Action: log that a message was skipped. The connection lives on."""

    problem: str


type Action = (
    Write
    | Close
    | Opened
    | RenewToken
    | Received
    | Status
    | InstanceOffline
    | Abandoned
    | BufferFull
    | Unreadable
)
