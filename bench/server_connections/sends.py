"""Messages by a server connection: `python -m bench.server_connections.sends`.

The service is a stub in a process of its own, which looks into nothing. A turn ends when the socket
has taken its last message. What it is held against is an old commit, before there were server
connections: its REST client in a process of its own, whose service answers 202 to anything, and its
`POST /api/broadcast` in the local Functions host. Messages are 1 KB.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Final

import requests

from shared.persistent import PersistentSender
from shared.persistent.aio import PersistentSender as AwaitableSender
from shared.settings.credential import CredentialKind, CredentialSettings

from .. import report
from ..against.build import other_build
from ..against.measurement import surroundings
from ..against.rows import MEASUREMENTS
from ..pairs import Row, Taken, Turns, at_least, faster, take_timed_turns
from ..processes import running
from ..rows.senders import MESSAGES, THREADS, by_threads

_OLD: Final = "08d2d2d"
_TASKS: Final = 64
_MESSAGES: Final = 6400
_USERS: Final = [f"user{number}" for number in range(1000)]
_CROWDS: Final = 20
_ROUNDS: Final = 15
_TEXT: Final = "x" * 1024
_KEY: Final = CredentialSettings(
    CredentialKind.ACCESS_KEY, access_key="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
)

_BY_TASKS: Final = f"{_TASKS} tasks"
_BY_BATCHES: Final = f"{THREADS} threads with batches"
_BY_THREADS: Final = f"{THREADS} threads, one by one"
_TO_CROWD: Final = f"one message to {len(_USERS):,} users"
_BY_REST: Final = f"REST of {_OLD}, {THREADS} threads"
_BY_REQUESTS: Final = f"{len(_USERS):,} sends, the same REST"
_BY_LISTS: Final = f"POST /api/broadcast of {_OLD}, lists of 100"


def tables() -> Iterator[report.Table]:
    """Measure messages to one user, and one message to many."""
    taken = _taken()
    *to_user, to_users = taken.rows
    yield report.Table("Send to user by a server connection, 1 KB", to_user, taken.loop)
    yield report.Table("Send to users by a server connection, 1 KB", [to_users])


def _rows(turns: Turns) -> list[Row]:
    by_requests = [each * len(_USERS) for each in turns[_BY_REST]]
    return [
        at_least(10, turns, _BY_TASKS, _BY_REST),
        at_least(8, turns, _BY_TASKS, _BY_LISTS),
        at_least(8, turns, _BY_BATCHES, _BY_REST),
        at_least(2, turns, _BY_THREADS, _BY_REST),
        faster(200, {**turns, _BY_REQUESTS: by_requests}, _TO_CROWD, _BY_REQUESTS),
    ]


def _taken() -> Taken:
    with (
        other_build(_OLD) as build,
        surroundings() as around,
        MEASUREMENTS["send-threads"].start(build, around) as rest,
        MEASUREMENTS["broadcast-list"].start(build, around) as lists,
        _stub() as service,
        PersistentSender(service, _KEY) as sender,
        asyncio.Runner() as runner,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        awaitable = runner.run(_opened(service))

        def by_tasks(messages: int) -> None:
            runner.run(_by_tasks(awaitable, messages))

        def batches(messages: int) -> None:
            list(pool.map(partial(_batch, sender), [messages // THREADS] * THREADS))

        def crowds(messages: int) -> None:
            for _ in range(messages):
                sender.send_to_users("chat", _USERS, "newMessage", [_TEXT])

        by_threads_ = by_threads(
            pool, THREADS, lambda: sender.send_to_user("chat", "ann", "newMessage", [_TEXT])
        )
        taken = take_timed_turns(
            {
                _BY_TASKS: partial(_microseconds, by_tasks, _MESSAGES),
                _BY_BATCHES: partial(_microseconds, batches, _MESSAGES),
                _BY_THREADS: partial(_microseconds, by_threads_, MESSAGES),
                _TO_CROWD: partial(_microseconds, crowds, _CROWDS),
                _BY_REST: lambda: 1e6 / rest()[1],
                _BY_LISTS: lambda: 1e6 / lists()[1],
            },
            _rows,
            rounds=_ROUNDS,
        )
        runner.run(awaitable.close())
        sent = (len(taken.loop) + 1) * (2 * _MESSAGES + MESSAGES + _CROWDS)
        _check_received(service, sent * len(_TEXT))
        return taken


@contextmanager
def _stub() -> Iterator[str]:
    with running("-m", "bench.server_connections.stub") as output:
        yield f"http://127.0.0.1:{int(output.readline())}"


async def _opened(service: str) -> AwaitableSender:
    return AwaitableSender(service, _KEY)


async def _by_tasks(sender: AwaitableSender, messages: int) -> None:
    async def loop() -> None:
        for _ in range(messages // _TASKS):
            await sender.send_to_user("chat", "ann", "newMessage", [_TEXT])

    await asyncio.gather(*(loop() for _ in range(_TASKS)))


def _batch(sender: PersistentSender, messages: int) -> None:
    with sender.batch() as batch:
        for _ in range(messages):
            batch.send_to_user("chat", "ann", "newMessage", [_TEXT])


def _microseconds(send: Callable[[int], object], messages: int) -> float:
    began = perf_counter()
    send(messages)
    return (perf_counter() - began) / messages * 1e6


def _check_received(service: str, least: int) -> None:
    """Fail unless the service has what was sent: each message stands there in two protocols."""
    received = int(requests.get(f"{service}/received", timeout=15).text)
    if received < 2 * least:
        raise RuntimeError(f"{received} bytes have come of more than {2 * least}")


if __name__ == "__main__":
    sys.exit(
        report.run(tables, report.parser("server_connections.sends", __doc__).parse_args().json)
    )
