"""What the programs of this room say to whoever compares the builds, one line each."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["MISSING", "answer", "foreign", "refuse", "serve"]

MISSING: Final = "missing: "
"""How the line begins that says what a build does not have."""

_PRESENT: Final = Path(__file__).resolve().parents[3]
_MEASURING: Final = ("bench", "funchost")


def answer(figures: Sequence[float]) -> None:
    """Print figures.

    Raises:
        RuntimeError: They are not of this build: modules of the present one are in use.
    """
    # A copy, since a thread of what is measured may be importing.
    modules = sys.modules.copy()
    files = {name: getattr(module, "__file__", None) for name, module in modules.items()}
    # The search path begins with the build's root, or with its app, which is the same.
    if found := foreign(files, build=Path(sys.path[0]).resolve(), present=_PRESENT):
        raise RuntimeError(f"{found[0]} is that of the present build")
    print(json.dumps(figures), flush=True)


def serve(measure: Callable[[], Sequence[float]]) -> None:
    """Measure once for nothing, answer, and measure once for each line of the input."""
    measure()
    answer([])
    for _ in sys.stdin:
        answer(measure())


def refuse(error: Exception) -> None:
    """Print that the build does not have what is measured.

    Args:
        error: What says so.
    """
    print(f"{MISSING}{str(error).splitlines()[0] if str(error) else repr(error)}", flush=True)


def foreign(files: Mapping[str, str | None], *, build: Path, present: Path) -> list[str]:
    """Return the modules of the present build that another build must not use.

    Args:
        files: Files of the modules that are imported, by name.
        build: Root of the measured build.
        present: Root of the present one; packages are installed below it or elsewhere.
    """
    installed = Path(sys.prefix).resolve()
    return [
        name
        for name, file in files.items()
        if file is not None
        and (path := Path(file)).is_relative_to(present)
        and not path.is_relative_to(build)
        and not path.is_relative_to(installed)
        and name.partition(".")[0] not in (*_MEASURING, "__main__")
    ]
