"""Reads and writes messages by the declarations of their classes.

Each stands on the wire behind its length, as a message of the MessagePack hub protocol does, and
whatever WebSocket messages carry it: `FrameReader` of `protocols` cuts them out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any, Final

from msgspec import Raw
from msgspec.msgpack import Decoder, encode

from ..errors import ServiceMessageError
from ..protocols.formats import Kind, kind_of
from ..protocols.messagepack import FrameReader, framed
from ..protocols.messages import MAX_RECORD_BYTES
from ..protocols.parts import map_values, values
from . import messages, requests, sends  # noqa: F401  their import fills the table
from .fields import KNOWN_EXTENSIONS, optional_text, read_int32, read_optional_text
from .messages import Ping
from .table import BY_NUMBER, LAYOUTS, Layout, Message

__all__ = ["MAX_MESSAGE_BYTES", "message_reader", "read", "write"]

MAX_MESSAGE_BYTES: Final = 4 * MAX_RECORD_BYTES
"""A hub message of the longest in each of the three hub protocols, and those whom it is for."""

_PING: Final = 3
_NO_EXTENSIONS: Final = Raw(b"\x80")
_CONTAINERS: Final = (Kind.ARRAY, Kind.MAP)

_UNREADABLE: Final = (ValueError, StopIteration)


type _Usual = tuple[Layout, Callable[[bytes], tuple[Any, ...]]]


def _usual() -> Iterator[tuple[bytes, _Usual]]:
    for layout in LAYOUTS.values():
        types = [Raw if kind is None else kind.usual for _, kind in layout.items]
        if None not in types and types[-1:] == [Raw]:
            head = encode([layout.number, *([None] * len(types))])[:2]
            items: Any = tuple[int, *types]  # type: ignore[valid-type]  # known when it runs
            yield head, (layout, Decoder(items).decode)


_USUAL: Final = dict(_usual())
"""How messages are read at once that come in earnest: whole, and of the usual types.

The keys are the bytes with which they begin: of their length and their number.
"""


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
    items: list[object] = [layout.number]
    name = "texts"
    try:
        if isinstance(message, Ping):
            items += map(optional_text, message.texts)
        for name, kind in layout.items:
            if kind is None:
                items.append(_extensions(layout, message))
            else:
                items.append(kind.write(getattr(message, name)))
    except ValueError as error:
        raise _refusal(layout.message, name, error) from None
    try:
        return framed(encode(items))
    except UnicodeEncodeError as error:
        raise _refusal(layout.message, _unwritable(message), error) from None


def _extensions(layout: Layout, message: Message) -> dict[int, object]:
    """Give those that are set: a peer would stumble over one that the message does not have."""
    extensions: dict[int, object] = {}
    if layout.extended(message) == layout.plain:
        return extensions
    for key, (name, kind, absent) in layout.extensions.items():
        value = getattr(message, name)
        if value is None or value == absent:
            continue
        try:
            extensions[key] = kind.write(value)
        except ValueError as error:
            raise _refusal(layout.message, name, error) from None
    return extensions


def _unwritable(message: Any) -> str:  # noqa: ANN401  `row` makes a dataclass of each
    """Return the name of the field that has half a character."""
    for each in fields(message):
        try:
            encode(getattr(message, each.name))
        except UnicodeEncodeError:
            return each.name
    return "message"


def read(body: bytes) -> Message | None:
    """Return the message of a body, or `None` if it is of a kind that nobody knows yet.

    Raises:
        ServiceMessageError: It is no message, or an item is not what it must be. The connection
            can go on.
    """
    usual = _USUAL.get(body[:2])
    message = None if usual is None else _read_usual(usual, body)
    return message or _read_any(body)


def _read_usual(usual: _Usual, body: bytes) -> Message | None:
    """Read a message at once, or nothing, if it may be unusual or wrong."""
    layout, decode = usual
    extensions: dict[str, Any] = {}
    try:
        items = decode(body)
        if items[-1] != _NO_EXTENSIONS:
            _read_extensions(layout, items[-1], iter(()), extensions)
    except (*_UNREADABLE, RecursionError):
        return None
    return _made(layout, items[1:-1], extensions)


def _read_any(body: bytes) -> Message | None:
    try:
        count, items = values(body)
        first = next(items)
    except _UNREADABLE as error:
        raise ServiceMessageError("Message", "type", "must stand first in an array") from error
    try:
        number = read_int32(first)
    except ValueError as error:
        raise _refusal(Message, "type", error) from None
    layout = BY_NUMBER.get(number)
    return None if layout is None else _read(layout, items, count)


def _read(layout: Layout, items: Iterator[Raw], count: int) -> Message:
    if layout.number == _PING:
        return _read_ping(items)
    given: list[Any] = []
    extensions: dict[str, Any] = {}
    name = "items"
    try:
        for name, kind in layout.items[: _length(layout, count) - 1]:  # noqa: B007  an error says its name
            item = next(items)
            if kind is not None:
                given.append(kind.read(item))
            elif item != _NO_EXTENSIONS:
                items = _read_extensions(layout, item, items, extensions)
    except _UNREADABLE as error:
        raise _refusal(layout.message, name, error) from None
    return _made(layout, given, extensions)


def _made(layout: Layout, given: Sequence[Any], extensions: dict[str, Any]) -> Message:
    message = layout.message(*given)
    for name, value in extensions.items():
        setattr(message, name, value)
    return message


def _read_ping(items: Iterator[Raw]) -> Ping:
    try:
        return Ping(tuple(map(read_optional_text, items)))
    except ValueError as error:
        raise _refusal(Ping, "texts", error) from None


def _length(layout: Layout, found: int) -> int:
    """Return how many of the items are read."""
    for length in layout.lengths:
        if length <= found:
            return length
    raise ValueError(f"must be {layout.lengths[-1]} or more, and are {found}")


def _read_extensions(
    layout: Layout, packed: Raw, behind: Iterator[Raw], extensions: dict[str, Any]
) -> Iterator[Raw]:
    """Read the map of extensions, and return the items behind it.

    The items of the map are read as the package reads them: one pair after the other, but for a
    known key that the message does not have. Its value is taken for the next key, and what is left
    at the end for the items behind the map.
    """
    count, flat = map_values(bytes(packed))
    items = chain(flat, behind)
    for _ in range(count):
        key = read_int32(next(items))
        if key in layout.extensions:
            name, kind, _absent = layout.extensions[key]
            extensions[name] = kind.read(next(items))
        elif key not in KNOWN_EXTENSIONS and kind_of(next(items)) in _CONTAINERS:
            raise ValueError("must not have an array or a map")
    return items


def _refusal(message: type[Message], name: str, error: Exception) -> ServiceMessageError:
    if isinstance(error, UnicodeEncodeError):
        return ServiceMessageError(message.__name__, name, "must not have half a character")
    if isinstance(error, StopIteration):
        return ServiceMessageError(message.__name__, name, "ends too early")
    return ServiceMessageError(message.__name__, name, str(error))
