"""Which right name somebody meant who has written a wrong one."""

from collections.abc import Iterable

__all__ = ["nearest"]

_SIMILAR = 0.7
"""How alike two names are of which one is a slip for the other, from 0 to 1."""


def nearest(name: str, right: Iterable[str]) -> str | None:
    """Return the right name that is most like a wrong one, or `None` if none is like it.

    Args:
        name: The wrong name. The case of its letters does not count.
        right: The right names.
    """
    written = {each.lower(): each for each in right}
    if name.lower() in written:
        return written[name.lower()]
    # A caller may send any length, and none of so many letters is a slip.
    if len(name) > 2 * max(map(len, written), default=0):
        return None
    # Not above: nobody needs it who has written everything well.
    from difflib import get_close_matches  # noqa: PLC0415

    found = get_close_matches(name.lower(), written, n=1, cutoff=_SIMILAR)
    return written[found[0]] if found else None
