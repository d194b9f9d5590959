"""What a call sends to clients, in MessagePack, as the .NET SDK does for several hub protocols.

Source: Azure SignalR .NET SDK (BinaryPayloadMessageContent): a map from the name of a hub protocol
to the message as that protocol writes it, framing included. Each client gets the bytes of its own
protocol. A map with `target` and `arguments` is taken too, since the swagger lists MessagePack for
the PayloadMessage itself.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw
from msgspec.msgpack import decode

from ..errors import InvalidRequestError, JsonError, ProtocolError
from ..protocols.conversion import json_text
from ..protocols.formats import Kind, kind_of
from ..protocols.messagepack import encode_invocation
from ..protocols.messages import Envelope, Invocation, MessageType
from ..protocols.parts import members
from ..protocols.supported import JSON, MESSAGEPACK, PROTOCOLS, HubProtocol, Written, as_sent
from .payloads import Payload, check_target

__all__ = ["parse_binary_item", "parse_binary_payload"]

_SPOKEN = " or ".join(PROTOCOLS)
_NIL, _NO_ARGUMENTS = Raw(b"\xc0"), Raw(b"\x90")


def parse_binary_payload(body: bytes) -> Payload:
    """Parse a message.

    Raises:
        InvalidRequestError: The body is something else.
    """
    fields = _members(body)
    frames = _frames(fields)
    if not frames:
        return _payload_message({name.lower(): value for name, value in fields.items()}, len(body))
    envelopes = _envelopes(frames, MessageType.INVOCATION)
    targets = [check_target(envelope.target) for envelope in envelopes]
    return Payload(targets[0], as_sent(frames), len(body))


def parse_binary_item(body: bytes, stream: str) -> Written:
    """Parse an item of a stream.

    Args:
        body: The item in hub protocols.
        stream: Id of the stream.

    Raises:
        InvalidRequestError: The body is something else, or the item belongs to another stream.
    """
    frames = _frames(_members(body))
    if not frames:
        raise InvalidRequestError(f"The item has to be written in the hub protocol {_SPOKEN}.")
    for envelope in _envelopes(frames, MessageType.STREAM_ITEM):
        if envelope.invocation_id != stream:
            raise InvalidRequestError("The item belongs to another stream.", target="streamId")
    return as_sent(frames)


def _members(body: bytes) -> dict[str, Raw]:
    try:
        return members(body)
    except ValueError as error:
        raise InvalidRequestError("The payload has to be a map in MessagePack.") from error


def _frames(fields: Mapping[str, Raw]) -> dict[HubProtocol, bytes]:
    """Give the messages by hub protocol; one in a protocol that no client can speak is left out."""
    frames = {
        protocol: _unpack(fields[name], name)
        for name, protocol in PROTOCOLS.items()
        if name in fields
    }
    for protocol, frame in frames.items():
        if not isinstance(frame, bytes):
            raise InvalidRequestError("The message has to be binary.", target=protocol.name)
    return frames


def _envelopes(frames: Mapping[HubProtocol, bytes], kind: MessageType) -> list[Envelope]:
    envelopes: list[Envelope] = []
    for protocol, frame in frames.items():
        try:
            envelope = protocol.open_envelope(frame)
        except ProtocolError as error:
            raise InvalidRequestError(str(error), target=protocol.name) from error
        if envelope.kind != kind:
            raise InvalidRequestError("The message is of another type.", target=protocol.name)
        envelopes.append(envelope)
    return envelopes


def _payload_message(fields: Mapping[str, Raw], size: int) -> Payload:
    if "target" not in fields:
        raise InvalidRequestError(
            f"The payload needs a target, or the message in the hub protocol {_SPOKEN}.",
            target="target",
        )
    target = check_target(_unpack(fields["target"], "target"))
    arguments = fields.get("arguments", _NIL)
    if arguments == _NIL:
        arguments = _NO_ARGUMENTS
    if kind_of(arguments) is not Kind.ARRAY:
        raise InvalidRequestError("The arguments have to be an array.", target="arguments")
    try:
        converted = JSON.encode(Invocation(target, json_text(arguments)))
    except JsonError as error:
        raise InvalidRequestError(f"The array {error}.", target="arguments") from error
    return Payload(
        target,
        as_sent({JSON: converted, MESSAGEPACK: encode_invocation(target, arguments)}),
        size,
    )


def _unpack(value: Raw, name: str) -> Any:  # noqa: ANN401 - whatever was sent
    try:
        return decode(value)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The value is not valid MessagePack.", target=name) from error
