"""The log of the HTTP servers, without requests that are no HTTP.

aiohttp answers those with 400 and logs each with a traceback that quotes the request, in which a
token can stand.
"""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

__all__ = ["http_logger"]

_AFTER_RESPONSE = "Unhandled exception"


def http_logger() -> logging.Logger:
    """Give the logger of the HTTP servers."""
    logger = logging.getLogger("signalr_emulator.http")
    # A function of the module is added once, however many servers are made.
    logger.addFilter(_is_our_failure)
    return logger


def _is_our_failure(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        return False
    # After a response aiohttp reads on, and fails once more over a body that cannot be decoded.
    return not (isinstance(error, web.RequestPayloadError) and record.msg == _AFTER_RESPONSE)
