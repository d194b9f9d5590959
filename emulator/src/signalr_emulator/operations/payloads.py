"""What a call sends to clients, in JSON: a message, or an item of a stream.

Source: swagger of the REST data plane, 2024-12-01 (PayloadMessage).
"""

from typing import NamedTuple

import msgspec

from ..documents.json_text import decode
from ..documents.verbatim import JsonText, members, verbatim
from ..errors import InvalidRequestError, JsonError
from ..protocols.messages import Invocation, StreamItem
from ..protocols.supported import Written, encoded

__all__ = ["NO_VALUE", "Payload", "check_target", "parse_item", "parse_payload"]

NO_VALUE = JsonText(b"null")
_NO_ARGUMENTS = JsonText(b"[]")


class _Usual(msgspec.Struct, forbid_unknown_fields=True):
    """A PayloadMessage as the SDKs write it, which is read in one go."""

    target: str
    arguments: msgspec.Raw = msgspec.Raw(NO_VALUE)


_USUAL = msgspec.json.Decoder(_Usual)


class Payload(NamedTuple):
    """A message for clients.

    Attributes:
        target: Name of the clients' handler.
        written: The invocation of this handler.
        size: How long it came, in bytes.
    """

    target: str
    written: Written
    size: int


def parse_payload(body: bytes) -> Payload:
    """Parse a PayloadMessage: `target` and `arguments`, in any case; what else is there is ignored.

    Absent arguments are no arguments.

    Raises:
        InvalidRequestError: The body is something else.
    """
    try:
        usual = _USUAL.decode(body.decode())
        target, arguments = check_target(usual.target), JsonText(bytes(usual.arguments))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        target, arguments = _read(body)
    if arguments == NO_VALUE:
        arguments = _NO_ARGUMENTS
    if not arguments.startswith(b"["):
        raise InvalidRequestError("The arguments have to be an array.", target="arguments")
    # Made when somebody receives it, which often is nobody.
    return Payload(
        target, lambda protocol: protocol.encode(Invocation(target, arguments)), len(body)
    )


def parse_item(body: bytes, stream: str) -> Written:
    """Parse an item of a stream: any value.

    Args:
        body: The item.
        stream: Id of the stream.

    Raises:
        InvalidRequestError: The body is not JSON.
    """
    try:
        return encoded(StreamItem(stream, verbatim(body)))
    except JsonError as error:
        raise InvalidRequestError(f"The body {error}.") from error


def _read(body: bytes) -> tuple[str, JsonText]:
    """Read what is written in another way, or find what is wrong with it."""
    try:
        fields = {name.lower(): text for name, text in members(body).items()}
        target = decode(fields.get("target", NO_VALUE))
    except JsonError as error:
        raise InvalidRequestError(f"The payload {error}.") from error
    return check_target(target), fields.get("arguments", NO_VALUE)


def check_target(target: object) -> str:
    """Check the target of a PayloadMessage, and give it.

    Raises:
        InvalidRequestError: It is no string, or empty.
    """
    if not isinstance(target, str) or not target:
        raise InvalidRequestError(
            "The target has to be a string that is not empty.", target="target"
        )
    return target
