"""The commands of `:execute`.

Source: swagger of the REST data plane, 2023-07-01 (SignalRCommand and what inherits from it).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..documents.json_text import Json, decode
from ..documents.verbatim import JsonText, elements, members
from ..errors import InvalidRequestError, JsonError
from .parameters import group_name
from .payloads import NO_VALUE, Payload, parse_payload
from .table import DataAction

__all__ = [
    "CloseConnection",
    "Command",
    "JoinGroup",
    "LeaveGroup",
    "SendMessage",
    "parse_commands",
]


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Sends a message to each connection."""

    data_action: ClassVar[DataAction] = DataAction.CONNECTION_SEND

    payload: Payload


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """Puts each connection into a group."""

    data_action: ClassVar[DataAction] = DataAction.GROUP_WRITE

    group: str


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """Takes each connection out of a group."""

    data_action: ClassVar[DataAction] = DataAction.GROUP_WRITE

    group: str


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Closes each connection."""

    data_action: ClassVar[DataAction] = DataAction.CONNECTION_WRITE

    reason: str | None


type _Fields = Mapping[str, JsonText]

type Command = SendMessage | JoinGroup | LeaveGroup | CloseConnection


def parse_commands(body: bytes) -> list[Command]:
    """Parse the array of commands; names of properties may be in any case.

    Raises:
        InvalidRequestError: The body is something else.
    """
    try:
        return [_command(item) for item in elements(body)]
    except JsonError as error:
        raise InvalidRequestError(f"The body {error}.") from error


def _command(item: JsonText) -> Command:
    try:
        fields = {name.lower(): text for name, text in members(item).items()}
    except JsonError as error:
        raise InvalidRequestError(f"A command {error}.") from error
    kind = _value(fields, "type")
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise InvalidRequestError(
            f"The type of a command has to be one of {', '.join(_PARSERS)}.", target="type"
        )
    return parse(fields)


def _value(fields: _Fields, name: str) -> Json:
    return decode(fields.get(name, NO_VALUE))


def _send_message(fields: _Fields) -> SendMessage:
    return SendMessage(parse_payload(fields.get("message", NO_VALUE)))


def _join_group(fields: _Fields) -> JoinGroup:
    return JoinGroup(_group(fields))


def _leave_group(fields: _Fields) -> LeaveGroup:
    return LeaveGroup(_group(fields))


def _close_connection(fields: _Fields) -> CloseConnection:
    reason = _value(fields, "reason")
    if reason is not None and not isinstance(reason, str):
        raise InvalidRequestError("The reason has to be a string.", target="reason")
    return CloseConnection(reason)


def _group(fields: _Fields) -> str:
    group = _value(fields, "group")
    if not isinstance(group, str):
        raise InvalidRequestError("The group has to be a string.", target="group")
    return group_name(group)


_PARSERS: dict[str, Callable[[_Fields], Command]] = {
    "SendMessage": _send_message,
    "JoinGroup": _join_group,
    "LeaveGroup": _leave_group,
    "CloseConnection": _close_connection,
}
