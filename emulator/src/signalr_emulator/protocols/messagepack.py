"""The MessagePack hub protocol of SignalR: frames and messages, without I/O.

Source: HubProtocol.md of dotnet/aspnetcore. A message is an array whose first element is its type,
after its length in bytes as a VarInt: 7 bits a byte, the lowest first, at most 5 bytes.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

from ..errors import JsonError, ProtocolError
from .elements import Elements
from .messages import (
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Message,
    MessageType,
    Ping,
    Received,
    ReceivedInvocation,
    ReceivedStreamItem,
    Sequence,
    StreamInvocation,
    StreamItem,
)

__all__ = ["FrameReader", "encode_messagepack", "parse_messagepack"]

_MAX_PREFIX_BYTES = 5
_MORE = 0x80
_SEVEN_BITS = 0x7F
_MIN_INT = -(2**63)
_MAX_INT = 2**64 - 1
_ERROR, _VOID, _VALUE = 1, 2, 3
_NO_RESULT = "The client's result is nothing that JSON can hold."


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
    """Write a message after its length.

    Integers that MessagePack cannot hold become doubles, as they do in JavaScript; a lone
    surrogate becomes a question mark.

    Raises:
        JsonError: An argument, item or result is nested too deep.
    """
    try:
        body = _packed(message)
    except (ValueError, RecursionError) as error:
        raise JsonError("is nested too deep for MessagePack") from error
    return _length_prefix(len(body)) + body


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


def _read_length(buffer: bytearray, start: int) -> tuple[int, int] | None:
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


def _packed(message: Message) -> bytes:
    elements = _elements(message)
    packed: bytes
    try:
        packed = msgpack.packb(elements, unicode_errors="replace")
    except OverflowError:
        # Rare enough that the values are looked through only after the failure.
        packed = msgpack.packb(_with_doubles(elements), unicode_errors="replace")
    return packed


def _elements(message: Message) -> list[Any]:  # noqa: PLR0911 - one case a message type
    match message:
        case Invocation():
            head = [int(MessageType.INVOCATION), {}, message.invocation_id, message.target]
            return [*head, message.arguments, []]
        case StreamInvocation():
            head = [int(MessageType.STREAM_INVOCATION), {}, message.invocation_id, message.target]
            return [*head, message.arguments, []]
        case StreamItem():
            return [int(MessageType.STREAM_ITEM), {}, message.invocation_id, message.item]
        case Completion():
            return [int(MessageType.COMPLETION), {}, message.invocation_id, *_outcome(message)]
        case CancelInvocation():
            return [int(MessageType.CANCEL_INVOCATION), {}, message.invocation_id]
        case Ping():
            return [int(MessageType.PING)]
        case Close():
            return [int(MessageType.CLOSE), message.error, message.allow_reconnect]
        case Ack():
            return [int(MessageType.ACK), message.sequence_id]
        case Sequence():
            return [int(MessageType.SEQUENCE), message.sequence_id]


def _outcome(completion: Completion) -> list[Any]:
    if completion.error is not None:
        return [_ERROR, completion.error]
    return [_VALUE, completion.result] if completion.has_result else [_VOID]


def _with_doubles(value: Any) -> Any:  # noqa: ANN401 - any value that JSON has
    match value:
        case list() | tuple():
            return [_with_doubles(item) for item in value]
        case dict():
            return {name: _with_doubles(item) for name, item in value.items()}
        case int() if not _MIN_INT <= value <= _MAX_INT:
            return _double(value)
        case _:
            return value


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


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
        return Completion(invocation_id, result=elements.result(), has_result=True)
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
