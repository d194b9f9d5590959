"""What an app server has said: Microsoft.Azure.SignalR 1.34.0 on ASP.NET Core 10, recorded.

A line of `recorded.jsonl` has the bodies of the messages by which it answers one call of a client,
or by which it comes and goes, without the length before each.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

__all__ = ["renamed", "said_by_server"]

_LINES = map(json.loads, Path(__file__).with_name("recorded.jsonl").read_text().splitlines())
_BODIES = {line["name"]: [bytes.fromhex(body) for body in line["bodies"]] for line in _LINES}


def said_by_server(name: str, ids: Mapping[str, str] | None = None) -> list[list[Any]]:
    """Give the messages of a line.

    Args:
        name: The line.
        ids: Ids of a test by those of the recording. What users wrote stays as it was.
    """
    messages = (msgpack.unpackb(body, strict_map_key=False) for body in _BODIES[name])
    return [renamed(message, ids or {}) for message in messages]


def renamed(message: list[Any], ids: Mapping[str, str]) -> list[Any]:
    """Give a message with other ids, in its lists as well."""
    return [
        renamed(item, ids)
        if isinstance(item, list)
        else (ids.get(item, item) if isinstance(item, str) else item)
        for item in message
    ]
