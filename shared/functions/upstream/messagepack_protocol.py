"""The MessagePack hub protocol: a completion begins with its length.

Source: HubProtocol.md of dotnet/aspnetcore. A message is an array whose first element is its type.
The length is a VarInt: seven bits in a byte, the lowest first.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from ...errors import InvalidArgumentError
from ...unwritable import UNWRITABLE, unwritable
from .hub_protocol import COMPLETION, Completion, HubProtocol, MessageError

__all__ = ["MESSAGEPACK"]

_INVOCATION_FIELDS: Final = (
    "type",
    "headers",
    "invocationId",
    "target",
    "arguments",
    "streamIds",
)
_CLOSE_FIELDS: Final = ("type", "error")
_ERROR, _VOID, _VALUE = 1, 2, 3
_SEVEN_BITS: Final = 0x7F
_MORE: Final = 0x80


def _decode(body: bytes) -> Mapping[str, object]:
    try:
        elements = msgspec.msgpack.decode(body)
    except (ValueError, TypeError, RecursionError) as error:
        # The text of the error would quote the body. TypeError: a map whose key is a map.
        raise MessageError("The body is not MessagePack.") from error
    if not isinstance(elements, list) or not elements:
        raise MessageError("The message is no array that begins with its type.")
    close = len(elements) <= len(_CLOSE_FIELDS)
    names = _CLOSE_FIELDS if close else _INVOCATION_FIELDS
    return dict(zip(names, elements, strict=False))


def _encode(completion: Completion) -> bytes:
    message = [COMPLETION, {}, completion.invocation_id, *_outcome(completion)]
    try:
        body = msgspec.msgpack.encode(message)
    except UNWRITABLE:
        name = "result" if completion.error is None else "error"
        problem = unwritable(getattr(completion, name), msgspec.msgpack.encode)
        raise InvalidArgumentError(name, f"cannot be written as MessagePack: {problem}") from None
    return _varint(len(body)) + body


def _outcome(completion: Completion) -> list[object]:
    if completion.error is not None:
        return [_ERROR, completion.error]
    return [_VOID] if completion.result is None else [_VALUE, completion.result]


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > _SEVEN_BITS:
        written.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    written.append(number)
    return bytes(written)


MESSAGEPACK: Final = HubProtocol("application/x-msgpack", _decode, _encode)
