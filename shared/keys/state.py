"""What an operator wants to know of a key."""

from typing import NamedTuple

from ..errors import ServiceError

__all__ = ["KeyState"]


class KeyState(NamedTuple):
    """What an operator wants to know of a key.

    Args:
        key_id: The service's name for it, or `None` while there is none.
        age: Seconds since it was asked for.
        next_refresh: Seconds until the next one is asked for.
        error: Why the last attempt failed, or `None` when it did not.
    """

    key_id: str | None
    age: float | None
    next_refresh: float
    error: ServiceError | None
