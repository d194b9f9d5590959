"""Messages to the service by its REST API: `python -m bench.rest`.

Each side sends the same message to everyone, over connections that are kept open, to the same
server, which is a process of its own, answers 202 to anything, and takes less for it than any of
them. First the client of this build, by tasks and by threads, is held against that of an old
commit, in processor time and in rate; then against others, with the same number of threads.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import batched

from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.messaging.webpubsubservice import WebPubSubServiceClient

from shared import SignalRServiceClient
from shared.rest.messages import encode_message

from . import report
from .against.build import PRESENT, other_build
from .against.inside.sends import cpu_and_rate
from .against.measurement import surroundings
from .against.rows import MEASUREMENTS
from .pairs import Row, Turns, at_least, at_most, take_timed_turns, take_turns
from .processes import answering_server
from .rows.senders import MESSAGES, Send, by_threads, session

_ROUNDS = 15
_THREADS = (1, 8)
_OLD = "08d2d2d"
_BY_TASKS = "8 tasks"
_BY_THREADS = "8 threads"
_BY_OLD = f"8 threads of {_OLD}"
_BY_SESSION = "requests.Session, 8 threads"
_TARGET = "newMessage"
_ARGUMENTS = ("x" * 1024,)
_TOKEN = "t" * 1500
"""As long as the Entra token of a managed identity."""

_SERVICE = "AzureSignalRConnectionString__serviceUri"
_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"


class _Credential:
    """Has a token at hand, as azure-identity has after the first request."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken(_TOKEN, int(time.time()) + 3600)


def tables() -> Iterator[report.Table]:
    """Measure against an old commit, and against others with one thread and with several."""
    yield from _against_old()
    with answering_server() as url, SignalRServiceClient(url, _Credential()) as client:
        sides = {
            "client": lambda: client.send_to_all("chat", _TARGET, _ARGUMENTS),
            "requests.Session": _session(url),
            "Web PubSub SDK": _web_pub_sub(url),
        }
        for threads in _THREADS:
            yield _table(sides, threads)


def _against_old() -> Iterator[report.Table]:
    with (
        other_build(_OLD) as old,
        surroundings() as around,
        ThreadPoolExecutor(max(_THREADS)) as pool,
        ExitStack() as stack,
    ):
        by_session = by_threads(pool, max(_THREADS), _session(around.answering[_SERVICE]))
        sides = {
            name: stack.enter_context(MEASUREMENTS[measurement].start(build, around))
            for name, measurement, build in (
                (_BY_TASKS, "send-await", PRESENT),
                (_BY_THREADS, "send-threads", PRESENT),
                (_BY_OLD, "send-threads", old),
            )
        }
        sides[_BY_SESSION] = partial(cpu_and_rate, by_session)
        cpu: dict[str, list[float]] = {name: [] for name in sides}
        taken = take_timed_turns(
            {name: partial(_microseconds, side, cpu[name]) for name, side in sides.items()},
            partial(_rows_against_old, cpu),
            rounds=_ROUNDS,
        )
    of_cpu, of_rate = batched(taken.rows, 3, strict=True)
    title = f"Broadcast by REST, 1 KB, 8 at a time, against {_OLD}"
    yield report.Table(f"{title}, CPU", of_cpu, taken.loop)
    yield report.Table(title, of_rate)


def _rows_against_old(with_first: Turns, wall: Turns) -> list[Row]:
    # The first turn does not count.
    cpu = {name: found[1:] for name, found in with_first.items()}
    return [
        at_most(0.27, cpu, _BY_TASKS, _BY_OLD),
        at_most(0.27, cpu, _BY_THREADS, _BY_OLD),
        at_most(0.27, cpu, _BY_TASKS, _BY_SESSION),
        at_least(3, wall, _BY_TASKS, _BY_OLD),
        at_least(3, wall, _BY_THREADS, _BY_OLD),
        at_least(3, wall, _BY_TASKS, _BY_SESSION),
    ]


def _microseconds(side: Callable[[], Sequence[float]], cpu: list[float]) -> float:
    """Return the microseconds of a message, and keep those of processor time."""
    of_cpu, rate = side()
    cpu.append(of_cpu)
    return 1e6 / rate


def _table(sides: dict[str, Send], threads: int) -> report.Table:
    with ThreadPoolExecutor(threads) as pool:
        taken = take_turns(
            {name: by_threads(pool, threads, send) for name, send in sides.items()},
            _rows,
            calls=MESSAGES,
            rounds=_ROUNDS,
        )
    with_threads = f"{threads} thread{'s' * (threads > 1)}"
    return report.table_of(f"Broadcast by REST, 1 KB, {with_threads} (turns of {MESSAGES})", taken)


def _rows(turns: Turns) -> list[Row]:
    return [
        at_least(0.9, turns, "client", "requests.Session"),
        at_least(1.0, turns, "client", "Web PubSub SDK"),
    ]


def _session(url: str) -> Send:
    """Return what a careful user writes by hand: one session, kept connections, bytes ready."""
    posting = session(max(_THREADS))
    address = f"{url}/api/hubs/chat/:send?api-version=2022-06-01"
    body = encode_message(_TARGET, _ARGUMENTS).body
    headers = {
        "Authorization": f"Bearer {_TOKEN}",
        "Content-Type": "application/json; charset=utf-8",
    }

    def send() -> None:
        answer = posting.post(address, data=body, headers=headers, timeout=15)
        if answer.status_code != 202:  # noqa: PLR2004  anything else is not what is measured
            raise RuntimeError(answer.status_code)

    return send


def _web_pub_sub(url: str) -> Send:
    client = WebPubSubServiceClient(url, "chat", AzureKeyCredential(_KEY))
    message = json.loads(encode_message(_TARGET, _ARGUMENTS).body)
    return lambda: client.send_to_all(message, content_type="application/json")


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("rest", __doc__).parse_args().json))
