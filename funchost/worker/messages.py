"""HTTP requests and responses as a function sees them, and what names an invocation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import getrandbits
from typing import Final

__all__ = ["HttpRequest", "HttpResponse", "new_invocation_id", "trace_parent"]

# Version ff is forbidden, and so are identifiers of zeros only (W3C Trace Context, 3.2.2).
_TRACE_PARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


@dataclass(slots=True)
class HttpRequest:
    """A request for a function.

    Args:
        method: HTTP method.
        url: Absolute URL.
        headers: By names in lower case; values of a name that comes more than once are joined by
            commas.
        query: Likewise, by names as they were written.
        params: Values of the route's parameters.
        body: The body as it came.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class HttpResponse:
    """What a function answered.

    Args:
        status: HTTP status.
        headers: Its headers.
        body: Its body.
        cookies: Complete values of `Set-Cookie`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    cookies: tuple[str, ...] = ()


def new_invocation_id() -> str:
    """Return a random UUID (version 4) in its text form.

    It names an invocation and guards nothing, so it comes from the process's seeded generator: a
    tenth of the cost of asking the system for randomness on every request.
    """
    digits = getrandbits(128).to_bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def trace_parent(header: str | None) -> str:
    """Return the caller's `traceparent`, a fresh one when it sends none or an invalid one.

    The fresh one begins a trace that is not sampled.
    """
    if header is not None and _TRACE_PARENT.fullmatch(header):
        return header
    digits = getrandbits(192).to_bytes(24).hex()
    return f"00-{digits[:32]}-{digits[32:]}-00"
