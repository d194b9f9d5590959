"""Several worker processes behind one front end, as `FUNCTIONS_WORKER_PROCESS_COUNT` asks for.

A request goes to the process with the fewest requests. A process that ends takes the requests
that it has with it, and another one takes its place.
"""

import asyncio
import logging
import socket
import sys
from asyncio import StreamReader, StreamWriter, subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

from ..log import Volume
from .functions import Function, IndexingError, InvocationError
from .interface import Interface
from .messages import HttpRequest, HttpResponse
from .wire import Answer, Call, Refused, read_started, receive

if sys.platform == "win32":
    from subprocess import CREATE_NEW_PROCESS_GROUP

__all__ = ["WorkerPool"]

_ROOT: Final = Path(__file__).parents[2]
# While no process is there, requests wait this long for one to be replaced.
_REPLACEMENT_SECONDS: Final = 30.0
# A process that closes its connection is about to end, and its status says why.
_LAST_SECONDS: Final = 1.0
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0

_log: Final = logging.getLogger("funchost")


class WorkerPool:
    """Runs the functions of an app in processes of their own.

    Args:
        size: How many processes.
        environ: Their environment.
        volume: How much they log.
        interface: How they call the worker library; `None` for the newest interface that it has.
    """

    def __init__(
        self,
        size: int,
        environ: Mapping[str, str],
        volume: Volume = Volume.NORMAL,
        interface: Interface | None = None,
    ) -> None:
        self.functions: tuple[Function, ...] = ()
        self._size = size
        self._environ = environ
        self._volume = volume
        self._interface = interface
        # The one that was chosen least recently comes first.
        self._ready: list[_Process] = []
        self._some_are_ready = asyncio.Event()
        self._supervisors: list[asyncio.Task[None]] = []

    async def start(self, app_dir: Path) -> tuple[Function, ...]:
        """Load the app in every process and return its functions, sorted by name.

        Raises:
            IndexingError: A process could not load the app.
        """
        starts = [self._start_one(number, app_dir) for number in range(1, self._size + 1)]
        started = await asyncio.gather(*starts, return_exceptions=True)
        processes = [each for each in started if isinstance(each, _Process)]
        failure = next((each for each in started if isinstance(each, BaseException)), None)
        if failure is not None:
            await _end(processes, 0)
            raise failure
        self.functions = processes[0].functions
        self._supervisors = [
            asyncio.create_task(self._supervise(each, app_dir)) for each in processes
        ]
        for process in processes:
            self._add(process)
        return self.functions

    async def invoke(
        self, function: Function, request: HttpRequest, invocation_id: str
    ) -> HttpResponse:
        """Run an HTTP function in the least busy process.

        Raises:
            InvocationError: The function failed, or its process ended.
        """
        process = await self._least_busy()
        answer = await process.call(function.name, request, invocation_id)
        if answer.response is None:
            raise InvocationError(answer.error, answer.stack_trace)
        return answer.response

    async def stop(self, seconds: float) -> None:
        """End every process.

        Args:
            seconds: How long they may take before they are killed.
        """
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        await _end(self._ready, seconds)

    async def _start_one(self, number: int, app_dir: Path) -> "_Process":
        # Of one alone nobody has to be told which it is.
        name = f"worker {number}" if self._size > 1 else ""
        command = [sys.executable, "-m", "funchost.worker.process"]
        command += [self._volume.name, self._interface or "", str(app_dir), name]
        process = await _Process.spawn(number, command, self._environ)
        try:
            await process.load()
        except BaseException:
            await process.end(0)
            raise
        return process

    def _add(self, process: "_Process") -> None:
        self._ready.insert(0, process)
        self._some_are_ready.set()

    async def _supervise(self, process: "_Process", app_dir: Path) -> None:
        """Replace a process whenever it ends."""
        while True:
            await process.serve()
            self._ready.remove(process)
            if not self._ready:
                self._some_are_ready.clear()
            status = await process.end(_LAST_SECONDS)
            _log.error("%s ended with status %s; starting another one", process.name, status)
            process = await self._replacement(process.number, app_dir)
            self._add(process)
            _log.info("%s is ready", process.name)

    async def _replacement(self, number: int, app_dir: Path) -> "_Process":
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._start_one(number, app_dir)
            except (IndexingError, OSError) as error:
                _log.error("worker %s cannot be replaced yet: %s", number, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _least_busy(self) -> "_Process":
        while not self._ready:
            try:
                await asyncio.wait_for(self._some_are_ready.wait(), _REPLACEMENT_SECONDS)
            except TimeoutError:
                raise InvocationError("no worker process runs; the log says why") from None
        chosen = min(self._ready, key=lambda process: process.calls)
        self._ready.remove(chosen)
        self._ready.append(chosen)
        return chosen


class _Process:
    """A worker process and the calls that it has."""

    def __init__(
        self, number: int, process: subprocess.Process, reader: StreamReader, writer: StreamWriter
    ) -> None:
        self.number = number
        self.name = f"worker {number} (process {process.pid})"
        self.functions: tuple[Function, ...] = ()
        self._process = process
        self._reader = reader
        self._writer = writer
        self._numbers = count()
        self._answers: dict[int, asyncio.Future[Answer]] = {}

    @classmethod
    async def spawn(
        cls, number: int, command: Sequence[str], environ: Mapping[str, str]
    ) -> "_Process":
        here, there = socket.socketpair()
        with there:
            process = await _start(command, there, environ)
        return cls(number, process, *await asyncio.open_connection(sock=here))

    @property
    def calls(self) -> int:
        """How many calls wait for their answers."""
        return len(self._answers)

    async def load(self) -> None:
        """Wait until the process has loaded the app."""
        received = await receive(self._reader)
        if received is None:
            status = await self._process.wait()
            raise IndexingError(f"{self.name} ended with status {status} before the app was loaded")
        started = read_started(received[0])
        if isinstance(started, Refused):
            raise IndexingError(started.error, started.stack_trace)
        self.functions = started.functions

    async def call(self, function: str, request: HttpRequest, invocation_id: str) -> Answer:
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            self._writer.writelines(Call(number, function, invocation_id, request).frame())
            # When the process ends meanwhile, `serve` answers.
            with suppress(ConnectionError):
                await self._writer.drain()
            return await answer
        finally:
            self._answers.pop(number, None)

    async def serve(self) -> None:
        """Hand out answers until the process ends."""
        while (received := await receive(self._reader)) is not None:
            self._resolve(Answer.read(*received))
        for number in list(self._answers):
            self._resolve(Answer(number, None, f"{self.name} ended"))

    async def end(self, seconds: float) -> int:
        """Close the connection, on which the process ends, and kill it when it takes too long.

        Args:
            seconds: How long it may take.
        """
        self._writer.close()
        try:
            return await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            return await self._process.wait()

    def _resolve(self, answer: Answer) -> None:
        waiting = self._answers.get(answer.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


if sys.platform == "win32":

    async def _start(
        command: Sequence[str], there: socket.socket, environ: Mapping[str, str]
    ) -> subprocess.Process:
        """Start a process and give it a socket, which it reads from its standard input."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=_ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            # Ctrl-C on a console is for the host, which lets requests finish.
            creationflags=CREATE_NEW_PROCESS_GROUP,
        )
        assert process.stdin is not None  # noqa: S101  asked for above
        process.stdin.write(there.share(process.pid))
        process.stdin.close()
        return process

else:

    async def _start(
        command: Sequence[str], there: socket.socket, environ: Mapping[str, str]
    ) -> subprocess.Process:
        """Start a process that inherits a socket, whose number ends its command line."""
        return await asyncio.create_subprocess_exec(
            *command,
            str(there.fileno()),
            cwd=_ROOT,
            env=environ,
            pass_fds=[there.fileno()],
            # Ctrl-C on a terminal is for the host, which lets requests finish.
            start_new_session=True,
        )


async def _end(processes: Sequence[_Process], seconds: float) -> None:
    await asyncio.gather(*(process.end(seconds) for process in processes))
