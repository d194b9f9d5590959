"""Messages to clients in each hub protocol, and what clients answer.

Source: HubProtocol.md of dotnet/aspnetcore, "Completion".
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ..bodies.hub_messages import RECORD_SEPARATOR, invocation_messages
from ..bodies.values import RawJson, as_json, as_messagepack
from ..errors import InvalidArgumentError, ServiceError, UnexpectedResponseError
from ..service_protocol.codec import Frames
from ..service_protocol.invocations import Completion
from ..service_protocol.items import Pairs
from ..unwritable import UNWRITABLE

__all__ = ["invocation_writer", "payloads", "result_of"]

_write_json = msgspec.json.Encoder(decimal_format="number").encode

_PLAIN: Final = frozenset((str, int, bool))
"""Types of which JSON holds every value, and `_write_json` writes it as what it is."""

_SUSPICIOUS: Final = ((b"n", b"null"), (b"N", b"NaN"), (b"I", b"Inf"), (b"E", b"E+"))
"""What `_write_json` may have made of a number that JSON cannot hold, or not as what it is: its
first byte, which is looked for in no time, and the whole."""

_LISTS: Final = (list, tuple)

_COMPLETION: Final = 3
_FAILED: Final = 1
_VOID: Final = 2
_RESULT: Final = 3


def payloads(target: str, arguments: Sequence[object]) -> Pairs[bytes]:
    """Return the message that calls a handler of clients.

    Raises:
        InvalidArgumentError: The target is empty, or an argument cannot be written.
    """
    return tuple(invocation_messages(target, *_written(target, arguments)).items())


def invocation_writer(
    target: str, arguments: Sequence[object]
) -> Callable[[str | None], Pairs[bytes]]:
    """Return what writes the message that calls a handler of clients, for an invocation id.

    Raises:
        InvalidArgumentError: As `payloads`.
    """
    # Once, for however many connections and endpoints.
    written = _written(target, arguments)
    return lambda invocation_id: tuple(
        invocation_messages(target, *written, invocation_id=invocation_id).items()
    )


def _written(target: str, arguments: Sequence[object]) -> tuple[bytes, bytes]:
    """Return arguments in JSON and in MessagePack.

    Raises:
        InvalidArgumentError: As `payloads`.
    """
    if not target:
        raise InvalidArgumentError("target", "must not be empty")
    if isinstance(arguments, RawJson):
        return arguments, as_messagepack("arguments", _parsed(arguments))
    if not isinstance(arguments, _LISTS):
        raise InvalidArgumentError("arguments", f"must be a list, not {type(arguments).__name__}")
    return _in_json(arguments), as_messagepack("arguments", arguments)


def _parsed(arguments: RawJson) -> object:
    """Return what JSON text says, as far as MessagePack can hold it.

    A whole number of more than 64 bits is a `float` then, as it is to a JavaScript client.

    Raises:
        InvalidArgumentError: It is no JSON, or has a number that nobody can hold.
    """
    try:
        read = msgspec.json.decode(arguments)
        msgspec.msgpack.encode(read)
    except UNWRITABLE:
        pass
    else:
        return read
    try:
        return json.loads(arguments, parse_int=_integer)
    except UNWRITABLE as error:
        raise InvalidArgumentError("arguments", f"cannot be sent: {error}") from None


def _integer(text: str) -> float:
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 64 else float(text)


def _in_json(arguments: Sequence[object]) -> bytes:
    """Return arguments as `as_json` has them, in a tenth of its time where nothing is unusual."""
    try:
        text = _write_json(arguments)
    except UNWRITABLE:
        return as_json("arguments", arguments)
    if _PLAIN.issuperset(map(type, arguments)):
        return text
    for first, whole in _SUSPICIOUS:
        if first in text and whole in text:
            return as_json("arguments", arguments)
    return text


def result_of(completion: Completion) -> object:
    """Return what a client has returned; `None` if that is nothing.

    Raises:
        ServiceError: The client answers with an error, or there is none.
        UnexpectedResponseError: The answer cannot be read.
    """
    if completion.error is not None:
        raise ServiceError(f"No result of the client: {completion.error}")
    try:
        error, result = (
            _json(completion.message)
            if completion.protocol == "json"
            else _messagepack(completion.message)
        )
    except (ValueError, LookupError, TypeError, RecursionError) as problem:
        raise UnexpectedResponseError(f"A client's result cannot be read: {problem}") from None
    if error is not None:
        raise ServiceError(f"The client answered with an error: {error}")
    return result


def _json(message: bytes) -> tuple[str | None, object]:
    answer = json.loads(message.removesuffix(RECORD_SEPARATOR))
    if answer["type"] != _COMPLETION:
        raise ValueError("it is no completion")
    return answer.get("error"), answer.get("result")


def _messagepack(message: bytes) -> tuple[str | None, object]:
    (body,) = Frames().feed(message)
    answer: list[Any] = msgspec.msgpack.decode(body, type=list)
    kind, _, _, outcome = answer[:4]
    if kind != _COMPLETION or outcome not in {_FAILED, _VOID, _RESULT}:
        raise ValueError("it is no completion")
    if outcome == _FAILED:
        return str(answer[4]), None
    return None, answer[4] if outcome == _RESULT else None
