"""The JSON hub protocol of SignalR: records and the handshake, without I/O.

Source: HubProtocol.md of dotnet/aspnetcore. A record is JSON text that ends with the byte 0x1E;
one WebSocket frame holds any number of records, and a record may span frames. The handshake is
JSON whatever protocol it agrees on.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..documents.json_text import Json, encode, refuse_constant
from ..errors import ProtocolError
from .messages import (
    Ack,
    CancelInvocation,
    Close,
    Completion,
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
    "parse_handshake",
    "parse_message",
]

SEPARATOR = b"\x1e"


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
    fields = _object(record)
    version = fields.get("version")
    # True is an int in Python, not in JSON.
    if not isinstance(version, int) or isinstance(version, bool):
        raise ProtocolError("The handshake needs a version, which is an integer.")
    return HandshakeRequest(protocol=_string(fields, "protocol"), version=version)


def parse_message(record: bytes) -> Received | None:
    """Parse a record that comes after the handshake.

    A number that Python cannot hold comes out as its text.

    Returns:
        The message, or None for a type that this version does not know: the protocol asks to
        ignore it.

    Raises:
        ProtocolError: The record is not a message, or lacks what its type requires.
    """
    fields = _object(record)
    kind = fields.get("type")
    if not isinstance(kind, int) or isinstance(kind, bool):
        raise ProtocolError("A message needs a type, which is an integer.")
    parse = _PARSERS.get(kind)
    return None if parse is None else parse(fields)


def encode_handshake(error: str | None) -> bytes:
    """Write the answer to a handshake, separator included.

    Args:
        error: Why the handshake is refused; None if it is not.
    """
    return encode(_without_none({"error": error})) + SEPARATOR


def encode_message(message: Message) -> bytes:
    """Write a message as one record, separator included; absent properties are left out.

    Raises:
        JsonError: An argument, item or result has no JSON form.
    """
    return encode(_fields(message)) + SEPARATOR


def _fields(message: Message) -> dict[str, Json]:  # noqa: PLR0911 - one case a message type
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
            return {"type": int(MessageType.PING)}
        case Close():
            return _without_none(
                {
                    "type": int(MessageType.CLOSE),
                    "error": message.error,
                    "allowReconnect": message.allow_reconnect or None,
                }
            )
        case Ack():
            return {"type": int(MessageType.ACK), "sequenceId": message.sequence_id}
        case Sequence():
            return {"type": int(MessageType.SEQUENCE), "sequenceId": message.sequence_id}


def _call(kind: MessageType, message: Invocation | StreamInvocation) -> dict[str, Json]:
    return {
        **_about(kind, message),
        "target": message.target,
        "arguments": list(message.arguments),
    }


def _about(kind: MessageType, message: Numbered) -> dict[str, Json]:
    return _without_none({"type": int(kind), "invocationId": message.invocation_id})


def _outcome(completion: Completion) -> dict[str, Json]:
    if completion.error is not None:
        return {"error": completion.error}
    return {"result": completion.result} if completion.has_result else {}


def _without_none(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


def _object(record: bytes) -> dict[str, Json]:
    try:
        value = _decoded(record.decode("utf-8"))
    except RecursionError:
        raise ProtocolError("A message is nested too deep.") from None
    except ValueError as error:
        # The exception's own text would quote the input.
        raise ProtocolError("A message is not valid JSON in UTF-8.") from error
    if not isinstance(value, dict):
        raise ProtocolError("A message is not a JSON object.")
    return value


def _decoded(text: str) -> Json:
    value: Json
    try:
        value = json.loads(text, parse_constant=refuse_constant, parse_float=_number)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # An integer of thousands of digits, which is rare enough to read the text again for it.
        value = json.loads(
            text, parse_constant=refuse_constant, parse_float=_number, parse_int=_integer
        )
    return value


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _integer(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _present(fields: dict[str, Json], name: str) -> Json:
    if name not in fields:
        raise ProtocolError(f"A message lacks its {name}.")
    return fields[name]


def _string(fields: dict[str, Json], name: str) -> str:
    value = _present(fields, name)
    if not isinstance(value, str):
        raise ProtocolError(f"The {name} of a message is not a string.")
    return value


def _optional_string(fields: dict[str, Json], name: str) -> str | None:
    return None if fields.get(name) is None else _string(fields, name)


def _invocation(fields: dict[str, Json]) -> ReceivedInvocation:
    target = _string(fields, "target")
    if not isinstance(_present(fields, "arguments"), list):
        raise ProtocolError("The arguments of a message are not an array.")
    return ReceivedInvocation(target, _optional_string(fields, "invocationId"))


def _stream_invocation(fields: dict[str, Json]) -> ReceivedInvocation:
    _string(fields, "invocationId")
    return replace(_invocation(fields), is_stream=True)


def _stream_item(fields: dict[str, Json]) -> ReceivedStreamItem:
    _present(fields, "item")
    return ReceivedStreamItem(_string(fields, "invocationId"))


def _completion(fields: dict[str, Json]) -> Completion:
    error = _optional_string(fields, "error")
    has_result = "result" in fields
    if error is not None and has_result:
        raise ProtocolError("A completion has both a result and an error.")
    return Completion(
        invocation_id=_string(fields, "invocationId"),
        result=fields.get("result"),
        has_result=has_result,
        error=error,
    )


def _cancel_invocation(fields: dict[str, Json]) -> CancelInvocation:
    return CancelInvocation(_string(fields, "invocationId"))


def _ping(_fields: dict[str, Json]) -> Ping:
    return Ping()


def _close(fields: dict[str, Json]) -> Close:
    return Close(
        error=_optional_string(fields, "error"),
        allow_reconnect=fields.get("allowReconnect") is True,
    )


def _sequence_id(fields: dict[str, Json]) -> int:
    value = _present(fields, "sequenceId")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ProtocolError("The sequenceId of a message is not a number from 0.")
    return value


_PARSERS: dict[int, Callable[[dict[str, Json]], Received]] = {
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
