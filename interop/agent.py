"""A client library's agent as a process that is told what to do and asked what it saw."""

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, Self, cast

__all__ = ["PATIENCE", "Agent", "AgentError", "expect", "running_agent"]

PATIENCE: Final = 20.0
"""Seconds that an event may take. Some clients notice the end at the next ping, in 10."""

_ROOT: Final = Path(__file__).parents[1]
_LONGEST_LINE: Final = 300
"""Characters of an event that an error shows; some hold 200 KB."""

type Event = dict[str, Any]


class AgentError(Exception):
    """An agent did not report what it should; the message says what it reported."""


def expect(condition: object, otherwise: str) -> None:
    """Check something that was seen.

    Args:
        condition: What has to be true.
        otherwise: What is said if it is not.

    Raises:
        AgentError: It is not.
    """
    if not condition:
        raise AgentError(otherwise)


class Agent:
    """An agent that runs.

    Args:
        command: Its command line.
        log: Where its standard error goes.
    """

    def __init__(self, command: Sequence[str], log: IO[bytes]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own commands
            command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        self._said = threading.Condition()
        self._waiting: list[Event] = []
        self._seen: list[str] = []
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can come from it."""
        return self._ended

    def tell(self, command: str, **details: object) -> None:
        """Tell it to do something.

        Args:
            command: What, as the protocol names it.
            details: The command's other fields.

        Raises:
            AgentError: It has ended.
        """
        keyboard = cast("IO[bytes]", self._process.stdin)
        try:
            keyboard.write(json.dumps({"do": command, **details}).encode() + b"\n")
            keyboard.flush()
        except OSError as error:
            raise AgentError(f"the agent had ended before {command}; {self._history()}") from error

    def wait_for(self, *events: str, within: float = PATIENCE, **fields: object) -> Event:
        """Take the first report of one of these events, which may have come already.

        Args:
            events: Names of events.
            within: Seconds that it may take.
            fields: What its fields have to be.

        Raises:
            AgentError: It did not come, or what was asked for has failed.
        """
        deadline = time.monotonic() + within
        with self._said:
            while True:
                for event in self._waiting:
                    if event["event"] in events and event.items() >= fields.items():
                        self._waiting.remove(event)
                        return event
                    if event["event"] == "failed":
                        self._waiting.remove(event)
                        raise AgentError(f"{event.get('error')}")
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    break
                self._said.wait(left)
        raise AgentError(f"{' or '.join(events)} never came; {self._history()}")

    def has_seen(self, *events: str) -> bool:
        """Tell whether it has reported one of these events that nobody has waited for.

        Args:
            events: Names of events.
        """
        with self._said:
            return any(each["event"] in events for each in self._waiting)

    def end(self) -> None:
        """End it by the end of its standard input, and by force if it does not heed that."""
        with contextlib.suppress(OSError):
            cast("IO[bytes]", self._process.stdin).close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        cast("IO[bytes]", self._process.stdout).close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.end()

    def _read(self) -> None:
        for line in cast("IO[bytes]", self._process.stdout):
            event = _parsed(line)
            with self._said:
                self._waiting.append(event)
                self._seen.append(line.decode(errors="replace").strip()[:_LONGEST_LINE])
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    def _history(self) -> str:
        ended = " and ended" if self._ended else ""
        return f"the agent said {' '.join(self._seen[-8:]) or 'nothing'}{ended}"


def _parsed(line: bytes) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if isinstance(event, dict) and "event" in event:
        return event
    return {"event": "failed", "error": f"no event as a line of JSON: {line[:_LONGEST_LINE]!r}"}


@contextlib.contextmanager
def running_agent(command: Sequence[str], log: Path) -> Iterator[Agent]:
    """Run an agent until the end of the block.

    Args:
        command: Its command line.
        log: The file to which its standard error is added.
    """
    with log.open("ab") as opened, Agent(command, opened) as agent:
        yield agent
