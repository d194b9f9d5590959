"""The commands of `:execute`.

Source: swagger of the REST data plane, 2023-07-01 (SignalRCommand and what inherits from it).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..documents.json_text import Json
from ..errors import InvalidRequestError
from ..protocols.messages import Invocation
from .parameters import group_name, payload
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

    invocation: Invocation


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


type Command = SendMessage | JoinGroup | LeaveGroup | CloseConnection


def parse_commands(body: Json) -> list[Command]:
    """Parse the array of commands; names of properties may be in any case.

    Raises:
        InvalidRequestError: The body is something else.
    """
    if not isinstance(body, list):
        raise InvalidRequestError("The body has to be an array of commands.")
    return [_command(item) for item in body]


def _command(item: Json) -> Command:
    if not isinstance(item, dict):
        raise InvalidRequestError("A command has to be a JSON object.")
    fields = {name.lower(): value for name, value in item.items()}
    kind = fields.get("type")
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise InvalidRequestError(
            f"The type of a command has to be one of {', '.join(_PARSERS)}.", target="type"
        )
    return parse(fields)


def _send_message(fields: Mapping[str, Json]) -> SendMessage:
    return SendMessage(payload(fields.get("message")))


def _join_group(fields: Mapping[str, Json]) -> JoinGroup:
    return JoinGroup(_group(fields))


def _leave_group(fields: Mapping[str, Json]) -> LeaveGroup:
    return LeaveGroup(_group(fields))


def _close_connection(fields: Mapping[str, Json]) -> CloseConnection:
    reason = fields.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise InvalidRequestError("The reason has to be a string.", target="reason")
    return CloseConnection(reason)


def _group(fields: Mapping[str, Json]) -> str:
    group = fields.get("group")
    if not isinstance(group, str):
        raise InvalidRequestError("The group has to be a string.", target="group")
    return group_name(group)


_PARSERS: dict[str, Callable[[Mapping[str, Json]], Command]] = {
    "SendMessage": _send_message,
    "JoinGroup": _join_group,
    "LeaveGroup": _leave_group,
    "CloseConnection": _close_connection,
}
