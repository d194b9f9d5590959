"""One description of a conversation with the service, two ways to hold it.

What must exist both blocking and awaitable is written once, as a generator that yields steps and
receives their answers. It does no I/O. `run` holds the conversation in the calling thread,
`run_async` on an event loop.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field

from shared.errors import SignalRError

__all__ = [
    "Answer",
    "EntraToken",
    "Flow",
    "GetToken",
    "NoAnswerError",
    "Request",
    "Response",
    "Step",
    "Wait",
    "run",
    "run_async",
]


@dataclass(frozen=True, slots=True)
class GetToken:
    """Step: get an Entra token; answered with an `EntraToken`."""


@dataclass(frozen=True, slots=True)
class EntraToken:
    """An Entra access token of the app's own identity.

    Args:
        value: The token as it goes into the `Authorization` header.
        expires_at: When it ends, in epoch seconds.
    """

    value: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class Request:
    """Step: send an HTTP request; answered with a `Response`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What the service answered. Names in `headers` are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Step: let time pass; answered with `None`."""

    seconds: float


class NoAnswerError(SignalRError):
    """A request got no answer. Raised into a flow, never out of it.

    Args:
        message: What happened.
        delivered: Whether the service may have received the request.
    """

    def __init__(self, message: str, *, delivered: bool) -> None:
        super().__init__(message)
        self.delivered = delivered


type Step = GetToken | Request | Wait
type Answer = EntraToken | Response | None
type Flow[T] = Generator[Step, Answer, T]


def run[T](flow: Flow[T], perform: Callable[[Step], Answer]) -> T:
    """Hold a conversation in this thread.

    Args:
        flow: The conversation.
        perform: Does one step and returns its answer. What it raises is raised in the flow.

    Returns:
        What the flow returns.
    """
    try:
        step = next(flow)
        while True:
            try:
                answer = perform(step)
            except Exception as error:  # noqa: BLE001  the flow decides what an error means
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def run_async[T](flow: Flow[T], perform: Callable[[Step], Awaitable[Answer]]) -> T:
    """Hold a conversation on the running event loop: `run` with an awaitable `perform`."""
    try:
        step = next(flow)
        while True:
            try:
                answer = await perform(step)
            except Exception as error:  # noqa: BLE001  the flow decides what an error means
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
