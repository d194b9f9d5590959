"""Senders of each kind: they pass the same tests."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from shared.transport.aio import LoopTransport
from shared.transport.flow import Request, Response
from shared.transport.http import Timeouts, Transport

type Send = Callable[[Request], Response]


class Sender(Protocol):
    def __call__(
        self, timeouts: Timeouts | None = None, *, largest_answer: float = math.inf
    ) -> Send: ...


class UnwatchingLoop(asyncio.SelectorEventLoop):
    add_reader = asyncio.AbstractEventLoop.add_reader


@pytest.fixture(params=["blocking", "event loop", "event loop without sockets"])
def sender(request: pytest.FixtureRequest) -> Iterator[Sender]:
    """Make senders of one kind, by what a `Transport` takes."""
    loops = {"event loop": asyncio.SelectorEventLoop, "event loop without sockets": UnwatchingLoop}
    with contextlib.ExitStack() as stack:

        def make(timeouts: Timeouts | None = None, *, largest_answer: float = math.inf) -> Send:
            transport = Transport(timeouts or Timeouts(), largest_answer=largest_answer)
            stack.callback(transport.close)
            if request.param == "blocking":
                return transport.send
            runner = stack.enter_context(asyncio.Runner(loop_factory=loops[request.param]))
            awaited = LoopTransport(transport, None)
            stack.callback(awaited.close)
            return lambda request: runner.run(awaited.send(request))

        yield make
