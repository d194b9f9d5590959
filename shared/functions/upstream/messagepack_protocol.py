"""The MessagePack hub protocol: a completion begins with its length.

Source: HubProtocol.md of dotnet/aspnetcore. A message is an array whose first element is its type.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from ...bodies.hub_messages import framed
from ...bodies.values import as_messagepack
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
_ERROR, _VALUE = 1, 3

# [3, {}, id, kind, value], of which the first two never differ.
_COMPLETION: Final = b"\x95%c\x80" % COMPLETION

_decoder = msgspec.msgpack.Decoder(list[Raw])


def _decode(body: bytes) -> Mapping[str, Raw]:
    try:
        elements = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise MessageError("The message is no array that begins with its type.") from error
    except (ValueError, RecursionError) as error:
        # The text of the error would quote the body.
        raise MessageError("The body is not MessagePack.") from error
    if not elements:
        raise MessageError("The message is no array that begins with its type.")
    close = len(elements) <= len(_CLOSE_FIELDS)
    names = _CLOSE_FIELDS if close else _INVOCATION_FIELDS
    return dict(zip(names, elements, strict=False))


def _read(written: Raw, wanted: Any) -> Any:  # noqa: ANN401  what the type says
    return msgspec.msgpack.decode(written, type=wanted)


def _encode(completion: Completion) -> bytes:
    name = "result" if completion.error is None else "error"
    kind, value = (
        (_VALUE, completion.result) if completion.error is None else (_ERROR, completion.error)
    )
    return framed(
        _COMPLETION
        + as_messagepack("invocationId", completion.invocation_id)
        + as_messagepack("kind", kind)
        + as_messagepack(name, value)
    )


MESSAGEPACK: Final = HubProtocol("application/x-msgpack", _decode, _read, _encode)
