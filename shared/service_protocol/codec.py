"""Reads and writes messages by the declarations of their classes, and finds them in a stream.

Each stands behind its length, whatever WebSocket messages carry it. The length is a VarInt of five
bytes at most: seven bits in a byte, the lowest first.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast, get_args

from msgspec import NODEFAULT, Raw
from msgspec.msgpack import Encoder
from msgspec.structs import fields

from ..bodies.hub_messages import framed
from ..bodies.values import as_base
from ..errors import InvalidArgumentError, UnexpectedResponseError
from ..unwritable import UNWRITABLE, unwritable
from . import messages, requests, sends
from .fields import KNOWN_EXTENSIONS, Extension, Item, read_int
from .items import array_items, flat_map, is_container
from .messages import Message

__all__ = ["Frames", "read", "write"]

_MORE: Final = 0x80
_LONGEST_PREFIX: Final = 5
_LONGEST: Final = (1 << 31) - 1


class _Layout(NamedTuple):
    """Where the fields of a message stand.

    Args:
        message: Its class.
        number: Its first item.
        items: Its other items in turn, each with its field's name; `None` for the extensions.
        extensions_at: Where these stand; 0 if there are none.
        extensions: Those that it has, by their keys: name, kind, and what is not written.
        lengths: How many items there may be.
        values: Gives the values of the items' fields in their order.
        converted: Where those stand that are not written as they are, with names and kinds.
        has_rest: Whether the last one has items of the array itself.
    """

    message: type[Message]
    number: int
    items: tuple[tuple[str, Item] | None, ...]
    extensions_at: int
    extensions: dict[int, tuple[str, Extension, object]]
    lengths: tuple[int, ...]
    values: Callable[[Message], Sequence[object]]
    converted: tuple[tuple[int, str, Item], ...]
    has_rest: bool


_encode = Encoder(enc_hook=as_base).encode

_NO_EXTENSIONS: Final = b"\x80"

_UNREADABLE: Final = (ValueError, RecursionError)


def _layout(message: type[Message]) -> _Layout:
    items: list[tuple[str, Item] | None] = []
    extensions: dict[int, tuple[str, Extension, object]] = {}
    for each in fields(message):
        for kind in get_args(each.type):
            if isinstance(kind, Item):
                items.append((each.name, kind))
            elif isinstance(kind, Extension):
                absent = None if each.default is NODEFAULT else each.default
                extensions[kind.key] = each.name, kind, absent
    if message.extensions_at is not None:
        items.insert(message.extensions_at - 1 if message.extensions_at > 0 else len(items), None)
    ascending = dict(sorted(extensions.items()))
    lengths = message.lengths or (len(items) + 1,)
    named = [item for item in items if item]
    converted = ((at, *item) for at, item in enumerate(named, 1) if item[1].write)
    number = int(message.__struct_config__.tag or 0)
    return _Layout(
        message,
        number,
        tuple(items),
        items.index(None) + 1 if None in items else 0,
        ascending,
        lengths,
        _getter([name for name, _ in named]),
        tuple(converted),
        any(kind.is_rest for _, kind in named),
    )


def _getter(names: Sequence[str]) -> Callable[[Message], Sequence[object]]:
    # It returns a value for one name, and a tuple of them for more.
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda message: (get(message),)


def _rows() -> Iterator[type[Message]]:
    for each in {**vars(messages), **vars(sends), **vars(requests)}.values():
        # Without a number it is a part that rows have in common.
        if isinstance(each, type) and issubclass(each, Message) and each.__struct_config__.tag:
            yield each


_LAYOUTS: Final = {each: _layout(each) for each in _rows()}
_BY_NUMBER: Final = {each.number: each for each in _LAYOUTS.values()}


def write(message: Message) -> bytes:
    """Return a message as it goes over the wire, its length before it.

    Raises:
        InvalidArgumentError: A field has a value that no peer would read.
    """
    layout = _LAYOUTS[type(message)]
    values = layout.values(message)
    if None in values:
        _check_nil(layout, values)
    written: list[object] = [layout.number, *values]
    for at, name, kind in layout.converted:
        written[at] = _written(name, kind, written[at])
    if layout.extensions_at:
        written.insert(layout.extensions_at, _extensions(layout, message))
    elif layout.has_rest:
        written += cast("Sequence[object]", written.pop())
    try:
        return framed(_encode(written))
    except UNWRITABLE as error:
        raise _refusal(message, layout) from error


def _check_nil(layout: _Layout, values: Sequence[object]) -> None:
    named = (item for item in layout.items if item)
    for (name, kind), value in zip(named, values, strict=True):
        if value is None and not kind.nil:
            raise InvalidArgumentError(name, "must not be None")


def _extensions(layout: _Layout, message: Message) -> dict[int, object]:
    """Return those that are set: a peer would stumble over one that the message does not have."""
    return {
        key: _written(name, kind, value)
        for key, (name, kind, absent) in layout.extensions.items()
        if (value := getattr(message, name)) is not absent and value != absent
    }


def _written(name: str, kind: Item | Extension, value: object) -> object:
    try:
        return value if kind.write is None else kind.write(value)
    except UNWRITABLE as error:
        problem = str(error) if type(error) is ValueError else f"cannot be written: {_why(value)}"
        raise InvalidArgumentError(name, problem) from error


def _refusal(message: Message, layout: _Layout) -> InvalidArgumentError:
    names = [item[0] for item in layout.items if item]
    names += [name for name, _, _ in layout.extensions.values()]
    for name in names:
        try:
            _encode(getattr(message, name))
        except UNWRITABLE:
            return InvalidArgumentError(name, f"cannot be written: {_why(getattr(message, name))}")
    return InvalidArgumentError("message", "cannot be written")


def _why(value: object) -> str:
    return unwritable(value, _encode)


def read(body: bytes) -> Message | None:
    """Return the message of a body, or `None` if it is of a kind that nobody knows yet.

    Raises:
        UnexpectedResponseError: It is no message, or a field is not what it must be.
    """
    try:
        items = array_items(body)
        number = read_int(items[0]) if items else _no_number()
    except _UNREADABLE as error:
        raise UnexpectedResponseError(f"No message of the service protocol: {error}") from None
    layout = _BY_NUMBER.get(number)
    return None if layout is None else _read(layout, items)


def _no_number() -> int:
    raise ValueError("it is empty")


def _read(layout: _Layout, items: list[Raw]) -> Message:
    values: dict[str, Any] = {}
    at = 1
    for item in layout.items[: _length(layout, len(items)) - 1]:
        name = "extensions" if item is None else item[0]
        try:
            if item is None:
                at = _read_extensions(layout, items, at, values)
            elif item[1].is_rest:
                values[name] = item[1].read(items[at:])
            else:
                values[name] = item[1].read(items[at])
                at += 1
        except _UNREADABLE as error:
            raise _unreadable(layout, f"{name}: {error}") from None
    return layout.message(**values)


def _length(layout: _Layout, found: int) -> int:
    """Return how many of the items are read."""
    longest = layout.lengths[-1]
    if longest <= found:
        return longest
    for length in reversed(layout.lengths):
        if length <= found:
            return length
    raise _unreadable(layout, f"{found} items, and {layout.lengths[0]} are needed")


def _read_extensions(layout: _Layout, items: list[Raw], at: int, values: dict[str, Any]) -> int:
    """Read the map of extensions, and return where the item behind it stands.

    The items of the map are read as the peer's own library reads them: one pair after the other,
    but for a known key that the message does not have. Its value is taken for the next key, and
    what is left at the end for the items behind the map.
    """
    if bytes(items[at]) == _NO_EXTENSIONS:
        return at + 1
    count, flat = flat_map(items[at])
    items[at : at + 1] = array_items(flat)
    for _ in range(count):
        key = read_int(items[at])
        at += 1
        if key in layout.extensions:
            name, kind, _ = layout.extensions[key]
            values[name] = kind.read(items[at])
        elif key in KNOWN_EXTENSIONS:
            continue
        elif is_container(items[at]):
            raise ValueError("an unknown one must be no array and no map")
        at += 1
    return at


def _unreadable(layout: _Layout, problem: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(f"An unreadable {layout.message.__name__}: {problem}")


class Frames:
    """What has come, up to the first message that is not whole yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._enough = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what has come, and yield the bodies of the messages that are whole.

        Raises:
            UnexpectedResponseError: A length is longer than the protocol allows, so that nobody
                knows where the next message begins.
        """
        self._buffer += data
        # A long message comes in many pieces, and is looked at when it is there.
        if len(self._buffer) < self._enough:
            return
        at = 0
        buffer = bytes(self._buffer)
        try:
            while at < len(buffer):
                start, length = _prefix(buffer, at)
                self._enough = start + length - at
                if len(buffer) - at < self._enough:
                    return
                at = start + length
                yield buffer[start:at]
            self._enough = 1
        finally:
            del self._buffer[:at]


def _prefix(buffer: bytes, at: int) -> tuple[int, int]:
    """Return where a body begins, and its length; a prefix that is not whole asks for one more."""
    length = 0
    for index, byte in enumerate(buffer[at : at + _LONGEST_PREFIX]):
        length |= (byte & ~_MORE) << 7 * index
        if byte < _MORE:
            if length > _LONGEST:
                break
            return at + index + 1, length
    else:
        if len(buffer) - at < _LONGEST_PREFIX:
            return len(buffer), 1
    raise UnexpectedResponseError("A message of the service protocol is longer than 2 GB")
