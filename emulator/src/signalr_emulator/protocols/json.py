"""The JSON hub protocol of SignalR: records and the handshake, without I/O.

Source: HubProtocol.md of dotnet/aspnetcore. A record is JSON text that ends with the byte 0x1E;
one WebSocket frame holds any number of records, and a record may span frames. The handshake is
JSON whatever protocol it agrees on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..documents.json_text import Json, decode, encode
from ..documents.verbatim import JsonText, members, skim
from ..errors import JsonError, ProtocolError
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

__all__ = [
    "SEPARATOR",
    "HandshakeRequest",
    "RecordReader",
    "encode_handshake",
    "encode_message",
    "framed",
    "open_envelope",
    "parse_handshake",
    "parse_message",
    "with_invocation_id",
]

SEPARATOR = b"\x1e"

_NULL = b"null"

type _Fields = Mapping[str, JsonText]


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """What a client wants to speak: `json` or `messagepack`, and the version of the protocol."""

    protocol: str
    version: int


class RecordReader:
    """Cuts a client's bytes into records, whatever the sizes in which they arrive.

    Args:
        max_bytes: The longest record.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes and give every record that they complete, without its separator.

        Raises:
            ProtocolError: A record is too long.
        """
        self._buffer += data
        start = 0
        while (end := self._buffer.find(SEPARATOR, max(start, self._searched))) >= 0:
            self._check_length(end - start)
            yield bytes(self._buffer[start:end])
            start = end + 1
        del self._buffer[:start]
        self._searched = len(self._buffer)
        self._check_length(len(self._buffer))

    def _check_length(self, length: int) -> None:
        if length > self._max_bytes:
            raise ProtocolError(f"A message is longer than {self._max_bytes} bytes.")


def parse_handshake(record: bytes) -> HandshakeRequest:
    """Parse the first record of a connection.

    Raises:
        ProtocolError: The record is not a handshake request.
    """
    fields = _members(record)
    version = _integer(fields, "version")
    if version is None:
        raise ProtocolError("The handshake needs a version, which is an integer.")
    return HandshakeRequest(protocol=_string(fields, "protocol"), version=version)


def parse_message(record: bytes) -> Received | None:
    """Parse a record that comes after the handshake.

    Returns:
        The message, or None for a type that this version does not know: the protocol asks to
        ignore it.

    Raises:
        ProtocolError: The record is not a message, or lacks what its type requires.
    """
    fields = _members(record)
    kind = _integer(fields, "type")
    if kind is None:
        raise ProtocolError("A message needs a type, which is an integer.")
    parse = _PARSERS.get(kind)
    return None if parse is None else parse(fields)


def encode_handshake(error: str | None) -> bytes:
    """Write the answer to a handshake, separator included.

    Args:
        error: Why the handshake is refused; None if it is not.
    """
    return _record(_text("error", error))


def encode_message(message: Message) -> bytes:
    """Write a message as one record, separator included; absent properties are left out."""
    return _record(_fields(message))


def open_envelope(framed: bytes) -> Envelope:
    """Look at an invocation or an item of a stream that stays as it is written.

    Args:
        framed: One record with its separator.

    Raises:
        ProtocolError: It is something else, or lacks what its type requires.
    """
    if not framed.endswith(SEPARATOR):
        raise ProtocolError("A message does not end with the separator of records.")
    try:
        message = skim(framed[:-1])
    except JsonError as error:
        raise ProtocolError(f"A message {error}.") from error
    match message:
        case {"type": float() as kind, "target": str() as target, "arguments": list(), **others}:
            invocation_id = others.get("invocationId")
            if kind == MessageType.INVOCATION and isinstance(invocation_id, str | None):
                return Envelope(MessageType.INVOCATION, invocation_id, target)
        case {"type": float() as kind, "invocationId": str() as stream, "item": _}:
            if kind == MessageType.STREAM_ITEM:
                return Envelope(MessageType.STREAM_ITEM, stream, None)
    raise ProtocolError(
        "A message is neither an invocation with a target and arguments nor an item of a stream."
    )


def with_invocation_id(record: bytes, invocation_id: str) -> bytes:
    """Put an invocation id into a record, whose values stay as they are written.

    Args:
        record: An invocation, separator included.
        invocation_id: What it has from now on.
    """
    fields = members(record.removesuffix(SEPARATOR))
    identified = {"type": fields["type"], "invocationId": encode(invocation_id)}
    return _record({**identified, **{n: v for n, v in fields.items() if n not in identified}})


def framed(record: bytes) -> bytes:
    """Put the separator after a record that is written."""
    return record + SEPARATOR


def _record(fields: Mapping[str, bytes]) -> bytes:
    written = b",".join(encode(name) + b":" + value for name, value in fields.items())
    return framed(b"{" + written + b"}")


def _fields(message: Message) -> dict[str, bytes]:  # noqa: PLR0911 - one case a message type
    match message:
        case Invocation():
            return _call(MessageType.INVOCATION, message)
        case StreamInvocation():
            return _call(MessageType.STREAM_INVOCATION, message)
        case StreamItem():
            return {**_about(MessageType.STREAM_ITEM, message), "item": message.item}
        case Completion():
            return {**_about(MessageType.COMPLETION, message), **_outcome(message)}
        case CancelInvocation():
            return _about(MessageType.CANCEL_INVOCATION, message)
        case Ping():
            return _number("type", MessageType.PING)
        case Close():
            reconnect = {"allowReconnect": b"true"} if message.allow_reconnect else {}
            return {
                **_number("type", MessageType.CLOSE),
                **_text("error", message.error),
                **reconnect,
            }
        case Ack():
            return _sequence(MessageType.ACK, message.sequence_id)
        case Sequence():
            return _sequence(MessageType.SEQUENCE, message.sequence_id)


def _call(kind: MessageType, message: Invocation | StreamInvocation) -> dict[str, bytes]:
    return {
        **_about(kind, message),
        **_text("target", message.target),
        "arguments": message.arguments,
    }


def _about(kind: MessageType, message: Numbered) -> dict[str, bytes]:
    return {**_number("type", kind), **_text("invocationId", message.invocation_id)}


def _sequence(kind: MessageType, sequence_id: int) -> dict[str, bytes]:
    return {**_number("type", kind), **_number("sequenceId", sequence_id)}


def _outcome(completion: Completion) -> dict[str, bytes]:
    if completion.error is not None:
        return _text("error", completion.error)
    return {} if completion.result is None else {"result": completion.result}


def _text(name: str, value: str | None) -> dict[str, bytes]:
    return {} if value is None else {name: encode(value)}


def _number(name: str, value: int) -> dict[str, bytes]:
    return {name: b"%d" % value}


def _members(record: bytes) -> dict[str, JsonText]:
    try:
        return members(record)
    except JsonError as error:
        raise ProtocolError(f"A message {error}.") from error


def _present(fields: _Fields, name: str) -> JsonText:
    if name not in fields:
        raise ProtocolError(f"A message lacks its {name}.")
    return fields[name]


def _value(fields: _Fields, name: str) -> Json:
    try:
        return decode(_present(fields, name))
    except JsonError as error:
        raise ProtocolError(f"The {name} of a message {error}.") from error


def _string(fields: _Fields, name: str) -> str:
    value = _value(fields, name)
    if not isinstance(value, str):
        raise ProtocolError(f"The {name} of a message is not a string.")
    return value


def _optional_string(fields: _Fields, name: str) -> str | None:
    return None if fields.get(name, _NULL) == _NULL else _string(fields, name)


def _integer(fields: _Fields, name: str) -> int | None:
    """Give an integer, or None for anything else."""
    value = _value(fields, name) if name in fields else None
    # True is an int in Python, not in JSON.
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _invocation(fields: _Fields) -> ReceivedInvocation:
    target = _string(fields, "target")
    if not _present(fields, "arguments").startswith(b"["):
        raise ProtocolError("The arguments of a message are not an array.")
    return ReceivedInvocation(target, _optional_string(fields, "invocationId"))


def _stream_invocation(fields: _Fields) -> ReceivedInvocation:
    _string(fields, "invocationId")
    return replace(_invocation(fields), is_stream=True)


def _stream_item(fields: _Fields) -> ReceivedStreamItem:
    _present(fields, "item")
    return ReceivedStreamItem(_string(fields, "invocationId"))


def _completion(fields: _Fields) -> Completion:
    error, result = _optional_string(fields, "error"), fields.get("result")
    if error is not None and result is not None:
        raise ProtocolError("A completion has both a result and an error.")
    return Completion(_string(fields, "invocationId"), result, error)


def _cancel_invocation(fields: _Fields) -> CancelInvocation:
    return CancelInvocation(_string(fields, "invocationId"))


def _ping(_fields: _Fields) -> Ping:
    return Ping()


def _close(fields: _Fields) -> Close:
    return Close(
        error=_optional_string(fields, "error"),
        allow_reconnect=fields.get("allowReconnect") == b"true",
    )


def _sequence_id(fields: _Fields) -> int:
    value = _integer(fields, "sequenceId")
    if value is None or value < 0:
        raise ProtocolError("The sequenceId of a message is not a number from 0.")
    return value


_PARSERS: dict[int, Callable[[_Fields], Received]] = {
    MessageType.INVOCATION: _invocation,
    MessageType.STREAM_ITEM: _stream_item,
    MessageType.COMPLETION: _completion,
    MessageType.STREAM_INVOCATION: _stream_invocation,
    MessageType.CANCEL_INVOCATION: _cancel_invocation,
    MessageType.PING: _ping,
    MessageType.CLOSE: _close,
    MessageType.ACK: lambda fields: Ack(_sequence_id(fields)),
    MessageType.SEQUENCE: lambda fields: Sequence(_sequence_id(fields)),
}
