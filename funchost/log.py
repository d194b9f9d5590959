"""Where log records go: one line each on stderr as it happens, with level and invocation.

The records of an app in a worker process go the same way, and say which process they come from.
"""

import functools
import logging
import sys
import time
from io import TextIOWrapper
from typing import Final

import azure_functions_runtime as library  # type: ignore[import-untyped]  # ships no py.typed
from aiohttp.http_exceptions import HttpProcessingError

__all__ = ["configure_logging", "write_line"]

_FORMAT: Final = "[{asctime}.{msecs:03.0f}Z] {levelname:<7} {origin}{message}"
_TIME: Final = "%Y-%m-%dT%H:%M:%S"
# They tell each request and each success in several lines.
_CHATTY: Final = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity")
# Their DEBUG records carry URLs with query values.
_QUIET: Final = ("asyncio", "msal", "urllib3")


def configure_logging(*, verbose: bool, worker: str = "") -> None:
    """Send every record of this process to stderr, and let what it prints appear at once.

    Args:
        verbose: Whether DEBUG records are shown too, with the worker library's own.
        worker: Name of this worker process; empty for the host's own.
    """
    formatter = logging.Formatter(_FORMAT, _TIME, "{")
    formatter.converter = time.gmtime
    console = logging.StreamHandler()
    console.setFormatter(formatter)
    console.addFilter(_Origin(worker))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[console])
    if not verbose:
        # The worker library writes several records an invocation; what it writes as errors comes
        # back as results too, and those are reported.
        own = logging.getLogger("azure.functions")
        own.setLevel(logging.WARNING)
        own.addFilter(lambda record: record.levelno < logging.ERROR)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("aiohttp.server").addFilter(_is_no_fault_of_a_caller)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def write_line(level: str, text: str) -> None:
    """Write a line of the host's own about an invocation, in the form of the others.

    In Azure the host is another process: its lines are none of the app's records, which the app may
    send elsewhere, and cost the app nothing. So no record is made of them.

    Args:
        level: Name of the level.
        text: What happened.
    """
    now = time.time()
    sys.stderr.write(f"[{_second(int(now))}.{int(now % 1 * 1000):03}Z] {level:<7} {text}\n")


@functools.lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return time.strftime(_TIME, time.gmtime(seconds))


class _Origin(logging.Filter):
    """Gives a record the worker process and the invocation that it comes from."""

    def __init__(self, worker: str) -> None:
        super().__init__()
        self._worker = f"[{worker}] " if worker else ""

    def filter(self, record: logging.LogRecord) -> bool:
        invocation_id = library.invocation_id_cv.get()
        record.origin = self._worker + (f"[{invocation_id}] " if invocation_id else "")
        return True


def _is_no_fault_of_a_caller(record: logging.LogRecord) -> bool:
    # For a malformed request the record would quote it, with headers and query values.
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)
