"""Messages of the SignalR hub protocol that a serverless hub receives and sends.

Source: HubProtocol.md of dotnet/aspnetcore; "Upstream endpoints in Azure SignalR Service" for the
message that a client is gone, which has a type of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

__all__ = [
    "COMPLETION",
    "INVOCATION",
    "Completion",
    "HubProtocol",
    "Invocation",
    "MessageError",
    "close_error",
    "read_invocation",
]

INVOCATION: Final = 1
COMPLETION: Final = 3
_STREAM_INVOCATION: Final = 4


class MessageError(Exception):
    """A body is no message that the service sends; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A client calls a method.

    Args:
        target: Name of the method.
        arguments: What it is called with.
        invocation_id: What the client waits for, or `None` if it does not.
        streams: Whether the client wants to receive or send a stream with it.
    """

    target: str
    arguments: tuple[object, ...] = field(repr=False)
    invocation_id: str | None
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """What became of an invocation.

    Args:
        invocation_id: The invocation's id.
        result: What the method returned; `None` for nothing.
        error: Why it failed, or `None` if it did not.
    """

    invocation_id: str
    result: object = field(default=None, repr=False)
    error: str | None = None


class HubProtocol(NamedTuple):
    """How messages are written: in JSON or in MessagePack.

    Args:
        content_type: Media type of a body.
        decode: Gives the fields of a message by the names that they have in JSON; raises
            `MessageError`.
        encode: Writes a completion as clients read it, with what parts it from the next message;
            raises `InvalidArgumentError` for a result that cannot be written.
    """

    content_type: str
    decode: Callable[[bytes], Mapping[str, object]]
    encode: Callable[[Completion], bytes]


def read_invocation(fields: Mapping[str, object]) -> Invocation:
    """Read the message of a client that calls a method.

    Args:
        fields: Fields of the message, by the names that they have in JSON.

    Raises:
        MessageError: It is another message, or a field is missing or wrong.
    """
    kind = fields.get("type")
    if kind not in (INVOCATION, _STREAM_INVOCATION):
        raise MessageError("The message is no invocation.")
    target, arguments = fields.get("target"), fields.get("arguments")
    invocation_id = fields.get("invocationId")
    if not isinstance(target, str):
        raise MessageError("The target of the invocation is no string.")
    if not isinstance(arguments, list):
        raise MessageError("The arguments of the invocation are no array.")
    if not isinstance(invocation_id, str | None):
        raise MessageError("The id of the invocation is no string.")
    streams = kind == _STREAM_INVOCATION or bool(fields.get("streamIds"))
    return Invocation(target, tuple(arguments), invocation_id, streams)


def close_error(fields: Mapping[str, object]) -> str | None:
    """Return why a client is gone, by the message that says so; `None` for an orderly end.

    Args:
        fields: Fields of the message. Microsoft's emulator begins their names with capitals.

    Raises:
        MessageError: The error is no string.
    """
    error = fields.get("error", fields.get("Error"))
    if not isinstance(error, str | None):
        raise MessageError("The error of the message is no string.")
    return error or None
