"""Messages in MessagePack, as the .NET SDK sends them when it speaks several hub protocols.

Source: Azure SignalR .NET SDK (content of `application/octet-stream`): a map from the name of a hub
protocol to the message as that protocol writes it, framing included. A map with `target` and
`arguments` is taken too, since the swagger lists MessagePack for the PayloadMessage itself.
"""

import base64

import msgpack  # type: ignore[import-untyped]  # it has no types

from ..documents.json_text import Json, decode
from ..errors import InvalidRequestError, JsonError, ProtocolError
from ..protocols.json import SEPARATOR, parse_message
from ..protocols.messagepack import FrameReader
from ..protocols.messages import Invocation, MessageType, ReceivedInvocation, ReceivedStreamItem
from .parameters import payload

__all__ = ["parse_binary_item", "parse_binary_payload"]

# An invocation is [1, headers, id, target, arguments, streamIds], of which the last may be absent,
# and an item of a stream is [2, headers, id, item].
_MIN_LENGTHS = {MessageType.INVOCATION: 5, MessageType.STREAM_ITEM: 4}


def parse_binary_payload(body: bytes) -> Invocation:
    """Parse a message in MessagePack; byte strings become Base64 text, as .NET writes them in JSON.

    Raises:
        InvalidRequestError: The body is something else.
    """
    fields = _map(body)
    as_json, as_messagepack = fields.get("json"), fields.get("messagepack")
    if isinstance(as_json, bytes):
        record = _json_message(as_json, ReceivedInvocation)
        return payload({name: record[name] for name in ("target", "arguments")})
    if isinstance(as_messagepack, bytes):
        message = _messagepack_message(as_messagepack, MessageType.INVOCATION)
        return payload({"target": _json(message[3]), "arguments": _json(message[4])})
    return payload(_json(fields))


def parse_binary_item(body: bytes) -> Json:
    """Parse an item of a stream, as `parse_binary_payload` does with messages.

    Raises:
        InvalidRequestError: The body is something else.
    """
    fields = _map(body)
    as_json, as_messagepack = fields.get("json"), fields.get("messagepack")
    if isinstance(as_json, bytes):
        return _json_message(as_json, ReceivedStreamItem)["item"]
    if isinstance(as_messagepack, bytes):
        return _json(_messagepack_message(as_messagepack, MessageType.STREAM_ITEM)[3])
    raise InvalidRequestError("The item has to be written in the protocol json or messagepack.")


def _map(body: bytes) -> dict[object, object]:
    fields = _unpack(body)
    if not isinstance(fields, dict):
        raise InvalidRequestError("The payload has to be a map.")
    return fields


def _json_message(
    record: bytes, kind: type[ReceivedInvocation | ReceivedStreamItem]
) -> dict[str, Json]:
    text = record.removesuffix(SEPARATOR)
    try:
        message, fields = parse_message(text), decode(text)
    except (ProtocolError, JsonError) as error:
        raise InvalidRequestError(f"The payload of the protocol json: {error}") from error
    if not isinstance(message, kind) or not isinstance(fields, dict):
        raise InvalidRequestError("The payload of the protocol json is a message of another type.")
    return fields


def _messagepack_message(framed: bytes, kind: MessageType) -> list[object]:
    try:
        (record,) = FrameReader(len(framed)).feed(framed)
    except (ProtocolError, ValueError) as error:
        raise InvalidRequestError(
            "The payload of the protocol messagepack is not one message after its length."
        ) from error
    fields = _unpack(record)
    if not isinstance(fields, list) or len(fields) < _MIN_LENGTHS[kind] or fields[0] != kind:
        raise InvalidRequestError(
            "The payload of the protocol messagepack is a message of another type."
        )
    return fields


def _unpack(body: bytes) -> object:
    try:
        # An array as the key of a map is a TypeError.
        value: object = msgpack.unpackb(body, strict_map_key=False)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise InvalidRequestError("The payload is not valid MessagePack.") from error
    return value


def _json(value: object) -> Json:
    try:
        return _converted(value)
    except RecursionError:
        raise InvalidRequestError("The payload is nested too deep.") from None


def _converted(value: object) -> Json:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case list():
            return [_converted(item) for item in value]
        case dict():
            return {_name(name): _converted(item) for name, item in value.items()}
        case _:
            raise InvalidRequestError("The payload has a value without a JSON form.")


def _name(name: object) -> str:
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise InvalidRequestError("The payload has a map whose keys are no names.")
    return str(name)
