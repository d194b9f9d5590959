"""The JSON hub protocol: a completion ends with the byte 0x1E.

Source: HubProtocol.md of dotnet/aspnetcore.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from ...rest.values import as_json
from .hub_protocol import COMPLETION, Completion, HubProtocol, MessageError

__all__ = ["JSON"]

_SEPARATOR: Final = b"\x1e"


def _decode(body: bytes) -> Mapping[str, object]:
    try:
        fields = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        # The text of the error would quote the body.
        raise MessageError("The body is not JSON.") from error
    if not isinstance(fields, dict):
        raise MessageError("The message is no object.")
    return fields


def _encode(completion: Completion) -> bytes:
    members = {"invocationId": completion.invocation_id} | _outcome(completion)
    written = (b'"%b":%b' % (name.encode(), as_json(name, each)) for name, each in members.items())
    return b'{"type":%d,%b}' % (COMPLETION, b",".join(written)) + _SEPARATOR


def _outcome(completion: Completion) -> dict[str, object]:
    if completion.error is not None:
        return {"error": completion.error}
    return {} if completion.result is None else {"result": completion.result}


JSON: Final = HubProtocol("application/json", _decode, _encode)
