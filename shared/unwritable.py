"""Where in a value something stands that cannot be written, for whoever has to find it."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["UNWRITABLE", "unwritable"]

UNWRITABLE: Final = (TypeError, ValueError, OverflowError, RecursionError)
"""What the writers of JSON and MessagePack raise."""

_LONGEST_KEY: Final = 40

type _Write = Callable[[object], object]


def unwritable(value: object, write: _Write) -> str:
    """Say what in a value cannot be written, and where.

    Args:
        value: What could not be written.
        write: Raises an error of `UNWRITABLE` for what it cannot write.

    Returns:
        A clause such as `[0]['price'] is NaN`, which says nothing of what can be written but keys.
    """
    try:
        return _fault(value, "", write, set()) or "it is nested too deeply"
    except RecursionError:
        return "it is nested too deeply"


def _fault(value: object, place: str, write: _Write, around: set[int]) -> str | None:
    if id(value) in around:
        return f"{place or 'it'} contains itself"
    if not isinstance(value, dict | list | tuple):
        return None if _can(write, value) else f"{place or 'it'} {_reason(value)}"
    for key in value if isinstance(value, dict) else ():
        if not _can(write, {key: None}):
            return f"{place or 'it'} has a key that {_reason(key)}"
    around.add(id(value))
    for step, inner in _steps(value):
        fault = _fault(inner, place + step, write, around)
        if fault is not None:
            return fault
    around.discard(id(value))
    return None


def _steps(
    value: dict[object, object] | list[object] | tuple[object, ...],
) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"[{key!r:.{_LONGEST_KEY}}]", inner
    else:
        for index, inner in enumerate(value):
            yield f"[{index}]", inner


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
