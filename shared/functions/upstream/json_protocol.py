"""The JSON hub protocol: a completion ends with the byte 0x1E.

Source: HubProtocol.md of dotnet/aspnetcore.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Raw

from ...bodies.hub_messages import RECORD_SEPARATOR
from ...bodies.values import as_json
from ...errors import InvalidArgumentError
from .hub_protocol import COMPLETION, Completion, HubProtocol, MessageError

__all__ = ["JSON"]

_decoder = msgspec.json.Decoder(dict[str, Raw])


def _decode(body: bytes) -> Mapping[str, Raw]:
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise MessageError("The message is no object.") from error
    except (ValueError, RecursionError) as error:
        mended = _without_escapes(body)
        if mended is None:
            # The text of the error would quote the body.
            raise MessageError("The body is not JSON.") from error
        return _decoder.decode(mended)


def _without_escapes(body: bytes) -> bytes | None:
    """Return a message that is good but for half a surrogate pair in its arguments.

    JavaScript writes one as an escape where a text was cut in the middle of a character, and
    msgspec takes that for a fault of the whole message, so that the client would not learn which
    argument it is. Written without the escape it is a fault of its argument.
    """
    try:
        message = json.loads(body, parse_constant=_no_number)
        text = json.dumps(message, ensure_ascii=False, allow_nan=False)
        arguments = message["arguments"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    try:
        as_json("arguments", arguments)
    except InvalidArgumentError:
        return text.encode(errors="surrogatepass")
    return None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _read(written: Raw, wanted: Any) -> Any:  # noqa: ANN401  what the type says
    return msgspec.json.decode(written, type=wanted)


def _encode(completion: Completion) -> bytes:
    name = "result" if completion.error is None else "error"
    value = completion.result if completion.error is None else completion.error
    written = as_json("invocationId", completion.invocation_id), name.encode(), as_json(name, value)
    return b'{"type":%d,"invocationId":%b,"%b":%b}' % (COMPLETION, *written) + RECORD_SEPARATOR


JSON: Final = HubProtocol("application/json", _decode, _read, _encode)
