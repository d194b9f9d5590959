"""The lines of JSON by which an agent is told what to do and reports, as README.md describes."""

import argparse
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

__all__ = ["commands", "options", "ready", "say"]

_lock = threading.Lock()


def options() -> argparse.Namespace:
    """Read the command line: `url`, `transport` and `protocol`."""
    parser = argparse.ArgumentParser()
    for name in ("url", "transport", "protocol"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def say(event: str, **more: object) -> None:
    """Report something, from whatever thread.

    Args:
        event: What.
        more: The event's other fields.
    """
    with _lock:
        sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
        sys.stdout.flush()


def ready(library: str, capabilities: Sequence[str]) -> None:
    """Report that commands can come.

    Args:
        library: The library's name, by which it is installed.
        capabilities: What it can do beyond messages.
    """
    say("ready", library=library, version=version(library), capabilities=capabilities)


def commands() -> Iterator[dict[str, Any]]:
    """Yield what the agent is told, until there is no more."""
    yield from map(json.loads, sys.stdin)
