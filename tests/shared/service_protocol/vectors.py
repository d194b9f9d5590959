"""The bytes of Microsoft.Azure.SignalR.Protocols 1.34.0, as `vectors.jsonl` has them.

Every line is one JSON object; its `kind` says what it shows:

- `vector`: the package's writer made `hex` of `fields`. `reads` has what its reader makes of that
  where it is something else: other fields, or an `error`.
- `large`: the same for long ones, of which `build` says what they are.
- `tolerance`: the vector `Full` of a type with items cut off (`cut`, by the count that is left) or
  replaced by nil (`nil`, by index), and what is read then: `{}` where nothing changes.
- `accepts`: what the writer never makes, and what the reader makes of it.
- `model`, `model-accepts`: the same for what acks bring.

`hex` is a message without its length; `framed` has it.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from msgspec.structs import fields

from shared.service_protocol import messages, requests, sends
from shared.service_protocol.fields import Timestamp
from shared.service_protocol.messages import Message

__all__ = ["MESSAGES", "lines", "message", "of_message"]

_FILE: Final = Path(__file__).with_name("vectors.jsonl")

MESSAGES: Final[dict[int, type[Message]]] = {
    int(each.__struct_config__.tag or 0): each
    for each in (*vars(messages).values(), *vars(sends).values(), *vars(requests).values())
    if isinstance(each, type) and issubclass(each, Message) and each is not Message
}

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
_PAIRS: Final = ("Claims", "Headers", "Payloads")
_LISTS: Final = ("ConnectionList", "ExcludedList", "ExcludedUserList", "GroupList", "UserList")


def lines(kind: str) -> list[dict[str, Any]]:
    """Return the lines of a kind."""
    found = map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())
    return [line for line in found if line["kind"] == kind]


def message(line: Mapping[str, Any]) -> Message:
    """Return the message that a line's fields are about."""
    name = line["message"]
    values = {_name(name, field): _value(field, value) for field, value in line["fields"].items()}
    return _class(name)(**values)


def of_message(read: Message, name: str, expected: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the fields of a message that are named, and what they should be."""
    assert type(read) is _class(name)
    named = {_name(name, field): _value(field, value) for field, value in expected.items()}
    return {field: _in_ticks(getattr(read, field)) for field in named}, named


def _in_ticks(value: Any) -> Any:  # noqa: ANN401  any field's
    """Return a time as .NET has it, which counts 100 ns."""
    if isinstance(value, Timestamp):
        return value._replace(nanoseconds=value.nanoseconds // 100 * 100)
    return value


def _class(name: str) -> type[Message]:
    found = {each.__name__: each for each in MESSAGES.values()}
    return found[name.removesuffix("Message")]


def _name(message_name: str, field: str) -> str:
    """Return what a .NET property is called here."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()
    named = _OF_ONE.get((message_name, field)) or _RENAMED.get(field, snake)
    assert named in {each.name for each in fields(_class(message_name))}, (message_name, field)
    return named


def _value(field: str, value: Any) -> Any:  # noqa: ANN401  what JSON has
    match value:
        case {"bin": data}:
            return bytes.fromhex(data)
        case None if field in _PAIRS or field in _LISTS:
            return ()
        case list() if field in _PAIRS:
            return tuple((key, _value("", inner)) for key, inner in value)
        case list():
            return tuple(value)
        case str() if field == "ExpireTime":
            return _time(value)
        case _:
            return value


def _time(text: str) -> Timestamp:
    """Read a time of seven digits behind the second."""
    whole, digits, offset = text[:19], text[20:27], text[27:]
    moment = datetime.fromisoformat(whole + offset).replace(tzinfo=None)
    shift = datetime.fromisoformat(whole + offset).utcoffset()
    assert shift is not None
    since = moment - datetime(1970, 1, 1) - shift  # noqa: DTZ001  a difference of two without zones
    return Timestamp(since // timedelta(seconds=1), int(digits) * 100)
