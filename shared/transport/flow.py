"""Sans-I/O flows: what must exist both blocking and awaitable is written once.

A flow is a generator that yields effects (a request, a token, a pause) and receives their results.
It does no I/O itself: `run` drives it in the calling thread, `run_async` on an event loop.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..errors import SignalRError
from ..identity.token import Token, TokenSource
from ..keys.access_key import AccessKey, KeySource

__all__ = [
    "REQUEST_ID_HEADER",
    "TRACING_ID_HEADER",
    "Effect",
    "EffectResult",
    "Flow",
    "Gather",
    "GetKey",
    "GetToken",
    "NoAnswerError",
    "Recorded",
    "Recording",
    "Request",
    "Response",
    "Sleep",
    "request_id",
    "run",
    "run_async",
]


class GetToken(NamedTuple):
    """Effect: get a token for a request; its result is a `Token`.

    Arguments are those of `TokenSource.get`.
    """

    source: TokenSource
    url: str
    rejected: Token | None = None


class GetKey(NamedTuple):
    """Effect: get an access key, waiting for at most `timeout` seconds; its result is the key."""

    source: KeySource
    timeout: float


REQUEST_ID_HEADER: Final = "x-ms-client-request-id"
TRACING_ID_HEADER: Final = "X-ASRS-Message-Tracing-Id"
"""What names a message in the service's messaging logs (SDK for .NET, `Constants.Headers`)."""


# Neither is frozen: fields of frozen classes take ten times as long to set.
@dataclass(slots=True)
class Request:
    """Effect: send an HTTP request; its result is a `Response`.

    Args:
        method: HTTP method.
        url: Where to.
        headers: What proves who is asking, and what names the request in the service's logs.
        body: What is sent.
        operation: What the request is for, in telemetry.
        endpoint: Name of the endpoint that it goes to, in telemetry.
        hub: Name of the hub that it is about, in telemetry.
        shown_url: The URL without the names of users, groups and connections, for telemetry.
        read_timeout: Seconds of silence until the answer is given up, where the usual is too long.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    operation: str = ""
    endpoint: str = ""
    hub: str = ""
    shown_url: str = ""
    read_timeout: float | None = None


@dataclass(slots=True)
class Response:
    """What the service answered. Names in `headers` are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Recorded:
    """A request of which telemetry keeps a record.

    Args:
        request: It, with what names the record.
        response: What was answered.
    """

    request: Request
    response: Response | None = None


type Recording = Callable[[Request], AbstractContextManager[Recorded]]
"""Records a request that is sent in its block."""


def request_id(request: Request, response: Response | None = None) -> str:
    """Return the name that a request has in the logs of the service.

    It is the `x-ms-request-id` of the answer, and without one the `x-ms-client-request-id` that
    was sent along, or "".
    """
    given = response.headers.get("x-ms-request-id") if response is not None else None
    return given or request.headers.get(REQUEST_ID_HEADER, "")


class Sleep(NamedTuple):
    """Effect: let time pass; its result is `None`."""

    seconds: float


def _never(_: object) -> bool:
    return False


class Gather(NamedTuple):
    """Effect: run several flows at once; its result is what each came to, in their order.

    An outcome is what the flow returned, or the `ServiceError` that it raised. Any other error is
    raised at once.

    Args:
        flows: The flows.
        settles: Tells of an outcome whether the others need not be waited for.
        grace: Seconds that they have all the same. What has no outcome by then is given up, and
            comes to a `ServiceUnavailableError`.
    """

    flows: Sequence["Flow[object]"]
    settles: Callable[[object], bool] = _never
    grace: float = 0.0


class NoAnswerError(SignalRError):
    """A request got no answer. Raised into a flow, never out of it.

    Args:
        message: What happened.
        delivered: Whether the service may have received the request.
    """

    def __init__(self, message: str, *, delivered: bool) -> None:
        super().__init__(message)
        self.delivered = delivered


type Effect = GetToken | GetKey | Request | Sleep | Gather
type EffectResult = Token | AccessKey | Response | Sequence[object] | None
type Flow[T] = Generator[Effect, EffectResult, T]


def run[T](flow: Flow[T], perform: Callable[[Effect], EffectResult]) -> T:
    """Run a flow in this thread.

    Args:
        flow: The flow.
        perform: Does one effect and returns its result. What it raises is raised in the flow.

    Returns:
        What the flow returns.
    """
    try:
        effect = next(flow)
        while True:
            try:
                result = perform(effect)
            except Exception as error:  # noqa: BLE001  the flow decides what an error means
                effect = flow.throw(error)
            else:
                effect = flow.send(result)
    except StopIteration as stop:
        returned: T = stop.value
        return returned


async def run_async[T](flow: Flow[T], perform: Callable[[Effect], Awaitable[EffectResult]]) -> T:
    """Run a flow on the running event loop: `run` with an awaitable `perform`."""
    try:
        effect = next(flow)
        while True:
            try:
                result = await perform(effect)
            except Exception as error:  # noqa: BLE001  the flow decides what an error means
                effect = flow.throw(error)
            else:
                effect = flow.send(result)
    except StopIteration as stop:
        returned: T = stop.value
        return returned
