"""One description of a conversation with the service, two ways to hold it.

What must exist both blocking and awaitable is written once, as a generator that yields steps and
receives their answers. It does no I/O. `run` holds the conversation in the calling thread,
`run_async` on an event loop.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from shared.access_key import AccessKey
from shared.errors import SignalRError

__all__ = [
    "REQUEST_ID_HEADER",
    "Answer",
    "Flow",
    "GetKey",
    "GetToken",
    "KeySource",
    "NoAnswerError",
    "Request",
    "Response",
    "Step",
    "Together",
    "Token",
    "TokenSource",
    "Wait",
    "request_id",
    "run",
    "run_async",
]


@dataclass(frozen=True, slots=True)
class Token:
    """What proves to the service who is asking.

    Args:
        value: The token as it goes into the `Authorization` header.
        expires_at: When it ends, in epoch seconds.
    """

    value: str = field(repr=False)
    expires_at: float


class TokenSource(Protocol):
    """Gives tokens for requests to the service."""

    def at_hand(self, url: str, rejected: Token | None = None) -> Token | None:
        """Return a token that takes no waiting, if there is one; arguments as of `get`."""

    def get(self, url: str, rejected: Token | None = None) -> Token:
        """Return a token that is valid now, blocking.

        Args:
            url: What it is for.
            rejected: A token that the service does not accept, so that another one is wanted.

        Raises:
            AuthenticationError: There is none.
        """

    def after_fork(self) -> None:
        """Make it usable in a child process."""


class KeySource(Protocol):
    """Gives the access key that signs client tokens."""

    def get(self, timeout: float) -> AccessKey:
        """Return a usable key, blocking for at most `timeout` seconds.

        Raises:
            ServiceUnavailableError: There is none; the cause says why.
        """

    async def get_async(self, timeout: float) -> AccessKey:  # noqa: ASYNC109  many wait on one fetch
        """Return a usable key: `get` for an event loop."""


class GetToken(NamedTuple):
    """Step: get a token for a request; answered with a `Token`. Arguments as `TokenSource.get`."""

    source: TokenSource
    url: str
    rejected: Token | None = None


class GetKey(NamedTuple):
    """Step: get an access key, waiting for at most `timeout` seconds; answered with it."""

    source: KeySource
    timeout: float


REQUEST_ID_HEADER: Final = "x-ms-client-request-id"


@dataclass(frozen=True, slots=True)
class Request:
    """Step: send an HTTP request; answered with a `Response`.

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


@dataclass(frozen=True, slots=True)
class Response:
    """What the service answered. Names in `headers` are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


def request_id(request: Request, response: Response | None = None) -> str:
    """Return the name that a request has in the logs of the service.

    It is the `x-ms-request-id` of the answer, and without one the `x-ms-client-request-id` that
    was sent along, or "".
    """
    given = response.headers.get("x-ms-request-id") if response is not None else None
    return given or request.headers.get(REQUEST_ID_HEADER, "")


class Wait(NamedTuple):
    """Step: let time pass; answered with `None`."""

    seconds: float


class Together(NamedTuple):
    """Step: hold several conversations at once; answered with what each came to, in their order.

    An outcome is what the flow returned, or the `ServiceError` that it raised. Any other error is
    raised at once.
    """

    flows: Sequence["Flow[object]"]


class NoAnswerError(SignalRError):
    """A request got no answer. Raised into a flow, never out of it.

    Args:
        message: What happened.
        delivered: Whether the service may have received the request.
    """

    def __init__(self, message: str, *, delivered: bool) -> None:
        super().__init__(message)
        self.delivered = delivered


type Step = GetToken | GetKey | Request | Wait | Together
type Answer = Token | AccessKey | Response | Sequence[object] | None
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
