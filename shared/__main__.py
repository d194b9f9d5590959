"""The command `keyless-signalr`."""

import sys

from . import __version__
from .command.program import run

__all__ = ["main"]


def main() -> int:
    """Run the command with the arguments of the process, and return its exit status."""
    return run(None, __version__)


if __name__ == "__main__":
    sys.exit(main())
