"""Server-sent events (HTML standard, section 9.2) in chunks of HTTP/1.1 (RFC 9112, section 7.1).

Of the line ends that the standard allows, .NET clients up to version 8 take CR LF alone.
"""

import re

__all__ = ["OPENING_CHUNK", "event", "event_chunk"]

_LINE_END = re.compile(rb"\r\n|\r|\n")


def event(payload: bytes) -> bytes:
    """Write one event that carries UTF-8 text; a line end in it arrives as a line feed."""
    lines = _LINE_END.split(payload)
    return b"".join(b"data: " + line + b"\r\n" for line in lines) + b"\r\n"


def event_chunk(payload: bytes) -> bytes:
    """Write one event as `event` does, in a chunk."""
    return _chunk(event(payload))


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


OPENING_CHUNK = _chunk(b":\r\n\r\n")
"""A comment, which makes intermediaries and clients see the response at once."""
