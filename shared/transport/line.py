"""One connection to a service, watched by an event loop: a request and its answer at a time.

The event loop knows when there is something to read, so that one thread has many conversations. A
socket with TLS is read and written like one without, but for saying itself when it has to wait
(Python's `ssl`, "Notes on non-blocking sockets").
"""

import asyncio
import select
import socket
import ssl
from typing import Final

from .flow import Response
from .http import LARGEST_READ, broken, is_silent
from .http1 import AnswerReader, BadAnswerError

__all__ = ["Line"]

_NOT_NOW: Final = (
    BlockingIOError,
    InterruptedError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)


class Line:
    """A connection.

    Args:
        loop: Watches it.
        sock: The socket, connected.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._sock = sock
        self.is_open = True
        self._is_writing = False
        self._answer: asyncio.Future[Response] | None = None
        self._reader: AnswerReader | None = None
        self._unsent = memoryview(b"")
        self._began = self._heard = self._silence = self._total = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._poll = _polling(sock)
        loop.add_reader(sock, self._on_readable)

    def is_fit(self) -> bool:
        """Tell whether a request can be sent: it is open, and nothing comes unasked."""
        if not self.is_open:
            return False
        return is_silent(self._sock) if self._poll is None else not self._poll.poll(0)

    async def exchange(
        self, data: bytes, reader: AnswerReader, *, silence: float, total: float
    ) -> Response:
        """Send a request and return the answer. The line may not be fit for another one after it.

        Args:
            data: The request.
            reader: Reads the answer.
            silence: Seconds without a byte after which it is given up.
            total: Seconds after which it is given up.

        Raises:
            NoAnswerError: There is none.
        """
        loop = self._loop
        self._silence, self._total = silence, total
        self._began = self._heard = loop.time()
        self._reader = reader
        self._answer = loop.create_future()
        self._watch_time()
        self._unsent = memoryview(data)
        self._on_writable()
        is_fit = False
        try:
            response = await self._answer
            is_fit = not self._unsent and not reader.is_last
        except (OSError, BadAnswerError) as error:
            raise broken(error) from error
        finally:
            self._answer = None
            if not is_fit:
                self.close()
        return response

    def close(self) -> None:
        """Close it, if that has not been done."""
        if not self.is_open:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
        self.leave()

    def leave(self) -> None:
        """Leave it to the parent process, which has it too, with the event loop that watches it."""
        self.is_open = False
        self._sock.close()
        if self._timer is not None:
            self._timer.cancel()

    def _on_readable(self) -> None:
        try:
            received = self._sock.recv(LARGEST_READ)
        except _NOT_NOW:
            return
        except OSError as error:
            self._settle(error)
            return
        reader = self._reader
        if reader is None:
            # The service has closed it, or says what nobody has asked for.
            self.close()
            return
        self._heard = self._loop.time()
        try:
            answer = reader.feed(received) if received else reader.end()
        except BadAnswerError as error:
            self._settle(error)
            return
        if answer is not None:
            self._settle(answer)
        elif isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            # The kernel has nothing more to say, so the event loop would not call.
            self._on_readable()

    def _on_writable(self) -> None:
        is_refused = False
        try:
            self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except _NOT_NOW:
            pass
        except (BrokenPipeError, ConnectionResetError):
            # Who refuses a request need not read all of it. There may be an answer.
            is_refused = True
        except OSError as error:
            self._settle(error)
            return
        waits = bool(self._unsent) and not is_refused
        if waits == self._is_writing:
            return
        self._is_writing = waits
        if waits:
            self._loop.add_writer(self._sock, self._on_writable)
        else:
            self._loop.remove_writer(self._sock)

    def _watch_time(self) -> None:
        """Have the time looked at when it may be up.

        A timer stays when the answer is there, and looks again then if there is another request by
        now: one for each would take longer than reading the answer.
        """
        at = self._give_up_at()
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._answer is None:
            return
        now = self._loop.time()
        if now < self._give_up_at():
            self._watch_time()
        elif now < self._began + self._total:
            self._settle(TimeoutError("timed out"))
        else:
            self._settle(TimeoutError("the answer takes too long"))

    def _give_up_at(self) -> float:
        return min(self._heard + self._silence, self._began + self._total)

    def _settle(self, outcome: Response | Exception) -> None:
        self._reader = None
        if self._answer is None or self._answer.done():
            return
        if isinstance(outcome, Response):
            self._answer.set_result(outcome)
        else:
            self._answer.set_exception(outcome)


def _polling(sock: socket.socket) -> "select.poll | None":
    """Return what tells at once whether a socket has something to read, if the system has it."""
    # What TLS holds back is nothing that the system can tell; nor has Windows a poll.
    if isinstance(sock, ssl.SSLSocket) or not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return poll
