"""Reads and writes messages by the declarations of their classes.

Each stands on the wire behind its length, as a message of the MessagePack hub protocol does, and
whatever WebSocket messages carry it: `FrameReader` of `protocols` cuts them out.
"""

from typing import Any, Final

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

from ..errors import ServiceMessageError
from ..protocols.messagepack import FrameReader, framed
from ..protocols.messages import MAX_RECORD_BYTES
from . import messages, requests, sends  # noqa: F401  their import fills the table
from .fields import (
    KNOWN_EXTENSIONS,
    int32,
    packed_int,
    packed_length,
    packed_map_length,
    packed_optional_text,
    read_optional_text,
)
from .messages import Ping
from .table import BY_NUMBER, LAYOUTS, Layout, Message

__all__ = ["MAX_MESSAGE_BYTES", "message_reader", "read", "write"]

MAX_MESSAGE_BYTES: Final = 4 * MAX_RECORD_BYTES
"""A hub message of the longest in each of the three hub protocols, and those whom it is for."""

_PING: Final = 3
_NO_EXTENSIONS: Final = b"\x80"
_NOTHING: Final = ()
_CONTAINERS: Final = (list, tuple)
_FOREIGN: Final = object()
"""What stands for a value of a kind that no field has."""

_UNREADABLE: Final = (ValueError, IndexError, msgpack.UnpackException)


def message_reader(max_bytes: int = MAX_MESSAGE_BYTES) -> FrameReader:
    """Make what cuts the bytes of a server connection into the bodies of messages.

    Its `ProtocolError` is the end of the connection: nobody knows where the next message begins.

    Args:
        max_bytes: The longest body. The protocol allows 2 GB, which a peer could make us wait for.
    """
    return FrameReader(max_bytes)


def write(message: Message) -> bytes:
    """Return a message as it goes over the wire, behind its length.

    Raises:
        ServiceMessageError: A field has a value that no peer would read.
    """
    layout = LAYOUTS[type(message)]
    if isinstance(message, Ping):
        return framed(_packed_ping(message))
    parts, name = [layout.head], ""
    try:
        for name, kind in layout.items:
            if kind is None:
                parts.append(_packed_extensions(layout, message))
            else:
                parts.append(kind.write(getattr(message, name)))
    except ValueError as error:
        raise _refusal(layout.message, name, error) from None
    return framed(b"".join(parts))


def _packed_ping(ping: Ping) -> bytes:
    """Write a ping, whose texts stand in its own array."""
    parts = [packed_length(1 + len(ping.texts)), packed_int(_PING)]
    try:
        parts += map(packed_optional_text, ping.texts)
    except ValueError as error:
        raise _refusal(Ping, "texts", error) from None
    return b"".join(parts)


def _packed_extensions(layout: Layout, message: Message) -> bytes:
    """Write those that are set: a peer would stumble over one that the message does not have."""
    parts: list[bytes] = []
    for key, (name, kind, absent) in layout.extensions.items():
        value = getattr(message, name)
        if value is None or value == absent:
            continue
        try:
            parts.append(packed_int(key) + kind.write(value))
        except ValueError as error:
            raise _refusal(layout.message, name, error) from None
    return packed_map_length(len(parts)) + b"".join(parts) if parts else _NO_EXTENSIONS


def read(body: bytes) -> Message | None:
    """Return the message of a body, or `None` if it is of a kind that nobody knows yet.

    Raises:
        ServiceMessageError: It is no message, or an item is not what it must be. The connection
            can go on.
    """
    try:
        items = _items(body)
        number = int32(items[0])
    except _UNREADABLE as error:
        raise _refusal(Message, "type", error) from None
    layout = BY_NUMBER.get(number)
    return None if layout is None else _read(layout, items)


def _items(body: bytes) -> list[Any]:
    """Return the items of an array. What stands behind the array does not count."""
    try:
        items = msgpack.unpackb(
            body,
            object_pairs_hook=tuple,
            unicode_errors="surrogateescape",
            ext_hook=_foreign,
            strict_map_key=False,
        )
    except msgpack.ExtraData as error:
        items = error.unpacked
    if type(items) is not list or not items:
        raise ValueError("must stand first in an array")
    return items


def _foreign(_code: int, _data: bytes) -> object:
    return _FOREIGN


def _read(layout: Layout, items: list[Any]) -> Message:
    if layout.number == _PING:
        return _read_ping(items)
    values: list[Any] = []
    extensions: dict[str, Any] = {}
    at, name = 1, "items"
    try:
        count = _length(layout, len(items))
        for name, kind in layout.items[: count - 1]:  # noqa: B007  an error says its name
            if kind is not None:
                values.append(kind.read(items[at]))
                at += 1
            elif items[at] == _NOTHING:
                at += 1
            else:
                at = _read_extensions(layout, items, at, extensions)
    except _UNREADABLE as error:
        raise _refusal(layout.message, name, error) from None
    message = layout.message(*values)
    for name, value in extensions.items():
        setattr(message, name, value)
    return message


def _read_ping(items: list[Any]) -> Ping:
    try:
        return Ping(tuple(map(read_optional_text, items[1:])))
    except ValueError as error:
        raise _refusal(Ping, "texts", error) from None


def _length(layout: Layout, found: int) -> int:
    """Return how many of the items are read."""
    for length in layout.lengths:
        if length <= found:
            return length
    raise ValueError(f"must be {layout.lengths[-1]} or more, and are {found}")


def _read_extensions(layout: Layout, items: list[Any], at: int, extensions: dict[str, Any]) -> int:
    """Read the map of extensions, and return where the item behind it stands.

    The items of the map are read as the package reads them: one pair after the other, but for a
    known key that the message does not have. Its value is taken for the next key, and what is left
    at the end for the items behind the map.
    """
    pairs = items[at]
    if type(pairs) is not tuple:
        raise ValueError("must be a map")
    items[at : at + 1] = [each for pair in pairs for each in pair]
    for _ in pairs:
        key = int32(items[at])
        at += 1
        if key in layout.extensions:
            name, kind, _absent = layout.extensions[key]
            extensions[name] = kind.read(items[at])
        elif key in KNOWN_EXTENSIONS:
            continue
        elif type(items[at]) in _CONTAINERS:
            raise ValueError("must not have an array or a map")
        at += 1
    return at


def _refusal(message: type[Message], name: str, error: Exception) -> ServiceMessageError:
    if isinstance(error, UnicodeEncodeError):
        return ServiceMessageError(message.__name__, name, "must not have half a character")
    if isinstance(error, IndexError):
        return ServiceMessageError(message.__name__, name, "ends too early")
    return ServiceMessageError(message.__name__, name, str(error) or type(error).__name__)
