"""What stays as it is written, for somebody who wants to look at it: arguments, and errors."""

from contextlib import suppress

from ..documents.json_text import Json, decode
from ..documents.verbatim import members
from ..errors import JsonError, ProtocolError
from .conversion import json_text
from .messages import Completion
from .parts import elements
from .supported import JSON, HubProtocol

__all__ = ["arguments_in", "arguments_of", "error_of"]

_ARGUMENTS = 4
"""Where MessagePack has them in an invocation."""


def arguments_of(frame: bytes, protocol: HubProtocol) -> Json:
    """Give the arguments of an invocation as JSON values.

    Args:
        frame: One invocation with its framing.
        protocol: In what it is written.

    Returns:
        The arguments, or None if they have no form in JSON.
    """
    with suppress(ProtocolError):
        for record in protocol.reader(len(frame)).feed(frame):
            return arguments_in(record, protocol)
    return None


def arguments_in(record: bytes, protocol: HubProtocol) -> Json:
    """Give the same of an invocation without its framing."""
    # What belongs to the app is read by nobody before, so that anything may be there.
    with suppress(JsonError, ValueError, IndexError, KeyError):
        if protocol is JSON:
            return decode(members(record)["arguments"])
        return decode(json_text(elements(record)[_ARGUMENTS], "replace"))
    return None


def error_of(frame: bytes, protocol: HubProtocol) -> str | None:
    """Give the error with which a call ends, or None if it ends well.

    Args:
        frame: What answers the call, with its framing; of something else nothing is told.
        protocol: In what it is written.
    """
    with suppress(ProtocolError):
        for record in protocol.reader(len(frame)).feed(frame):
            message = protocol.parse(record)
            if isinstance(message, Completion):
                return message.error
    return None
