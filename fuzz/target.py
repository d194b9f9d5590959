"""A target: a named function that takes any bytes and raises if an invariant is broken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["TARGETS", "Target", "pieces", "target", "text"]


@dataclass(frozen=True, slots=True)
class Target:
    """Something to be fuzzed.

    Args:
        name: Its name.
        run: Takes any bytes; an exception is a finding.
        seeds: Inputs from which others are made: valid ones, of each kind that there is.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


TARGETS: Final[dict[str, Target]] = {}
"""All of them, by their names; `fuzz.targets` fills it."""


def target(
    *seeds: bytes,
) -> Callable[[Callable[[bytes], None]], Callable[[bytes], None]]:
    """Register a function as a target, under its own name."""

    def register(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
        TARGETS[run.__name__] = Target(run.__name__, run, seeds)
        return run

    return register


def pieces(data: bytes) -> tuple[bytes, list[bytes]]:
    """Return a stream as a whole and cut: the first byte says into how long pieces."""
    size, whole = (data[0] + 1 if data else 1), data[1:]
    return whole, [whole[start : start + size] for start in range(0, len(whole), size)]


def text(data: bytes) -> str:
    """Return bytes as a header's text: those that are no UTF-8 become lone surrogates."""
    return data.decode(errors="surrogateescape")
