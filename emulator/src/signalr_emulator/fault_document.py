"""A fault as it comes over the wire: the body of `POST /emulator/faults`."""

import math
import re
from collections.abc import Mapping

from signalr_emulator.errors import FaultError
from signalr_emulator.faults import Action, Fault
from signalr_emulator.json_text import Json

__all__ = ["parse_fault"]

_MAX_DELAY = 3600.0
_STATUSES = range(200, 600)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_PROPERTIES = frozenset(
    (
        "operation",
        "method",
        "path",
        "port",
        "action",
        "status",
        "headers",
        "body",
        "delay",
        "times",
        "share",
        "seed",
    )
)


def parse_fault(body: Json, operations: frozenset[str]) -> Fault:
    """Read a fault from the wire.

    Args:
        body: The JSON body.
        operations: Names of operations that exist.

    Raises:
        FaultError: A property is wrong.
    """
    if not isinstance(body, dict):
        raise FaultError("#", "has to be an object")
    for name in body:
        if name not in _PROPERTIES:
            raise FaultError(f"#/{name.replace('~', '~0').replace('/', '~1')}", "is unknown")
    action = _action(body)
    if action is Action.PASS and not body.get("delay"):
        raise FaultError("#/delay", "is needed where nothing else happens")
    method, path = _text(body, "method"), _text(body, "path")
    return Fault(
        action=action,
        operations=_operations(body.get("operation"), action, operations, path),
        method=None if method is None else method.upper(),
        path=path,
        port=_optional_integer(body, "port", 1, 65535),
        status=_integer(body, "status", _STATUSES.start, _STATUSES.stop - 1, 500),
        headers=_headers(body.get("headers")),
        body=_text(body, "body") or "",
        delay=_number(body, "delay", _MAX_DELAY, 0.0),
        times=_optional_integer(body, "times", 1, 2**31),
        share=_number(body, "share", 1.0, 1.0),
        seed=_integer(body, "seed", 0, 2**31, 0),
    )


def _action(body: Mapping[str, Json]) -> Action:
    name = body.get("action")
    if name is None:
        return Action.ANSWER if "status" in body else Action.PASS
    try:
        return Action(name)
    except ValueError:
        names = ", ".join(action.value for action in Action)
        raise FaultError("#/action", f"has to be one of {names}") from None


def _operations(
    value: Json, action: Action, known: frozenset[str], path: str | None
) -> frozenset[str]:
    if value is None:
        # The key of a client token matters where clients show one.
        is_default = action is Action.UNKNOWN_KEY and path is None
        return frozenset(("negotiate", "connect")) if is_default else frozenset()
    names = value if isinstance(value, list) else [value]
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise FaultError("#/operation", f"has to be of {', '.join(sorted(known))}")
    return frozenset(name for name in names if isinstance(name, str))


def _headers(value: Json) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise FaultError("#/headers", "has to be an object")
    for name, text in value.items():
        if _TOKEN.fullmatch(name) is None:
            raise FaultError("#/headers", "has a name that no header can have")
        if not isinstance(text, str) or _HEADER_VALUE.fullmatch(text) is None:
            raise FaultError(f"#/headers/{name.replace('~', '~0')}", "is no text for a header")
    return tuple((name, str(text)) for name, text in value.items())


def _text(body: Mapping[str, Json], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise FaultError(f"#/{name}", "has to be a string")
    return value


def _number(body: Mapping[str, Json], name: str, highest: float, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FaultError(f"#/{name}", "has to be a number")
    if not 0 <= value <= highest:
        raise FaultError(f"#/{name}", f"has to be from 0 to {highest:g}")
    return value


def _integer(body: Mapping[str, Json], name: str, lowest: int, highest: int, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise FaultError(f"#/{name}", f"has to be an integer from {lowest} to {highest}")
    return value


def _optional_integer(body: Mapping[str, Json], name: str, lowest: int, highest: int) -> int | None:
    if body.get(name) is None:
        return None
    return _integer(body, name, lowest, highest, lowest)
