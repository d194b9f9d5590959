"""Messages of the SignalR hub protocol that a serverless hub receives and sends.

Source: HubProtocol.md of dotnet/aspnetcore; "Upstream endpoints in Azure SignalR Service" for the
message that a client is gone, which has a type of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from msgspec import Raw

from ..events.arguments import Read

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
        arguments: What it is called with, as it is written.
        invocation_id: What the client waits for, or `None` if it does not.
        streams: Whether the client wants to receive or send a stream with it.
    """

    target: str
    arguments: tuple[Raw, ...] = field(repr=False)
    invocation_id: str | None
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """What became of an invocation.

    Args:
        invocation_id: The invocation's id.
        result: What the method returned. The client gets `null` for `None`, as of ASP.NET Core
            from a method that returns nothing too: `InvokeAsync<T>` of .NET fails without it.
        error: Why it failed, or `None` if it did not.
    """

    invocation_id: str
    result: object = field(default=None, repr=False)
    error: str | None = None


class HubProtocol(NamedTuple):
    """How messages are written: in JSON or in MessagePack.

    Args:
        content_type: Media type of a body.
        decode: Gives the fields of a message, as they are written, by the names that they have in
            JSON; raises `MessageError`.
        read: Gives what is written as a type: a field, or an argument.
        encode: Writes a completion as clients read it, with what parts it from the next message;
            raises `InvalidArgumentError` for a result that cannot be written.
    """

    content_type: str
    decode: Callable[[bytes], Mapping[str, Raw]]
    read: Read
    encode: Callable[[Completion], bytes]


def read_invocation(protocol: HubProtocol, body: bytes) -> Invocation:
    """Read the message of a client that calls a method.

    The arguments stay as they are written, so that one that cannot be read is no fault of the
    message, and a number has every digit for a handler that takes them.

    Args:
        protocol: How it is written.
        body: The message.

    Raises:
        MessageError: It is another message, or a field is missing or wrong.
    """
    fields = protocol.decode(body)

    def field(name: str, wanted: Any, problem: str) -> Any:  # noqa: ANN401  what the type says
        try:
            return protocol.read(fields[name], wanted)
        except (KeyError, ValueError):
            raise MessageError(problem) from None

    kind = field("type", int, "The message is no invocation.")
    if kind not in (INVOCATION, _STREAM_INVOCATION):
        raise MessageError("The message is no invocation.")
    target = field("target", str, "The target of the invocation is no string.")
    arguments = field("arguments", list[Raw], "The arguments of the invocation are no array.")
    invocation_id: str | None = None
    if "invocationId" in fields:
        problem = "The id of the invocation is no string."
        invocation_id = field("invocationId", str | None, problem)
    streams = kind == _STREAM_INVOCATION
    if "streamIds" in fields:
        problem = "The ids of the invocation's streams are no array."
        streams = streams or bool(field("streamIds", list[Raw] | None, problem))
    return Invocation(target, tuple(arguments), invocation_id, streams)


def close_error(protocol: HubProtocol, body: bytes) -> str | None:
    """Return why a client is gone, by the message that says so; `None` for an orderly end.

    Args:
        protocol: How it is written.
        body: The message. Microsoft's emulator begins the names of its fields with capitals.

    Raises:
        MessageError: The error is no string.
    """
    fields = protocol.decode(body)
    written = fields.get("error", fields.get("Error"))
    if written is None:
        return None
    try:
        error: str | None = protocol.read(written, str | None)
    except ValueError:
        raise MessageError("The error of the message is no string.") from None
    return error or None
