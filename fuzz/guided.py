"""Runs one target under atheris, which keeps what reaches new code and changes it further.

    python -m fuzz.guided TARGET CORPUS [options of libFuzzer]

A process of its own, since libFuzzer ends the one that it runs in. With a file for CORPUS it runs
that input alone.
"""

import sys
from typing import Final

import atheris

# Our own code and what reads tokens; all of it would take half a minute to import.
_INSTRUMENTED: Final = [
    "broadcast", "funchost", "jwt", "negotiate", "problems", "shared", "signalr_emulator",
    "upstream",
]  # fmt: skip

with atheris.instrument_imports(include=_INSTRUMENTED):
    from fuzz.targets import TARGETS

__all__: list[str] = []


def main() -> None:
    """Fuzz the target that the command line names."""
    run = TARGETS[sys.argv.pop(1)].run
    atheris.Setup(sys.argv, run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
