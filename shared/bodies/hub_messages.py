"""Messages written in each hub protocol, for clients of either.

Source: Azure SignalR .NET SDK, whose body of `application/octet-stream` is a map in MessagePack
from the name of a hub protocol to the message as that protocol writes it, framing included. The
messages are those of HubProtocol.md of dotnet/aspnetcore.
"""

from typing import Final

from .content import BINARY, Content, sized_content
from .values import as_json, as_messagepack

__all__ = ["RECORD_SEPARATOR", "framed", "invocation", "invocation_messages", "stream_item"]

RECORD_SEPARATOR: Final = b"\x1e"
"""What ends a message in JSON."""

_SEVEN_BITS: Final = 0x7F
_MORE: Final = 0x80
_SHORT: Final = range(0x80, 0x4000)
"""Lengths of two bytes, which most messages have."""

# The beginnings of the arrays that messages are, up to where they differ: [1, {}, id or nil,
# target, arguments, []] and [2, {}, id, item].
_INVOCATION: Final = b"\x96\x01\x80"
_STREAM_ITEM: Final = b"\x94\x02\x80"
_NO_STREAMS: Final = b"\x90"
_NIL: Final = b"\xc0"


def invocation(target: str, arguments_json: bytes, arguments_messagepack: bytes) -> Content:
    """Return the body that calls a handler of clients.

    Args:
        target: Name of the handler.
        arguments_json: What it is called with.
        arguments_messagepack: The same.

    Raises:
        InvalidArgumentError: The target cannot be written, or the body is longer than 1 MB.
    """
    messages = invocation_messages(target, arguments_json, arguments_messagepack)
    return _content("arguments", messages)


def invocation_messages(
    target: str,
    arguments_json: bytes,
    arguments_messagepack: bytes,
    *,
    invocation_id: str | None = None,
) -> dict[str, bytes]:
    """Return the message that calls a handler of clients, by the names of the hub protocols.

    Args:
        target: Name of the handler.
        arguments_json: What it is called with.
        arguments_messagepack: The same.
        invocation_id: Names the call for the client, who answers it then.

    Raises:
        InvalidArgumentError: The target cannot be written.
    """
    id_json, id_messagepack = b"", _NIL
    if invocation_id is not None:
        id_json = b'"invocationId":%b,' % as_json("", invocation_id)
        id_messagepack = as_messagepack("", invocation_id)
    name = as_json("target", target)
    return {
        "json": b'{"type":1,%b"target":%b,"arguments":%b}\x1e' % (id_json, name, arguments_json),
        "messagepack": framed(
            b"".join(
                (
                    _INVOCATION,
                    id_messagepack,
                    as_messagepack("target", target),
                    arguments_messagepack,
                    _NO_STREAMS,
                )
            )
        ),
    }


def stream_item(stream_id: str, item_json: bytes, item_messagepack: bytes) -> Content:
    """Return the body that gives a client the next item of a stream; otherwise as `invocation`."""
    named = as_json("stream_id", stream_id), item_json
    json = b'{"type":2,"invocationId":%b,"item":%b}' % named
    messagepack = _STREAM_ITEM + as_messagepack("stream_id", stream_id) + item_messagepack
    return _content("item", {"json": json + RECORD_SEPARATOR, "messagepack": framed(messagepack)})


def framed(message: bytes) -> bytes:
    """Return a message in MessagePack after its length.

    The length is a VarInt: seven bits in a byte, the lowest first.
    """
    length = len(message)
    if length in _SHORT:
        return bytes((length & _SEVEN_BITS | _MORE, length >> 7)) + message
    prefix = bytearray()
    while length > _SEVEN_BITS:
        prefix.append(length & _SEVEN_BITS | _MORE)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + message


def _content(argument: str, messages: dict[str, bytes]) -> Content:
    return sized_content(argument, as_messagepack(argument, messages), BINARY)
