"""Where log records go: one line each on stderr as it happens.

The records of an app in a worker process go the same way. Each says which function has written it,
and each request is one line more, with neither query nor headers, in which secrets stand.
"""

import functools
import logging
import os
import sys
import time
from dataclasses import dataclass
from enum import IntEnum
from io import TextIOWrapper
from typing import Final
from urllib.parse import quote

__all__ = ["RUNNING", "RequestLog", "Volume", "configure_logging"]

RUNNING: Final[dict[str, str]] = {}
"""The names of the functions that run in this process, by invocation id."""

_FORMAT: Final = "{time} {level} {origin}{message}"
# They tell each request and each success in several lines.
_CHATTY: Final = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity")
# Their DEBUG records carry URLs with query values.
_QUIET: Final = ("asyncio", "msal", "urllib3")
_LONGEST_PATH: Final = 200
# What a path may hold beside letters and digits (RFC 3986, 3.3), and what is encoded already.
_PATH_CHARACTERS: Final = "/%!$&'()*+,;=:@"
# Select Graphic Rendition of ECMA-48.
_RED: Final = "31"
_YELLOW: Final = "33"
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500


class Volume(IntEnum):
    """How much is logged: records from this level on."""

    QUIET = logging.WARNING
    NORMAL = logging.INFO
    VERBOSE = logging.DEBUG


def configure_logging(volume: Volume, *, worker: str = "") -> None:
    """Send the records of this process to stderr, and let what it prints appear at once.

    Args:
        volume: How much of them. `VERBOSE` has the worker library's own too, and gives each line
            the date, the worker process and the invocation.
        worker: Name of this worker process; empty for the host's own.
    """
    console = logging.StreamHandler()
    console.setFormatter(logging.Formatter(_FORMAT, style="{"))
    console.addFilter(_Origin(volume, worker))
    logging.basicConfig(level=volume, handlers=[console])
    if volume is not Volume.VERBOSE:
        # The worker library writes several records an invocation; what it writes as errors comes
        # back as results too, and those are reported.
        own = logging.getLogger("azure.functions")
        own.setLevel(logging.WARNING)
        own.addFilter(lambda record: record.levelno < logging.ERROR)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(volume, Volume.NORMAL))
    logging.getLogger("aiohttp.server").addFilter(_is_no_fault_of_a_caller)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


@dataclass(frozen=True, slots=True)
class RequestLog:
    """What the host writes about requests and reloads, in the form of the other lines.

    In Azure the host is another process: its lines are none of the app's records, which the app may
    send elsewhere, and cost the app nothing. So no records are made of them.

    Args:
        volume: How much is written. Requests and reloads always are.
    """

    volume: Volume = Volume.NORMAL

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Write the line of a request.

        Args:
            method: Its method.
            path: The path of its URL, without the query.
            status: What it was answered with.
            seconds: How long that took.
        """
        # What a caller has made up neither breaks the line nor speaks to the terminal.
        shown = quote(path[:_LONGEST_PATH], _PATH_CHARACTERS)
        answered = _painted(str(status), _status_colour(status))
        self.note(f"{method} {shown} {answered} {seconds * 1000:.0f} ms")

    def line(self, level: int, text: str) -> None:
        """Write a line about a request.

        Args:
            level: As in `logging`; what lies below the volume is not written.
            text: What happened.
        """
        if level >= self.volume:
            self.note(f"{_level(level)} {text}")

    def note(self, text: str) -> None:
        """Write a line about what the host has done, whatever the volume."""
        sys.stderr.write(f"{_time(time.time(), self.volume)} {text}\n")


class _Origin(logging.Filter):
    """Gives a record its time, and says where it comes from."""

    def __init__(self, volume: Volume, worker: str) -> None:
        super().__init__()
        self._volume = volume
        self._worker = f"[{worker}] " if worker else ""

    def filter(self, record: logging.LogRecord) -> bool:
        # A process that has not imported the library runs no function, and a host that has worker
        # processes for them should not wait for its import.
        library = sys.modules.get("azure_functions_runtime")
        invocation_id = library.invocation_id_cv.get() if library else None
        function = RUNNING.get(invocation_id) if invocation_id else None
        origin = f"{function}: " if function else ""
        if self._volume is Volume.VERBOSE:
            invocation = f"[{invocation_id}] " if invocation_id else ""
            origin = f"{self._worker}{invocation}{origin}"
        record.time = _time(record.created, self._volume)
        record.level = _level(record.levelno)
        record.origin = origin
        return True


def _level(level: int) -> str:
    name = f"{logging.getLevelName(level):<7}"
    if level >= logging.ERROR:
        return _painted(name, _RED)
    return _painted(name, _YELLOW) if level >= logging.WARNING else name


def _status_colour(status: int) -> str:
    if status >= _SERVER_ERROR:
        return _RED
    return _YELLOW if status >= _CLIENT_ERROR else ""


def _painted(text: str, colour: str) -> str:
    return f"\033[{colour}m{text}\033[0m" if colour and _shows_colours() else text


@functools.cache
def _shows_colours() -> bool:
    # NO_COLOR: https://no-color.org. The consoles of older Windows would print the sequences.
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stderr.isatty() and (os.name != "nt" or "WT_SESSION" in os.environ)


def _time(seconds: float, volume: Volume) -> str:
    whole = int(seconds)
    if volume is Volume.VERBOSE:
        return f"[{_second(whole)}.{int(seconds % 1 * 1000):03}Z]"
    return _time_of_day(whole)


@functools.lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@functools.lru_cache(maxsize=1)
def _time_of_day(seconds: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def _is_no_fault_of_a_caller(record: logging.LogRecord) -> bool:
    # Only a process that serves HTTP has imported it.
    from aiohttp.http_exceptions import HttpProcessingError  # noqa: PLC0415

    # For a malformed request the record would quote it, with headers and query values.
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)
