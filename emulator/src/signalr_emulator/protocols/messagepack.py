"""The MessagePack hub protocol of SignalR: frames and messages, without I/O.

Source: HubProtocol.md of dotnet/aspnetcore. A message is an array whose first element is its type,
after its length in bytes as a VarInt: 7 bits a byte, the lowest first, at most 5 bytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from msgspec import Raw, ValidationError
from msgspec.msgpack import Decoder

from ..errors import JsonError, ProtocolError
from .conversion import packed
from .elements import Elements
from .formats import Kind, kind_of
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
from .values import integer, write

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
_HEADERS = 1
_INVOCATION_ID = 2
_TARGET = _ITEM = 3
_ARGUMENTS = 4

_ERROR, _VOID, _VALUE = 1, 2, 3
_NO_RESULT = "The client's result is nothing that JSON can hold."
_INVALID = "A message is not valid MessagePack."

_headers = Decoder(dict[str, object]).decode
_text: Callable[[Raw], str | None] = Decoder(str | None).decode


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
    return framed(write(_elements(message)))


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
    return framed(write([MessageType.INVOCATION, {}, None, target, Raw(arguments), []]))


def open_envelope(message: bytes) -> Envelope:
    """Look at an invocation or an item of a stream that stays as it is written.

    Args:
        message: One message after its length.

    Raises:
        ProtocolError: It is something else, or lacks what its type requires.
    """
    elements = _split(message)
    kind = _kind(elements)
    if kind_of(_at(elements, _HEADERS, "headers")) is not Kind.MAP:
        raise ProtocolError("The headers of a message are not a map.")
    try:
        _headers(elements[_HEADERS])
    except (ValueError, RecursionError) as error:
        raise ProtocolError(_INVALID) from error
    if kind == MessageType.INVOCATION:
        invocation_id = _optional_string(elements, _INVOCATION_ID, "invocationId")
        target = _string(elements, _TARGET, "target")
        if kind_of(_at(elements, _ARGUMENTS, "arguments")) is not Kind.ARRAY:
            raise ProtocolError("The arguments of a message are not an array.")
        return Envelope(MessageType.INVOCATION, invocation_id, target)
    if kind == MessageType.STREAM_ITEM:
        stream = _string(elements, _INVOCATION_ID, "invocationId")
        _at(elements, _ITEM, "item")
        return Envelope(MessageType.STREAM_ITEM, stream, None)
    raise ProtocolError("A message is neither an invocation nor an item of a stream.")


def with_invocation_id(message: bytes, invocation_id: str) -> bytes:
    """Put an invocation id into a message, whose values stay as they are written.

    Args:
        message: An invocation after its length.
        invocation_id: What it has from now on.
    """
    elements: list[object] = [*_split(message)]
    elements[_INVOCATION_ID] = invocation_id
    return framed(write(elements))


def _split(message: bytes) -> list[Raw]:
    """Give the elements of the one message after its length, each as it is written.

    Raises:
        ProtocolError: The bytes are something else.
    """
    prefix = _read_length(message, 0)
    if prefix is None or sum(prefix) != len(message):
        raise ProtocolError("A message does not have the length that stands before it.")
    try:
        return parts_of(message[prefix[1] :])
    except ValueError as error:
        raise ProtocolError("A message is not an array in MessagePack.") from error


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
    if length < _MORE:
        return length.to_bytes()
    return (length & _SEVEN_BITS | _MORE).to_bytes() + _length_prefix(length >> 7)


def framed(record: bytes) -> bytes:
    """Put its length before a message that is written."""
    return _length_prefix(len(record)) + record


def _elements(message: Message) -> list[object]:  # noqa: PLR0911 - one case a message type
    match message:
        case Invocation():
            return _call(MessageType.INVOCATION, message)
        case StreamInvocation():
            return _call(MessageType.STREAM_INVOCATION, message)
        case StreamItem():
            return [*_about(MessageType.STREAM_ITEM, message), Raw(packed(message.item))]
        case Completion():
            return [*_about(MessageType.COMPLETION, message), *_outcome(message)]
        case CancelInvocation():
            return _about(MessageType.CANCEL_INVOCATION, message)
        case Ping():
            return [MessageType.PING]
        case Close():
            return [MessageType.CLOSE, message.error, message.allow_reconnect]
        case Ack():
            return [MessageType.ACK, message.sequence_id]
        case Sequence():
            return [MessageType.SEQUENCE, message.sequence_id]


def _call(kind: MessageType, message: Invocation | StreamInvocation) -> list[object]:
    return [*_about(kind, message), message.target, Raw(packed(message.arguments)), []]


def _about(kind: MessageType, message: Numbered) -> list[object]:
    return [kind, {}, message.invocation_id]


def _outcome(completion: Completion) -> list[object]:
    if completion.error is not None:
        return [_ERROR, completion.error]
    return [_VOID] if completion.result is None else [_VALUE, Raw(packed(completion.result))]


def _kind(elements: list[Raw]) -> int:
    kind = integer(_at(elements, 0, "type"))
    if kind is None:
        raise ProtocolError("A message needs a type, which is an integer.")
    return kind


def _at(elements: list[Raw], index: int, name: str) -> Raw:
    if index >= len(elements):
        raise ProtocolError(f"A message lacks its {name}.")
    return elements[index]


def _string(elements: list[Raw], index: int, name: str) -> str:
    value = _optional_string(elements, index, name)
    if value is None:
        raise ProtocolError(f"The {name} of a message is not a string.")
    return value


def _optional_string(elements: list[Raw], index: int, name: str) -> str | None:
    try:
        return _text(_at(elements, index, name))
    except ValidationError as error:
        raise ProtocolError(f"The {name} of a message is not a string.") from error
    except ValueError as error:
        raise ProtocolError(_INVALID) from error


def _invocation(elements: Elements) -> ReceivedInvocation:
    elements.element("headers")
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
    elements.element("headers")
    invocation_id = elements.string("invocationId")
    elements.require("item")
    return ReceivedStreamItem(invocation_id)


def _completion(elements: Elements) -> Completion:
    elements.element("headers")
    invocation_id = elements.string("invocationId")
    kind = integer(elements.element("result kind"))
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
    elements.element("headers")
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
