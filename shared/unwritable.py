"""Where in a value something stands that cannot be written, for whoever has to find it."""

import json
import math
from collections.abc import Callable
from typing import Final, NamedTuple

__all__ = ["UNWRITABLE", "unwritable"]

UNWRITABLE: Final = (TypeError, ValueError, OverflowError, RecursionError)
"""What the writers of JSON and MessagePack raise."""

_LONGEST_KEY: Final = 40

type _Write = Callable[[object], object]


class _Fault(NamedTuple):
    """What cannot be written, and the steps that lead to it, the last one first.

    They are written for it alone: the place of each value would be long where one is wide and deep.
    """

    problem: str
    steps: list[str]


def unwritable(value: object, write: _Write) -> str:
    """Say what in a value cannot be written, and where.

    Args:
        value: What could not be written.
        write: Raises an error of `UNWRITABLE` for what it cannot write.

    Returns:
        A clause such as `[0]['price'] is NaN`, which says nothing of what can be written but keys.
    """
    try:
        found = _fault(value, write, set())
    except RecursionError:
        found = None
    if found is None:
        return "it is nested too deeply"
    return f"{''.join(reversed(found.steps)) or 'it'} {found.problem}"


def _fault(value: object, write: _Write, around: set[int]) -> _Fault | None:
    if id(value) in around:
        return _Fault("contains itself", [])
    if not isinstance(value, dict | list | tuple):
        return None if _can(write, value) else _Fault(_reason(value), [])
    for key in value if isinstance(value, dict) else ():
        if not _can(write, {key: None}):
            return _Fault(f"has a key that {_reason(key)}", [])
    around.add(id(value))
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found = _fault(inner, write, around)
        if found is not None:
            found.steps.append(f"[{step!r:.{_LONGEST_KEY}}]")
            return found
    around.discard(id(value))
    return None


def _can(write: _Write, value: object) -> bool:
    try:
        write(value)
    except UNWRITABLE:
        return False
    return True


def _reason(value: object) -> str:
    from decimal import Decimal  # noqa: PLC0415  for which no cold start should wait

    match value:
        case float():
            return f"is {json.dumps(value)}"
        case Decimal() if not value.is_finite():
            return f"is {value}"
        case Decimal() if math.isinf(float(value)):
            return "is a number that is too large"
        case str():
            return "contains half of a surrogate pair"
        case int():
            return "is a number that is too large"
        case _:
            return f"is a value of type {type(value).__name__}"
