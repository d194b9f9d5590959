"""The bytes of Microsoft.Azure.SignalR.Protocols 1.34.0, and the messages that they are.

`vectors.jsonl` of the library's tests has them; what its lines are, `vectors.py` beside it says.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from signalr_emulator.service_protocol import messages, requests, sends  # noqa: F401  they fill the table
from signalr_emulator.service_protocol.fields import Timestamp
from signalr_emulator.service_protocol.table import LAYOUTS, Message

__all__ = ["MESSAGES", "lines", "message", "named", "of_message"]

_FILE: Final = Path(__file__).parents[3] / "tests/shared/service_protocol/vectors.jsonl"

MESSAGES: Final = {f"{each.__name__}Message": each for each in LAYOUTS}

_RENAMED: Final = {
    "ConnectionList": "connection_ids",
    "Error": "error",
    "ErrorMessage": "error",
    "ExcludedList": "excluded",
    "ExcludedUserList": "excluded_users",
    "ExpireTime": "expires",
    "Filter": "subscriber_filter",
    "GroupList": "groups",
    "GroupName": "group",
    "Kid": "key_id",
    "Messages": "texts",
    "QueryString": "query",
    "UserList": "user_ids",
}
_OF_ONE: Final = {
    ("ServiceEventMessage", "Type"): "object_type",
    ("ConnectionDataMessage", "Type"): "data_type",
    ("AccessKeyResponseMessage", "ErrorMessage"): "error_message",
}
_MANY: Final = {
    "Claims", "Headers", "Payloads", "ConnectionList", "ExcludedList", "ExcludedUserList",
    "GroupList", "UserList",
}  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def lines(kind: str) -> list[dict[str, Any]]:
    """Return the lines of a kind."""
    found = map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())
    return [line for line in found if line["kind"] == kind]


def named(line: Mapping[str, Any]) -> str:
    """Return what a test about a line is called."""
    return " ".join(str(line[key]) for key in ("message", "variant", "name") if key in line)


def message(line: Mapping[str, Any]) -> Message:
    """Return the message that a line's fields are about."""
    name = line["message"]
    return MESSAGES[name](**_values(name, line["fields"]))


def of_message(read: Message | None, name: str, expected: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the fields of a message that are named, and what they should be."""
    assert type(read) is MESSAGES[name]
    should = _values(name, expected)
    return {field: _in_ticks(getattr(read, field)) for field in should}, should


def _values(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    values = {_name(name, field): _value(field, value) for field, value in given.items()}
    assert set(values) <= {each.name for each in fields(MESSAGES[name])}  # type: ignore[arg-type]  # `row` makes a dataclass of each
    return values


def _name(message_name: str, field: str) -> str:
    """Return what a .NET property is called here."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()
    return _OF_ONE.get((message_name, field)) or _RENAMED.get(field, snake)


def _value(field: str, value: Any) -> Any:  # noqa: ANN401  what JSON has
    match value:
        case {"bin": data}:
            return bytes.fromhex(data)
        case None if field in _MANY:
            return ()
        case list():
            return tuple(_value("", each) for each in value)
        case str() if field == "ExpireTime":
            # Seven digits of a second, which Python does not hold.
            since = datetime.fromisoformat(value[:19] + value[27:]) - _EPOCH
            return Timestamp(since // timedelta(seconds=1), int(value[20:27]) * 100)
        case _:
            return value


def _in_ticks(value: Any) -> Any:  # noqa: ANN401  any field's
    """Return a time as .NET has it, which counts 100 ns."""
    if isinstance(value, Timestamp):
        return value._replace(nanoseconds=value.nanoseconds // 100 * 100)
    return value
