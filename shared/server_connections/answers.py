"""Whoever waits for what the service or a client answers, on an event loop."""

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..errors import ServiceError
from ..service_protocol.acks import Acks, Answer
from ..service_protocol.invocations import Completion, Invocations
from ..service_protocol.items import Pairs
from ..service_protocol.messages import (
    Ack,
    ClientCompletion,
    ErrorCompletion,
    Message,
    ServiceMapping,
)
from ..service_protocol.pending import Outcome
from ..service_protocol.requests import AckRequest

__all__ = ["Answers", "Awaited"]

type Waiter[T] = asyncio.Future[T | ServiceError]

type Awaited[T] = tuple[Message, Waiter[T]]
"""A message as it is to be written, and what its answer comes to."""


class Answers:
    """The answers that are waited for from all connections to one hub at one endpoint.

    Args:
        server_id: Names this process to the service.
    """

    def __init__(self, server_id: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._acks: Acks[Waiter[Answer]] = Acks()
        self._invocations: Invocations[Waiter[Completion]] = Invocations(server_id)
        self._look: asyncio.TimerHandle | None = None

    @contextmanager
    def acknowledged(self, request: AckRequest, line: object) -> Iterator[Awaited[Answer]]:
        """Wait for the ack of a request, until the end of the block.

        Args:
            request: The request.
            line: The connection that it is written to.

        Yields:
            The request as it is to be written, and what its answer comes to.
        """
        waiter: Waiter[Answer] = self._loop.create_future()
        asked = self._acks.ask(request, waiter, line=line, now=self._loop.time())
        self._watch()
        try:
            yield asked, waiter
        finally:
            self._acks.forget(asked)

    @contextmanager
    def invoked(
        self,
        connection_id: str,
        write: Callable[[str], Pairs[bytes]],
        seconds: float,
        line: object,
    ) -> Iterator[Awaited[Completion]]:
        """Wait for a client's result, until the end of the block.

        Args:
            connection_id: The client's connection.
            write: Gives the message to the client, in each hub protocol, for an invocation id.
            seconds: For how long to wait.
            line: The connection that the invocation is written to.

        Yields:
            The invocation as it is to be written, and what its result comes to.
        """
        waiter: Waiter[Completion] = self._loop.create_future()
        asked = self._invocations.ask(
            connection_id, write, waiter, seconds=seconds, line=line, now=self._loop.time()
        )
        self._watch()
        try:
            yield asked, waiter
        finally:
            self._invocations.forget(asked)

    def take(self, message: Message) -> None:
        """Give what has come to whoever waits for it."""
        match message:
            case Ack():
                _tell([self._acks.answered(message)])
            case ClientCompletion() | ErrorCompletion():
                _tell([self._invocations.completed(message)])
            case ServiceMapping():
                self._invocations.mapped(message)
            case _:
                return

    def instance_offline(self, instance_id: str) -> None:
        """Tell whoever waits for a client of an instance of the service that is gone."""
        _tell(self._invocations.instance_offline(instance_id))

    def lost(self, line: object) -> None:
        """Tell whoever waits for an answer by a connection that is lost."""
        _tell(self._acks.lost(line))
        _tell(self._invocations.lost(line))

    def close(self) -> None:
        """Look at the time no more."""
        if self._look is not None:
            self._look.cancel()

    def _watch(self) -> None:
        """See to it that whoever waits too long is told."""
        due = min(self._acks.due, self._invocations.due)
        if self._look is not None and self._look.when() <= due:
            return
        if self._look is not None:
            self._look.cancel()
        self._look = None if due == math.inf else self._loop.call_at(due, self._look_for_overdue)

    def _look_for_overdue(self) -> None:
        self._look = None
        now = self._loop.time()
        _tell(self._acks.overdue(now))
        _tell(self._invocations.overdue(now))
        self._watch()


def _tell[T](outcomes: Sequence[Outcome[Waiter[T], T] | None]) -> None:
    for each in outcomes:
        if each is not None and not each.waiter.done():
            each.waiter.set_result(each.result)
