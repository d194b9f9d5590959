"""Messages that are written together: whoever sends waits for all of them at the end."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from ..errors import ServiceUnavailableError
from ..server_connections.recording import Sent
from ..service_protocol.messages import Message
from ..settings.names import check_hub
from ..telemetry import log_fields
from .messages import Messages
from .threads import Handed, Handover, Sends

if TYPE_CHECKING:
    import asyncio

__all__ = ["Batch"]

_logger = logging.getLogger(__name__)

_MOST_WAITING: Final = 1024 * 1024
"""Bytes that may wait for the sockets. Who has more to send waits for them too."""


class Batch(Sends):
    """Messages that are written together: see `PersistentSender.batch`.

    Args:
        handover: Takes them to the sender.
        encode: Gives a message as it is to be written.
    """

    def __init__(self, handover: Handover, encode: Callable[[Message, str], Sent]) -> None:
        self._together = _Together(handover, encode)
        super().__init__(self._together)

    def __enter__(self) -> Self:
        self._together.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        failure = self._together.finish()
        if failure is None:
            return
        if kind is None:
            raise failure
        # What has ended the block goes before it.
        _logger.warning("%s", failure, extra=log_fields(failure))


class _Together(Messages):
    """Hands messages over, and waits for none of them unless too many wait."""

    def __init__(self, handover: Handover, encode: Callable[[Message, str], Sent]) -> None:
        self._handover = handover
        self._encode = encode
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = 0
        self._count = 0
        self._failures: list[Exception] = []

    def begin(self) -> None:
        self._loop = self._handover.loops.begin()

    def finish(self) -> ServiceUnavailableError | None:
        """Wait until all is written, and return why something is not."""
        try:
            with self._changed:
                while self._waiting:
                    self._changed.wait()
        finally:
            self._loop = None
            self._handover.loops.end()
        return self._failure()

    async def _write(self, hub: str, message: Message, about: str) -> None:
        part = _Part(check_hub(hub), self._encode(message, about), self._told)
        with self._changed:
            # One that is longer than all that may wait goes alone.
            while self._waiting and self._waiting + len(part.sent.data) > _MOST_WAITING:
                self._changed.wait()
            failure = self._failure()
            if failure is not None:
                raise failure
            if self._loop is None:
                raise ServiceUnavailableError("A batch takes messages inside its with block")
            self._waiting += len(part.sent.data)
            self._count += 1
        self._handover.put(part, self._loop)

    def _told(self, part: "_Part", outcome: Exception | None) -> None:
        with self._changed:
            self._waiting -= len(part.sent.data)
            if outcome is not None:
                self._failures.append(outcome)
            # Not for each message, since threads that wake to wait again would slow all others.
            if self._waiting <= _MOST_WAITING // 2:
                self._changed.notify_all()

    def _failure(self) -> ServiceUnavailableError | None:
        if not self._failures:
            return None
        first = self._failures[0]
        error = ServiceUnavailableError(
            f"{len(self._failures)} of {self._count} messages of a batch failed: {first}"
        )
        error.__cause__ = first
        return error


class _Part(Handed):
    """A message of a batch."""

    def __init__(
        self,
        hub: str,
        sent: Sent,
        told: Callable[["_Part", Exception | None], None],
    ) -> None:
        super().__init__(hub, sent)
        self._told = told

    def done(self) -> bool:
        return False

    def set_result(self, outcome: Exception | None, /) -> None:
        self._told(self, outcome)
