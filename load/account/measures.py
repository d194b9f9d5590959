"""Memory and CPU of processes, from `/proc`. Linux only.

Source of the fields: proc(5).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .journal import now

__all__ = ["Sampler", "Series", "descendants"]

_PROC: Final = Path("/proc")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICK: Final = os.sysconf("SC_CLK_TCK")
_MEGABYTE: Final = 1024 * 1024


def descendants(pid: int) -> list[int]:
    """Give a process and all that it has started, directly or not."""
    children: dict[int, list[int]] = {}
    for each in _PROC.iterdir():
        if each.name.isdigit() and (fields := _stat(int(each.name))):
            children.setdefault(int(fields[1]), []).append(int(each.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


@dataclass(slots=True)
class Series:
    """What one program has used over time.

    Args:
        times: Seconds from the beginning.
        megabytes: Resident memory at each, of all its processes.
        cpu_seconds: CPU time at the last one.
    """

    times: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0


class Sampler:
    """Looks at programs now and then.

    Args:
        programs: Gives the main process of each at present, by the program's name.
    """

    def __init__(self, programs: Callable[[], Mapping[str, int]]) -> None:
        self.series = {name: Series() for name in programs()}
        self._programs = programs
        self._began = now()
        self._machine = _machine_ticks()
        # CPU time by program and process, since those that are gone count as well.
        self._before = {key: ticks for key, (ticks, _) in self._look().items()}
        self._spent: dict[tuple[str, int], int] = {}

    def sample(self) -> None:
        """Look once."""
        memory = dict.fromkeys(self.series, 0)
        for (name, pid), (ticks, size) in self._look().items():
            self._spent[name, pid] = ticks - self._before.get((name, pid), 0)
            memory[name] += size
        for name, series in self.series.items():
            series.times.append(round(now() - self._began, 1))
            series.megabytes.append(round(memory[name] / _MEGABYTE, 2))
            spent = sum(ticks for key, ticks in self._spent.items() if key[0] == name)
            series.cpu_seconds = round(spent / _TICK, 2)

    def machine_share(self) -> float:
        """Give the part of all cores that was busy since the beginning, from 0 to 1."""
        busy, total = (
            later - earlier for later, earlier in zip(_machine_ticks(), self._machine, strict=True)
        )
        return busy / total if total else 0.0

    def _look(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Give CPU ticks and memory in bytes by program and process."""
        return {
            (name, pid): (int(fields[11]) + int(fields[12]), int(fields[21]) * _PAGE)
            for name, main in self._programs().items()
            for pid in ([main] if main == os.getpid() else descendants(main))
            if (fields := _stat(pid))
        }


def _stat(pid: int) -> list[str]:
    """Give the fields of /proc/<pid>/stat after the name; none of a process that is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _machine_ticks() -> tuple[int, int]:
    """Give ticks in which a core was busy, and all ticks."""
    ticks = [int(each) for each in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)
