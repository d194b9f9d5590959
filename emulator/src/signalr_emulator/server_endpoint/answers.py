"""What carries out what servers say, and how requests are answered.

Source: Azure/azure-signalr, specs/ServiceProtocol.md; status 5 as Microsoft.Azure.SignalR 1.34.0
takes it.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from ..server_connections.live import ServerConnection
from ..service_protocol.messages import Ack
from ..service_protocol.table import Message

__all__ = ["AckStatus", "Handlers", "done", "found_or_not"]


type Handlers = Mapping[type[Message], Callable[[ServerConnection, Any], Message | None]]
"""Carry out what a server says, by the type of the message, and give the answer if there is one.

They raise `RequestError` where the message asks for what cannot be.
"""


class AckStatus(IntEnum):
    """What became of a request."""

    OK = 1
    NOT_FOUND = 2
    TIMEOUT = 3
    INTERNAL_ERROR = 4
    FORBIDDEN = 5


def done(ack_id: int, payload: bytes | None = None) -> Ack:
    """Answer that a request is carried out."""
    return Ack(ack_id, AckStatus.OK, payload=payload)


def found_or_not(ack_id: int, is_found: object, missing: str) -> Ack:
    """Answer whether something is there.

    Args:
        ack_id: The request.
        is_found: True in a condition if it is there.
        missing: What is said if it is not.
    """
    return done(ack_id) if is_found else Ack(ack_id, AckStatus.NOT_FOUND, missing)
