"""How much memory a process keeps that has read many messages, most of them spoilt."""

import gc
import re
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from signalr_emulator.errors import EmulatorError

__all__ = ["Growth", "growth", "spoilt"]

type Read = Callable[[bytes], object]


class Growth(NamedTuple):
    """What a process has kept, in bytes.

    Args:
        read: How many messages were read and not refused.
        refused: How many were.
        traced: In objects of Python, after one more time.
        resident: In memory of the process, by whatever it was taken, after another time.
    """

    read: int
    refused: int
    traced: int
    resident: int


def growth(reads: Iterable[Read], messages: Iterable[bytes]) -> Growth:
    """Read messages and all that is spoilt of them, in a process whose memory is nobody else's.

    Args:
        reads: What reads a message; functions of a module.
        messages: Well-formed ones.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_growth, list(reads), list(messages)).result()


def spoilt(message: bytes) -> Iterator[bytes]:
    """Yield every beginning of a message, and the message with each byte as every other one."""
    for at in range(len(message)):
        yield message[:at]
        for byte in range(1 << 8):
            yield message[:at] + bytes((byte,)) + message[at + 1 :]


def _growth(reads: list[Read], messages: list[bytes]) -> Growth:
    # What is made once is made the first time.
    read, refused = _read_all(reads, messages)
    resident = _resident()
    _read_all(reads, messages)
    resident = _resident() - resident
    tracemalloc.start()
    _read_all(reads, messages)
    traced, _peak = tracemalloc.get_traced_memory()
    return Growth(read, refused, traced, resident)


def _read_all(reads: list[Read], messages: list[bytes]) -> tuple[int, int]:
    tries = read = 0
    for message in messages:
        for each in spoilt(message):
            for function in reads:
                tries += 1
                with suppress(EmulatorError):
                    function(each)
                    read += 1
    gc.collect()
    return read, tries - read


def _resident() -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
