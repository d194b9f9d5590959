"""Runs a module with the wall clock moved by what a file says, as on a machine whose time passes.

    python moved_clock.py FILE MODULE [ARGUMENT ...]

FILE holds seconds as text and may change at any time. The module under test knows nothing of it.
"""

import runpy
import sys
import time
from pathlib import Path


def main() -> None:
    file, module = Path(sys.argv[1]), sys.argv[2]
    real = time.time

    def moved() -> float:
        return real() + float(file.read_text())

    time.time = moved
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path.cwd())  # as for python -m
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
