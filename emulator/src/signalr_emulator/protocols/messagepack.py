"""The MessagePack hub protocol of SignalR: frames and messages, without I/O.

Source: HubProtocol.md of dotnet/aspnetcore. A message is an array whose first element is its type,
after its length in bytes as a VarInt: 7 bits a byte, the lowest first, at most 5 bytes.
"""

import base64
import math
from collections.abc import Callable, Iterator
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

from ..documents.json_text import Json
from ..errors import JsonError, ProtocolError
from .messages import (
    MAX_RECORD_BYTES,
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Message,
    MessageType,
    Ping,
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


class FrameReader:
    """Cuts a client's bytes into messages, whatever the sizes in which they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes and give every message that they complete, without its length.

        Raises:
            ProtocolError: A length is malformed or more than `MAX_RECORD_BYTES`.
        """
        self._buffer += data
        start = 0
        while (prefix := _read_length(self._buffer, start)) is not None:
            length, body = prefix
            if length > MAX_RECORD_BYTES:
                raise ProtocolError(f"A message is longer than {MAX_RECORD_BYTES} bytes.")
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


def parse_messagepack(record: bytes) -> Message | None:
    """Parse a message without its length.

    Values come out as JSON has them: binary as base64, timestamps as RFC 3339 text, NaN and
    infinities by their names.

    Returns:
        The message, or None for a type that this version does not know: the protocol asks to
        ignore it.

    Raises:
        ProtocolError: The bytes are not a message, or lack what its type requires.
    """
    try:
        value = _json(msgpack.unpackb(record, strict_map_key=False))
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        # The exception's own text would quote the input.
        raise ProtocolError("A message is not valid MessagePack.") from error
    if not isinstance(value, list) or not value:
        raise ProtocolError("A message is not an array that begins with its type.")
    kind = value[0]
    if not isinstance(kind, int) or isinstance(kind, bool):
        raise ProtocolError("A message needs a type, which is an integer.")
    parse = _PARSERS.get(kind)
    return None if parse is None else parse(value)


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


def _json(value: Any) -> Json:  # noqa: ANN401, PLR0911 - whatever MessagePack can hold
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _name(value)
        case list():
            return [_json(item) for item in value]
        case dict():
            return {str(name): _json(item) for name, item in value.items()}
        case bytes():
            return base64.b64encode(value).decode()
        case msgpack.Timestamp():
            return str(value.to_datetime().isoformat())
        case _:
            return base64.b64encode(bytes(value.data)).decode()


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


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


def _arguments(elements: list[Json]) -> tuple[Json, ...]:
    value = _at(elements, 4, "arguments")
    if not isinstance(value, list):
        raise ProtocolError("The arguments of a message are not an array.")
    return tuple(value)


def _invocation(elements: list[Json]) -> Invocation:
    return Invocation(
        target=_string(elements, 3, "target"),
        arguments=_arguments(elements),
        invocation_id=_optional_string(elements, 2, "invocationId"),
    )


def _stream_invocation(elements: list[Json]) -> StreamInvocation:
    return StreamInvocation(
        invocation_id=_string(elements, 2, "invocationId"),
        target=_string(elements, 3, "target"),
        arguments=_arguments(elements),
    )


def _stream_item(elements: list[Json]) -> StreamItem:
    return StreamItem(_string(elements, 2, "invocationId"), _at(elements, 3, "item"))


def _completion(elements: list[Json]) -> Completion:
    invocation_id = _string(elements, 2, "invocationId")
    kind = _at(elements, 3, "result kind")
    if kind == _ERROR:
        return Completion(invocation_id, error=_string(elements, 4, "error"))
    if kind == _VOID:
        return Completion(invocation_id)
    if kind == _VALUE:
        return Completion(invocation_id, result=_at(elements, 4, "result"), has_result=True)
    raise ProtocolError("The result kind of a completion is not 1, 2 or 3.")


def _cancel_invocation(elements: list[Json]) -> CancelInvocation:
    return CancelInvocation(_string(elements, 2, "invocationId"))


def _close(elements: list[Json]) -> Close:
    return Close(
        error=_optional_string(elements, 1, "error"),
        allow_reconnect=elements[2:3] == [True],
    )


def _sequence_id(elements: list[Json]) -> int:
    value = _at(elements, 1, "sequenceId")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ProtocolError("The sequenceId of a message is not a number from 0.")
    return value


_PARSERS: dict[int, Callable[[list[Json]], Message]] = {
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
