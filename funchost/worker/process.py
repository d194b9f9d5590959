"""A worker process: one app, run for a host that sends calls over a socket.

    python -m funchost.worker.process VOLUME INTERFACE APP_DIR NAME [SOCKET]

VOLUME is a name of how much is logged, INTERFACE that of the worker library's interface or "" for
the newest, SOCKET the number of an inherited file descriptor. On Windows, where sockets have none,
the host writes to the standard input what makes the socket. The process ends when the host closes
its side, for instance because it was killed. Log records and what the app prints go where those of
the host go.
"""

import argparse
import asyncio
import logging
import socket
import sys
from asyncio import StreamWriter
from pathlib import Path
from typing import Final

from ..log import Volume, configure_logging
from ..shutdown import exit_now, returns_within
from .functions import Function, IndexingError, InvocationError
from .interface import Interface
from .runtime import Worker
from .wire import Answer, Call, Frame, Loaded, Refused, receive

__all__ = ["main"]

# The host has waited for its requests; what runs yet runs for nobody.
_THREADS_END_SECONDS: Final = 0.5

_log: Final = logging.getLogger("funchost")


def main() -> None:
    """Serve the host until it is gone."""
    parser = argparse.ArgumentParser(prog="python -m funchost.worker.process")
    parser.add_argument("volume", choices=Volume.__members__)
    parser.add_argument("interface", choices=("", *Interface))
    parser.add_argument("app_dir", type=Path)
    parser.add_argument("name")
    parser.add_argument("socket", type=int, nargs="?")
    options = parser.parse_args()
    configure_logging(Volume[options.volume], worker=options.name)
    interface = Interface(options.interface) if options.interface else None
    asyncio.run(_serve(_socket(options.socket), Worker(interface), options.app_dir))


def _socket(number: int | None) -> socket.socket:
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read())
    return socket.socket(fileno=number)


async def _serve(host: socket.socket, worker: Worker, app_dir: Path) -> None:
    reader, writer = await asyncio.open_connection(sock=host)
    try:
        functions = await worker.start(app_dir)
    except IndexingError as error:
        await _send(writer, Refused(str(error), error.stack_trace).frame())
        return
    await _send(writer, Loaded(functions).frame())
    by_name = {function.name: function for function in functions}
    running: set[asyncio.Task[None]] = set()
    while (received := await receive(reader)) is not None:
        call = Call.read(*received)
        task = asyncio.create_task(_run(worker, by_name[call.function], call, writer))
        running.add(task)
        task.add_done_callback(running.discard)
    if running or not returns_within(_THREADS_END_SECONDS, worker.stop):
        exit_now()


async def _run(worker: Worker, function: Function, call: Call, writer: StreamWriter) -> None:
    try:
        answer = Answer(
            call.number, await worker.invoke(function, call.request, call.invocation_id)
        )
    except InvocationError as error:
        answer = Answer(call.number, None, str(error), error.stack_trace)
    await _send(writer, answer.frame())


async def _send(writer: StreamWriter, frame: Frame) -> None:
    writer.writelines(frame)
    try:
        await writer.drain()
    except ConnectionError:
        _log.debug("the host is gone")


if __name__ == "__main__":
    main()
