"""Runs a program of this room in a process of a build: `python -P start.py PROGRAM ARGUMENT ...`.

PYTHONPATH names the build's sources. Of the present build come the program and the host that speaks
to Microsoft's worker library, the same for both builds, and nothing else.
"""

import sys
from importlib import import_module
from pathlib import Path

_PRESENT = str(Path(__file__).resolve().parents[3])


def main(name: str, *arguments: str) -> None:
    """Run a program, or print that the build does not have what it measures."""
    sys.path.insert(0, _PRESENT)
    # Their modules are found through these packages from here on.
    import_module("funchost")
    answers = import_module("bench.against.inside.answers")
    sys.path.remove(_PRESENT)
    try:
        import_module(f"bench.against.inside.{name}").main(*arguments)
    except (ImportError, AttributeError, LookupError) as error:
        answers.refuse(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
