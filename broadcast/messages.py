"""What a caller wants to send: the JSON of the SignalR output binding, checked field by field."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Final, NoReturn

from problems import FieldError, ProblemError
from shared.errors import InvalidArgumentError
from shared.exchange import MAX_MESSAGE_LENGTH
from shared.messages import encode_message
from shared.names import check_name
from shared.settings import Settings

__all__ = ["Message", "RecipientKind", "parse_messages"]

_MOST_MESSAGES: Final = 1000
_FIELDS: Final = frozenset(
    {"target", "arguments", "userId", "groupName", "connectionId", "hub", "excluded"}
)


class RecipientKind(Enum):
    """Whom a message is for."""

    EVERYONE = "everyone"
    USER = "userId"
    GROUP = "groupName"
    CONNECTION = "connectionId"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send.

    Args:
        hub: Name of the hub in lower case.
        kind: Whom it is for.
        recipient: Name of the user or group or id of the connection; empty for everyone.
        target: Name of the client's handler.
        arguments: What the handler is called with.
        excluded: Ids of connections that do not get it.
    """

    hub: str
    kind: RecipientKind
    recipient: str
    target: str
    arguments: tuple[object, ...]
    excluded: tuple[str, ...]


class _FieldProblemError(Exception):
    """One field is wrong; `field` is a path in JSON pointer form, without the message's own."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


def parse_messages(body: bytes, settings: Settings) -> list[Message]:
    """Read one message or a list of them.

    Args:
        body: Body of the request.
        settings: Which hubs there are.

    Raises:
        ProblemError: 413 for a body over 1 MB, 400 for anything else that is wrong, naming every
            message's first field at fault.
    """
    if len(body) > MAX_MESSAGE_LENGTH:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is {len(body)} bytes long; {MAX_MESSAGE_LENGTH} are accepted.",
        )
    parsed = _parse_json(body)
    listed = isinstance(parsed, list)
    items: list[object] = parsed if isinstance(parsed, list) else [parsed]
    if not 1 <= len(items) <= _MOST_MESSAGES:
        raise _refusal(FieldError("#", f"must hold 1 to {_MOST_MESSAGES} messages"))
    messages: list[Message] = []
    errors: list[FieldError] = []
    for index, item in enumerate(items):
        try:
            messages.append(_message(item, settings))
        except _FieldProblemError as problem:
            prefix = f"#/{index}" if listed else "#"
            errors.append(FieldError(prefix + problem.field, problem.detail))
    if errors:
        raise _refusal(*errors)
    return messages


def _parse_json(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_number)
    except UnicodeDecodeError:
        detail = "is not UTF-8"
    except json.JSONDecodeError as error:
        detail = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        detail = f"is not JSON: {error}"
    except RecursionError:
        detail = "is nested too deeply"
    raise _refusal(FieldError("#", detail))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refusal(*errors: FieldError) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, "The request cannot be read.", errors=errors)


def _message(item: object, settings: Settings) -> Message:
    if not isinstance(item, dict):
        raise _FieldProblemError("", "must be a message: an object with a target")
    for name in item:
        # A mistyped recipient must not turn into a message to everyone.
        if name not in _FIELDS:
            raise _FieldProblemError(f"/{_escaped(name)}", "is not a field of a message")
    kind, recipient = _recipient(item)
    target = _string(item, "target")
    arguments = _arguments(item, target)
    return Message(_hub(item, settings), kind, recipient, target, arguments, _excluded(item, kind))


def _recipient(item: Mapping[str, object]) -> tuple[RecipientKind, str]:
    named = [kind for kind in RecipientKind if kind.value in item]
    if not named:
        return RecipientKind.EVERYONE, ""
    kind, *others = named
    if others:
        raise _FieldProblemError(
            f"/{others[0].value}", f"names a second recipient beside {kind.value}"
        )
    return kind, _name(item[kind.value], f"/{kind.value}")


def _arguments(item: Mapping[str, object], target: str) -> tuple[object, ...]:
    arguments = item.get("arguments", [])
    if not isinstance(arguments, list):
        raise _FieldProblemError("/arguments", "must be a list")
    try:
        encode_message(target, arguments)
    except InvalidArgumentError as error:
        raise _FieldProblemError(f"/{error.argument}", error.problem) from None
    return tuple(arguments)


def _hub(item: Mapping[str, object], settings: Settings) -> str:
    if "hub" not in item:
        return settings.default_hub
    name = _string(item, "hub")
    if name.lower() not in settings.hubs:
        raise _FieldProblemError("/hub", "is not a hub of this app")
    return name.lower()


def _excluded(item: Mapping[str, object], kind: RecipientKind) -> tuple[str, ...]:
    if "excluded" not in item:
        return ()
    if kind not in {RecipientKind.EVERYONE, RecipientKind.GROUP}:
        raise _FieldProblemError("/excluded", "goes with a message to everyone or to a group")
    return tuple(_excluded_ids(item["excluded"]))


def _excluded_ids(value: object) -> Iterator[str]:
    if not isinstance(value, list):
        raise _FieldProblemError("/excluded", "must be a list of connection ids")
    for index, each in enumerate(value):
        yield _name(each, f"/excluded/{index}")


def _string(item: Mapping[str, object], field: str) -> str:
    if field not in item:
        raise _FieldProblemError(f"/{field}", "is missing")
    value = item[field]
    if not isinstance(value, str):
        raise _FieldProblemError(f"/{field}", "must be a string")
    return value


def _name(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise _FieldProblemError(field, "must be a string")
    try:
        return check_name(field, value)
    except InvalidArgumentError as error:
        raise _FieldProblemError(field, error.problem) from None


def _escaped(name: str) -> str:
    """Write a member's name as a step of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
