"""A proxy that writes down what passes, so that a test knows every secret of a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.scripted_service import HANG_UP, Received, Reply, scripted_service

__all__ = ["Recorder", "recording"]

_PATIENCE = 30.0
_OF_THE_CONNECTION = {"connection", "content-length", "host", "transfer-encoding", "keep-alive"}


@dataclass
class Recorder:
    """What has passed.

    Attributes:
        url: Where the proxy listens.
        passed: Each request and its answer.
        fault: What is answered instead of what the target would say, if anything.
    """

    url: str = ""
    passed: list[tuple[Received, Reply]] = field(default_factory=list)
    fault: Reply | None = None

    def headers(self, name: str) -> set[str]:
        """Return every value of a header of the requests."""
        pairs = (pair for request, _ in self.passed for pair in request.headers.items())
        return {value for key, value in pairs if key.lower() == name.lower()}

    def bodies(self) -> list[bytes]:
        """Return the body of each answer."""
        return [reply.body for _, reply in self.passed]


@contextmanager
def recording(target: Callable[[], str]) -> Iterator[Recorder]:
    """Stand before a server until the end of the block.

    Args:
        target: Gives the server's address, asked for with each request.
    """
    recorder = Recorder()
    session = requests.Session()
    session.trust_env = False

    def answer(request: Received) -> Reply:
        reply = recorder.fault or _forwarded(session, target(), request)
        recorder.passed.append((request, reply))
        return HANG_UP if reply.status == 0 else reply

    with session, scripted_service(answer) as service:
        recorder.url = service.url
        yield recorder


def _forwarded(session: requests.Session, target: str, request: Received) -> Reply:
    answer = session.request(
        request.method,
        target + request.path,
        data=request.body,
        headers={
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _OF_THE_CONNECTION
        },
        allow_redirects=False,
        timeout=_PATIENCE,
    )
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name.lower() not in _OF_THE_CONNECTION | {"content-encoding", "date", "server"}
    }
    return Reply(answer.status_code, kept, answer.content)
