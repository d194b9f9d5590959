"""What the host and a worker process say to each other, as bytes.

A frame is two lengths (32 bit, big endian), a JSON object and bytes that belong to it. The host
sends a `Call` for each request, in any number at a time; the process sends one `Loaded` or
`Refused`, then an `Answer` for each call as it comes to its end.
"""

import json
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from struct import Struct
from typing import Any, Final

from .functions import Function
from .messages import HttpRequest, HttpResponse

__all__ = ["Answer", "Call", "Frame", "Loaded", "Refused", "read_started", "receive"]

_LENGTHS: Final = Struct(">II")

type Frame = list[bytes]


@dataclass(frozen=True, slots=True)
class Call:
    """Run a function.

    Args:
        number: Names the call on this connection.
        function: The function's name.
        invocation_id: The id of the invocation.
        request: What the function gets.
    """

    number: int
    function: str
    invocation_id: str
    request: HttpRequest

    def frame(self) -> Frame:
        """Write it."""
        request = self.request
        head = [
            *(self.number, self.function, self.invocation_id),
            *(request.method, request.url, request.headers, request.query, request.params),
        ]
        return _frame({"call": head}, request.body)

    @classmethod
    def read(cls, head: Mapping[str, Any], body: bytes) -> "Call":
        """Read what `frame` wrote."""
        number, function, invocation_id, method, url, headers, query, params = head["call"]
        request = HttpRequest(method, url, headers, query, params, body)
        return cls(number, function, invocation_id, request)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended: a response, or the error of the function.

    Args:
        number: Names the call.
        response: What the function answered; `None` where it failed.
        error: What went wrong, where it failed.
        stack_trace: The formatted trace, where there is one.
    """

    number: int
    response: HttpResponse | None
    error: str = ""
    stack_trace: str = ""

    def frame(self) -> Frame:
        """Write it."""
        response = self.response
        if response is None:
            return _frame({"failure": [self.number, self.error, self.stack_trace]})
        head = [self.number, response.status, dict(response.headers), response.cookies]
        return _frame({"response": head}, response.body)

    @classmethod
    def read(cls, head: Mapping[str, Any], body: bytes) -> "Answer":
        """Read what `frame` wrote."""
        if "failure" in head:
            number, error, stack_trace = head["failure"]
            return cls(number, None, error, stack_trace)
        number, status, headers, cookies = head["response"]
        return cls(number, HttpResponse(status, headers, body, tuple(cookies)))


@dataclass(frozen=True, slots=True)
class Loaded:
    """The process has loaded the app and takes calls.

    Args:
        functions: The app's functions.
    """

    functions: tuple[Function, ...]

    def frame(self) -> Frame:
        """Write it."""
        return _frame({"loaded": list(map(asdict, self.functions))})


@dataclass(frozen=True, slots=True)
class Refused:
    """The app cannot be loaded.

    Args:
        error: What went wrong.
        stack_trace: The formatted trace, empty when there is none.
    """

    error: str
    stack_trace: str

    def frame(self) -> Frame:
        """Write it."""
        return _frame({"refused": [self.error, self.stack_trace]})


def read_started(head: Mapping[str, Any]) -> Loaded | Refused:
    """Read the first frame of a worker process."""
    if "refused" in head:
        return Refused(*head["refused"])
    return Loaded(tuple(map(_function, head["loaded"])))


async def receive(reader: StreamReader) -> tuple[dict[str, Any], bytes] | None:
    """Return the next object and its bytes; `None` once the other side is gone."""
    try:
        head, body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        return json.loads(await reader.readexactly(head)), await reader.readexactly(body)
    except (IncompleteReadError, ConnectionError):
        return None


def _frame(head: object, body: bytes = b"") -> Frame:
    text = json.dumps(head, separators=(",", ":")).encode()
    parts = [_LENGTHS.pack(len(text), len(body)) + text, body]
    # A transport of asyncio never gets rid of an empty part at the end.
    return parts if body else parts[:1]


def _function(fields: Mapping[str, Any]) -> Function:
    lists = {name: tuple(fields[name]) for name in ("methods", "unserved")}
    return Function(**{**fields, **lists})
