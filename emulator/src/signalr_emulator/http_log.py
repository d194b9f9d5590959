"""The logs of the HTTP servers.

Without requests that are no HTTP: aiohttp answers those with 400 and logs each with a traceback
that quotes the request, in which a token can stand. And of the others without what they were asked,
since browsers send client tokens in the query.
"""

import logging
import sys
from urllib.parse import quote

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

__all__ = ["RequestLogger", "http_logger", "request_logger", "show_requests"]

_AFTER_RESPONSE = "Unhandled exception"
_LONGEST_PATH = 200
_PATH_CHARACTERS = "/%!$&'()*+,;=:@"
"""What a path may hold beside letters and digits (RFC 3986, section 3.3), or has encoded."""


class RequestLogger(AbstractAccessLogger):
    """Writes a line for each request that has been answered; a WebSocket's when it has ended."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line of a request.

        Args:
            request: What was asked.
            response: What it was answered with.
            time: How long that took, in seconds.
        """
        # What a caller has made up neither breaks the line nor speaks to the terminal.
        path = quote(request.rel_url.raw_path[:_LONGEST_PATH], _PATH_CHARACTERS)
        self.logger.info(
            "emulator: %s %s %d %.0f ms", request.method, path, response.status, time * 1000
        )

    @property
    def enabled(self) -> bool:
        """Whether requests are shown."""
        return self.logger.isEnabledFor(logging.INFO)


def http_logger() -> logging.Logger:
    """Give the logger of the HTTP servers."""
    logger = logging.getLogger("signalr_emulator.http")
    # A function of the module is added once, however many servers are made.
    logger.addFilter(_is_our_failure)
    return logger


def request_logger() -> logging.Logger:
    """Give the logger of requests, which writes none unless `show_requests` was called."""
    return logging.getLogger("signalr_emulator.requests")


def show_requests() -> None:
    """Write requests to stderr."""
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = request_logger()
    logger.addHandler(console)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _is_our_failure(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        return False
    # After a response aiohttp reads on, and fails once more over a body that cannot be decoded.
    return not (isinstance(error, web.RequestPayloadError) and record.msg == _AFTER_RESPONSE)
