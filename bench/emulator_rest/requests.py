"""Requests to the emulator's REST API: `python -m bench.emulator_rest.requests`.

One connection asks, again and again with the same bytes, a process that does nothing else. Measured
is the processor time that this process takes for a request, so that neither the one that asks nor
what waits for it counts. What the emulator is held against is a handler that reads the body.
"""

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from .. import report
from ..pairs import Taken, at_most, take_timed_turns
from ..processes import Metered, metered

__all__: list[str] = []

_ROUNDS: Final = 60
_REQUESTS: Final = 150
_LIMIT: Final = 1.8
"""What a request may take, by one that is only read."""

_BODY: Final = b'{"target":"newMessage","arguments":["%s"]}' % (b"x" * 1024)
_ASKED: Final = {
    "a send to nobody": ("POST /api/hubs/chat/users/nobody/:send", _BODY),
    "a user joins a group": ("PUT /api/hubs/chat/users/ann/groups/news", b""),
}
_ENTRA_TOKEN_BYTES: Final = 1500
_SUCCESS: Final = b"HTTP/1.1 20"


class _Side:
    """One server, and a connection to it."""

    def __init__(self, server: Metered, connection: socket.socket) -> None:
        self._server = server
        self._connection = connection
        self._token: str = server.ready.get("token", "x" * _ENTRA_TOKEN_BYTES)

    def ask(self, request: str, body: bytes) -> float:
        """Ask again and again, and give the microseconds of processor time for each."""
        sent = (
            f"{request}?api-version=2022-06-01 HTTP/1.1\r\n"
            f"Host: localhost:{self._server.ready['port']}\r\n"
            f"Authorization: Bearer {self._token}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        before = self._server.cpu()
        for _ in range(_REQUESTS):
            self._connection.sendall(sent)
            answer = self._connection.recv(65536)
            if not answer.startswith(_SUCCESS):
                raise RuntimeError(answer)
        return (self._server.cpu() - before) / _REQUESTS * 1e6


def tables() -> Iterator[report.Table]:
    """Measure each request."""
    with ExitStack() as stack:
        sides = {name: stack.enter_context(_side(name)) for name in ("emulator", "bare")}
        taken = [_taken(sides, what, *asked) for what, asked in _ASKED.items()]
    title = f"The emulator's REST API, CPU of the server (turns of {_REQUESTS})"
    yield report.table_of(title, *taken)


def _taken(sides: Mapping[str, _Side], what: str, request: str, body: bytes) -> Taken:
    return take_timed_turns(
        {f"{what}, {name}": partial(side.ask, request, body) for name, side in sides.items()},
        lambda turns: [at_most(_LIMIT, turns, f"{what}, emulator", f"{what}, bare")],
        rounds=_ROUNDS,
    )


@contextmanager
def _side(name: str) -> Iterator[_Side]:
    with (
        metered(f"bench.emulator_rest.{name}") as server,
        socket.create_connection(("127.0.0.1", server.ready["port"])) as connection,
    ):
        yield _Side(server, connection)


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("emulator_rest.requests", __doc__).parse_args().json))
