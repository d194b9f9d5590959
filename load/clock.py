"""A wall clock for other processes that can be moved while they run."""

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["MovableClock"]

_MOVER: Final = Path(__file__).parent / "moved_clock"


@dataclass(frozen=True, slots=True)
class MovableClock:
    """The clock of every Python process that is started with `environment`.

    Args:
        file: Holds how far it is ahead; made here.
    """

    file: Path

    def __post_init__(self) -> None:
        """Set it right."""
        self.file.write_bytes(struct.pack("<d", 0.0))

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that a process and its children need."""
        paths = [str(_MOVER), os.environ.get("PYTHONPATH", "")]
        return {"MOVED_CLOCK": str(self.file), "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def move(self, seconds: float) -> None:
        """Set how far it is ahead of this machine's, in seconds; behind, if negative."""
        # In place, since the processes have mapped the file.
        with self.file.open("r+b") as opened:
            opened.write(struct.pack("<d", seconds))
