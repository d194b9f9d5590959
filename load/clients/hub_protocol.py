"""What clients of the JSON hub protocol say and hear, and events of Server-Sent Events. Pure.

Sources: HubProtocol.md and TransportProtocols.md of dotnet/aspnetcore.
"""

import json
import re
from typing import Any, Final

__all__ = [
    "CLOSE",
    "COMPLETION",
    "HANDSHAKE",
    "INVOCATION",
    "PING",
    "EventReader",
    "Record",
    "RecordReader",
    "invocation",
]

INVOCATION, COMPLETION, CLOSE = 1, 3, 7
"""Types of the messages that matter to a client."""

_SEPARATOR: Final = b"\x1e"
_EVENT_END: Final = re.compile(rb"\r?\n\r?\n")
HANDSHAKE: Final = b'{"protocol":"json","version":1}\x1e'
PING: Final = b'{"type":6}\x1e'

type Record = dict[str, Any]
"""A message, as JSON says it."""


def invocation(invocation_id: str, target: str, *arguments: object) -> bytes:
    """Write a call of a method of the hub, whose completion is waited for."""
    called = {
        "type": INVOCATION,
        "invocationId": invocation_id,
        "target": target,
        "arguments": arguments,
    }
    return json.dumps(called).encode() + _SEPARATOR


class RecordReader:
    """Finds messages in what comes, however it is cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Record]:
        """Give every message that is complete by now."""
        *records, self._rest = (self._rest + data).split(_SEPARATOR)
        return [json.loads(record) for record in records]


class EventReader:
    """Finds the data of events in a stream of Server-Sent Events, with CR LF or LF line ends."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Give the data of every event that is complete by now, joined."""
        *events, self._rest = _EVENT_END.split(self._rest + data)
        return b"".join(map(_data, events))


def _data(event: bytes) -> bytes:
    lines = [line[5:].removeprefix(b" ") for line in event.splitlines() if line[:5] == b"data:"]
    return b"\n".join(lines)
