"""A fault as it comes over the wire: the body of `POST /emulator/faults`."""

import re

from ..documents.fields import (
    Fields,
    integer,
    number,
    optional_integer,
    properties,
    text,
)
from ..documents.json_text import Json
from ..documents.problems import pointer
from ..errors import DocumentError
from .disturbances import ALLOWED
from .rules import Action, Fault

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
        "hub",
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

_DEFAULTS = {
    # The key of a client token matters where clients show one.
    Action.UNKNOWN_KEY: frozenset(("negotiate", "connect")),
    Action.REFRESH_REQUIRED: frozenset(("poll",)),
}
"""What is disturbed where neither operation nor path is chosen."""


def parse_fault(document: Json, operations: frozenset[str]) -> Fault:
    """Read a fault from the wire.

    Args:
        document: The JSON body.
        operations: Names of operations that exist.

    Raises:
        DocumentError: A property is wrong.
    """
    fields = properties(document, _PROPERTIES)
    action = _action(fields)
    method, path, hub = text(fields, "method"), text(fields, "path"), text(fields, "hub")
    chosen = _operations(fields.get("operation"), action, operations, path)
    for name in sorted(chosen & ALLOWED.keys()):
        if action not in ALLOWED[name]:
            names = " or ".join(sorted(each.value for each in ALLOWED[name]))
            raise DocumentError("#/action", f"has to be {names} for {name}")
        for unused in ("method", "path"):
            if fields.get(unused) is not None:
                raise DocumentError(pointer(unused), f"selects requests, and {name} is none")
    if action is Action.PASS and not fields.get("delay"):
        raise DocumentError("#/delay", "is needed where nothing else happens")
    return Fault(
        action=action,
        operations=chosen,
        method=None if method is None else method.upper(),
        path=path,
        port=optional_integer(fields, "port", 1, 65535),
        hub=None if hub is None else hub.lower(),
        status=integer(fields, "status", _STATUSES.start, _STATUSES.stop - 1, 500),
        headers=_headers(fields.get("headers")),
        body=_body(fields),
        delay=number(fields, "delay", _MAX_DELAY, 0.0),
        times=optional_integer(fields, "times", 1, 2**31),
        share=number(fields, "share", 1.0, 1.0),
        seed=integer(fields, "seed", 0, 2**31, 0),
    )


def _action(fields: Fields) -> Action:
    name = fields.get("action")
    if name is None:
        return Action.ANSWER if "status" in fields else Action.PASS
    try:
        return Action(name)
    except ValueError:
        names = ", ".join(action.value for action in Action)
        raise DocumentError("#/action", f"has to be one of {names}") from None


def _operations(
    value: Json, action: Action, known: frozenset[str], path: str | None
) -> frozenset[str]:
    if value is None:
        return _DEFAULTS.get(action, frozenset()) if path is None else frozenset()
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) and name in known for name in names):
        raise DocumentError("#/operation", f"has to be of {', '.join(sorted(known))}")
    return frozenset(map(str, names))


def _headers(value: Json) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise DocumentError("#/headers", "has to be an object")
    for name, content in value.items():
        if _TOKEN.fullmatch(name) is None:
            raise DocumentError("#/headers", "has a name that no header can have")
        if not isinstance(content, str) or _HEADER_VALUE.fullmatch(content) is None:
            raise DocumentError(pointer("headers", name), "is no text for a header")
    return tuple((name, str(content)) for name, content in value.items())


def _body(fields: Fields) -> str:
    body = text(fields, "body") or ""
    try:
        body.encode()
    except UnicodeEncodeError:
        raise DocumentError("#/body", "holds half of a surrogate pair") from None
    return body
