"""Runs targets with hypothesis, which makes a finding as small as it can be."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.target import Target

__all__ = ["FindingError", "examples", "examples_for", "inputs", "save"]

_ROUND: Final = 300
"""Inputs between two looks at the clock."""

_HARD: Final = (
    b"[" * 700 + b"]" * 700,
    b"[" * 20_000,
    b"\x91" * 700 + b"\xc0",
    b"9" * 30,
    b"9" * 400,
    b"0" * 5_000,
    b"1e999",
    b"\\ud800",
    b"\xf0\x9f\x98\x80",
    b"\xd6\xff\xff\xff\xff\xff",
)
"""Parts that parsers are known to stumble over: depth, long numbers, half characters, times."""


class FindingError(Exception):
    """An input breaks a target; the cause says how.

    Args:
        data: The smallest such input that was found.
        number: How many inputs the target was given.
    """

    def __init__(self, data: bytes, number: int) -> None:
        super().__init__(data[:100])
        self.data = data
        self.number = number


def inputs(seeds: Iterable[bytes]) -> st.SearchStrategy[bytes]:
    """Return any bytes, and seeds in which parts are replaced."""
    part = st.binary(max_size=8) | st.sampled_from(range(len(_HARD))).map(_HARD.__getitem__)
    change = st.tuples(st.integers(0, 300), st.integers(0, 8), part)
    seed = st.sampled_from((b"", *seeds))
    changed = st.tuples(seed, st.lists(change, max_size=4)).map(_changed)
    return st.binary(max_size=300) | changed | changed


def examples(target: Target, count: int, *, repeatable: bool = False) -> None:
    """Run a target with its seeds and with a number of other inputs.

    Args:
        target: The target.
        count: How many other inputs are made.
        repeatable: Whether they are the same each time.

    Raises:
        FindingError: One of them breaks it.
    """
    last, number = b"", 0

    def run(data: bytes) -> None:
        nonlocal last, number
        last, number = data, number + 1
        target.run(data)

    configured = settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=repeatable,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    fuzz: Callable[[], None] = configured(given(inputs(target.seeds))(run))
    try:
        for seed in target.seeds:
            run(seed)
        fuzz()
    except Exception as error:
        raise FindingError(last, number) from error


def examples_for(target: Target, seconds: float) -> int:
    """Run a target for some time and return the number of inputs; raises as `examples`."""
    end = monotonic() + seconds
    count = 0
    while monotonic() < end:
        examples(target, _ROUND)
        count += _ROUND + len(target.seeds)
    return count


def save(data: bytes, target: Target, folder: Path) -> Path:
    """Write an input into a file, which `python -m fuzz` takes again."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{target.name}-{hashlib.sha256(data).hexdigest()[:12]}"
    file.write_bytes(data)
    return file


def _changed(drawn: tuple[bytes, list[tuple[int, int, bytes]]]) -> bytes:
    data, changes = drawn
    for place, length, part in changes:
        start = place % (len(data) + 1)
        data = data[:start] + part + data[start + length :]
    return data
