"""The MessagePack hub protocol of SignalR: frames and messages, without I/O.

Source: HubProtocol.md of dotnet/aspnetcore. A message is an array whose first element is its type,
after its length in bytes as a VarInt: 7 bits a byte, the lowest first, at most 5 bytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

from ..documents.json_text import Json
from ..errors import JsonError, ProtocolError
from .conversion import packed
from .elements import Elements
from .messages import (
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Envelope,
    Invocation,
    Message,
    MessageType,
    Numbered,
    Ping,
    Received,
    ReceivedInvocation,
    ReceivedStreamItem,
    Sequence,
    StreamInvocation,
    StreamItem,
)
from .parts import elements as parts_of
from .parts import is_array

__all__ = [
    "FrameReader",
    "encode_invocation",
    "encode_messagepack",
    "framed",
    "open_envelope",
    "parse_messagepack",
    "with_invocation_id",
]

_MAX_PREFIX_BYTES = 5
_MORE = 0x80
_SEVEN_BITS = 0x7F
_INVOCATION_ID = 2
_ARGUMENTS = 4
_HEAD = 3
"""Elements that invocations and items have in common: type, headers and id."""

_ERROR, _VOID, _VALUE = 1, 2, 3
_NO_RESULT = "The client's result is nothing that JSON can hold."
_NO_HEADERS, _NO_STREAMS = b"\x80", b"\x90"


class FrameReader:
    """Cuts a client's bytes into messages, whatever the sizes in which they arrive.

    Args:
        max_bytes: The longest message.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes and give every message that they complete, without its length.

        Raises:
            ProtocolError: A length is malformed or too long.
        """
        self._buffer += data
        start = 0
        while (prefix := _read_length(self._buffer, start)) is not None:
            length, body = prefix
            if length > self._max_bytes:
                raise ProtocolError(f"A message is longer than {self._max_bytes} bytes.")
            if len(self._buffer) < body + length:
                break
            yield bytes(self._buffer[body : body + length])
            start = body + length
        del self._buffer[:start]


def encode_messagepack(message: Message) -> bytes:
    """Write a message after its length, its values as `conversion.packed` makes them.

    Raises:
        JsonError: An argument, item or result is nested too deep.
    """
    return _framed(_elements(message))


def parse_messagepack(record: bytes) -> Received | None:
    """Parse a message without its length.

    The result of a completion comes out as JSON has it: binary as base64, timestamps as RFC 3339
    text, NaN and infinities by their names. One that cannot is an error of this completion alone.

    Returns:
        The message, or None for a type that this version does not know: the protocol asks to
        ignore it.

    Raises:
        ProtocolError: The bytes are not a message, or lack what its type requires.
    """
    elements = Elements(record)
    kind = elements.integer("type")
    parse = _PARSERS.get(kind)
    return None if parse is None else parse(elements)


def encode_invocation(target: str, arguments: bytes) -> bytes:
    """Write an invocation of which nobody expects a completion, after its length.

    Args:
        target: The method.
        arguments: An array in MessagePack, which stays as it is.
    """
    head = [_pack(MessageType.INVOCATION), _NO_HEADERS, _pack(None)]
    return _framed([*head, _pack(target), arguments, _NO_STREAMS])


def open_envelope(framed: bytes) -> Envelope:
    """Look at an invocation or an item of a stream that stays as it is written.

    Args:
        framed: One message after its length.

    Raises:
        ProtocolError: It is something else, or lacks what its type requires.
    """
    elements = _split(framed)
    head = _unpacked(elements[:_HEAD])
    kind = _kind(head)
    if not isinstance(_at(head, 1, "headers"), dict):
        raise ProtocolError("The headers of a message are not a map.")
    if kind == MessageType.INVOCATION:
        called = [*head, *_unpacked(elements[_HEAD:_ARGUMENTS])]
        if not is_array(b"".join(elements[_ARGUMENTS : _ARGUMENTS + 1])):
            raise ProtocolError("The arguments of a message are not an array.")
        invocation_id = _optional_string(head, 2, "invocationId")
        return Envelope(MessageType.INVOCATION, invocation_id, _string(called, 3, "target"))
    if kind == MessageType.STREAM_ITEM:
        if len(elements) == _HEAD:
            raise ProtocolError("A message lacks its item.")
        return Envelope(MessageType.STREAM_ITEM, _string(head, 2, "invocationId"), None)
    raise ProtocolError("A message is neither an invocation nor an item of a stream.")


def with_invocation_id(framed: bytes, invocation_id: str) -> bytes:
    """Put an invocation id into a message, whose values stay as they are written.

    Args:
        framed: An invocation after its length.
        invocation_id: What it has from now on.
    """
    elements = _split(framed)
    elements[_INVOCATION_ID] = _pack(invocation_id)
    return _framed(elements)


def _split(framed: bytes) -> list[bytes]:
    """Give the elements of the one message after its length, each as it is written.

    Raises:
        ProtocolError: The bytes are something else.
    """
    prefix = _read_length(framed, 0)
    if prefix is None or sum(prefix) != len(framed):
        raise ProtocolError("A message does not have the length that stands before it.")
    try:
        return parts_of(framed[prefix[1] :])
    except ValueError as error:
        raise ProtocolError("A message is not an array in MessagePack.") from error


def _unpacked(elements: list[bytes]) -> list[Json]:
    try:
        return [msgpack.unpackb(each) for each in elements]
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise ProtocolError("A message is not valid MessagePack.") from error


def _read_length(buffer: bytes | bytearray, start: int) -> tuple[int, int] | None:
    """Give a length and where its message starts, or None if it is not complete yet."""
    length = 0
    for index in range(_MAX_PREFIX_BYTES):
        if start + index >= len(buffer):
            return None
        byte = buffer[start + index]
        length |= (byte & _SEVEN_BITS) << (7 * index)
        if not byte & _MORE:
            return length, start + index + 1
    raise ProtocolError(f"The length of a message has more than {_MAX_PREFIX_BYTES} bytes.")


def _length_prefix(length: int) -> bytes:
    prefix = bytearray()
    while length > _SEVEN_BITS:
        prefix.append(length & _SEVEN_BITS | _MORE)
        length >>= 7
    prefix.append(length)
    return bytes(prefix)


def framed(record: bytes) -> bytes:
    """Put its length before a message that is written."""
    return _length_prefix(len(record)) + record


def _framed(elements: list[bytes]) -> bytes:
    """Write an array of elements that are written, after its length."""
    return framed(b"".join((_header(len(elements)), *elements)))


def _header(length: int) -> bytes:
    """Write the beginning of an array."""
    header: bytes = msgpack.Packer().pack_array_header(length)
    return header


def _pack(value: str | int | None) -> bytes:
    written: bytes = msgpack.packb(value, unicode_errors="replace")
    return written


def _elements(message: Message) -> list[bytes]:  # noqa: PLR0911 - one case a message type
    match message:
        case Invocation():
            return _call(MessageType.INVOCATION, message)
        case StreamInvocation():
            return _call(MessageType.STREAM_INVOCATION, message)
        case StreamItem():
            return [*_about(MessageType.STREAM_ITEM, message), packed(message.item)]
        case Completion():
            return [*_about(MessageType.COMPLETION, message), *_outcome(message)]
        case CancelInvocation():
            return _about(MessageType.CANCEL_INVOCATION, message)
        case Ping():
            return [_pack(MessageType.PING)]
        case Close():
            return [*map(_pack, (MessageType.CLOSE, message.error, message.allow_reconnect))]
        case Ack():
            return [*map(_pack, (MessageType.ACK, message.sequence_id))]
        case Sequence():
            return [*map(_pack, (MessageType.SEQUENCE, message.sequence_id))]


def _call(kind: MessageType, message: Invocation | StreamInvocation) -> list[bytes]:
    arguments = packed(message.arguments)
    return [*_about(kind, message), _pack(message.target), arguments, _NO_STREAMS]


def _about(kind: MessageType, message: Numbered) -> list[bytes]:
    return [_pack(kind), _NO_HEADERS, _pack(message.invocation_id)]


def _outcome(completion: Completion) -> list[bytes]:
    if completion.error is not None:
        return [_pack(_ERROR), _pack(completion.error)]
    return (
        [_pack(_VOID)] if completion.result is None else [_pack(_VALUE), packed(completion.result)]
    )


def _kind(elements: list[Json]) -> int:
    kind = _at(elements, 0, "type")
    if not isinstance(kind, int) or isinstance(kind, bool):
        raise ProtocolError("A message needs a type, which is an integer.")
    return kind


def _at(elements: list[Json], index: int, name: str) -> Json:
    if index >= len(elements):
        raise ProtocolError(f"A message lacks its {name}.")
    return elements[index]


def _string(elements: list[Json], index: int, name: str) -> str:
    value = _at(elements, index, name)
    if not isinstance(value, str):
        raise ProtocolError(f"The {name} of a message is not a string.")
    return value


def _optional_string(elements: list[Json], index: int, name: str) -> str | None:
    return None if _at(elements, index, name) is None else _string(elements, index, name)


def _invocation(elements: Elements) -> ReceivedInvocation:
    elements.skip("headers")
    invocation_id = elements.optional_string("invocationId")
    target = elements.string("target")
    elements.require("arguments")
    return ReceivedInvocation(target, invocation_id)


def _stream_invocation(elements: Elements) -> ReceivedInvocation:
    invocation = _invocation(elements)
    if invocation.invocation_id is None:
        raise ProtocolError("The invocationId of a message is not a string.")
    return replace(invocation, is_stream=True)


def _stream_item(elements: Elements) -> ReceivedStreamItem:
    elements.skip("headers")
    invocation_id = elements.string("invocationId")
    elements.require("item")
    return ReceivedStreamItem(invocation_id)


def _completion(elements: Elements) -> Completion:
    elements.skip("headers")
    invocation_id = elements.string("invocationId")
    kind = elements.value("result kind")
    if kind == _ERROR:
        return Completion(invocation_id, error=elements.string("error"))
    if kind == _VOID:
        return Completion(invocation_id)
    if kind != _VALUE:
        raise ProtocolError("The result kind of a completion is not 1, 2 or 3.")
    try:
        return Completion(invocation_id, result=elements.result())
    except JsonError:
        return Completion(invocation_id, error=_NO_RESULT)


def _cancel_invocation(elements: Elements) -> CancelInvocation:
    elements.skip("headers")
    return CancelInvocation(elements.string("invocationId"))


def _close(elements: Elements) -> Close:
    return Close(elements.optional_string("error"), elements.flag("allowReconnect"))


def _sequence_id(elements: Elements) -> int:
    value = elements.integer("sequenceId")
    if value < 0:
        raise ProtocolError("The sequenceId of a message is not a number from 0.")
    return value


_PARSERS: dict[int, Callable[[Elements], Received]] = {
    MessageType.INVOCATION: _invocation,
    MessageType.STREAM_ITEM: _stream_item,
    MessageType.COMPLETION: _completion,
    MessageType.STREAM_INVOCATION: _stream_invocation,
    MessageType.CANCEL_INVOCATION: _cancel_invocation,
    MessageType.PING: lambda _elements: Ping(),
    MessageType.CLOSE: _close,
    MessageType.ACK: lambda elements: Ack(_sequence_id(elements)),
    MessageType.SEQUENCE: lambda elements: Sequence(_sequence_id(elements)),
}
