"""Messages through the running function app: `python -m bench.broadcast`.

The app runs in the local Functions host, a process of its own, and sends to a server that is
another and answers 202 to anything; the emulator is its identity. Every side sends messages of
1 KB with the same number of threads over connections that are kept open. The bare session goes
straight to the answering server: one hop, where a message through the app makes two.
"""

import contextlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from signalr_emulator.testing import running_emulator

from bench import report
from bench.pairs import at_least, faster, take_timed_turns
from bench.processes import answering_server, running

_ROOT = Path(__file__).parents[1]
_ROUNDS = 15
_MESSAGES = 400
_THREADS = 8
_LIST = 100
_ARGUMENTS = ["x" * 1024]
_ACCEPTED = 202

type Send = Callable[[], object]


def tables() -> Iterator[report.Table]:
    """Measure messages one by one and in lists."""
    with (
        answering_server() as service,
        running_emulator() as emulator,
        _app(service, emulator.app_settings) as app,
    ):
        yield _one_by_one(service, app)
        yield _lists(app)


def _one_by_one(service: str, app: str) -> report.Table:
    message = {"target": "newMessage", "arguments": _ARGUMENTS}
    with ThreadPoolExecutor(_THREADS) as pool:
        sides = {
            "function app": _turn(pool, _posting(f"{app}/api/broadcast", message)),
            "requests.Session": _turn(pool, _posting(f"{service}/api/hubs/chat/:send", message)),
        }
        turns = take_timed_turns(sides, rounds=_ROUNDS)
    rows = [at_least(0.85, turns, "function app", "requests.Session")]
    title = f"Broadcast by POST /api/broadcast, 1 KB, {_THREADS} threads"
    return report.Table(f"{title} ({_ROUNDS} turns of {_MESSAGES})", rows)


def _lists(app: str) -> report.Table:
    messages = [
        {"target": "newMessage", "arguments": _ARGUMENTS, "userId": f"user{number}"}
        for number in range(_LIST)
    ]
    url = f"{app}/api/broadcast"
    together = _posting(url, messages)
    alone = [_posting(url, message) for message in messages]

    def list_turn() -> float:
        start = time.perf_counter()
        together()
        return (time.perf_counter() - start) / _LIST * 1e6

    def request_turn() -> float:
        start = time.perf_counter()
        for each in alone:
            each()
        return (time.perf_counter() - start) / _LIST * 1e6

    list_name, requests_name = f"a list of {_LIST}", f"{_LIST} requests"
    sides = {list_name: list_turn, requests_name: request_turn}
    turns = take_timed_turns(sides, rounds=_ROUNDS)
    rows = [faster(5, turns, list_name, requests_name)]
    return report.Table(f"Send to user, {_LIST} of 1 KB, per message ({_ROUNDS} turns)", rows)


def _turn(pool: ThreadPoolExecutor, send: Send) -> Callable[[], float]:
    def loop(messages: int) -> None:
        for _ in range(messages):
            send()

    def turn() -> float:
        start = time.perf_counter()
        list(pool.map(loop, [_MESSAGES // _THREADS] * _THREADS))
        return (time.perf_counter() - start) / _MESSAGES * 1e6

    return turn


def _posting(url: str, body: object) -> Send:
    """Return what posts over one session, with kept connections and the bytes ready."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=_THREADS))
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}

    def send() -> None:
        answer = session.post(url, data=data, headers=headers, timeout=60)
        if answer.status_code != _ACCEPTED:
            raise RuntimeError(answer.text)

    return send


@contextlib.contextmanager
def _app(service: str, identity: Mapping[str, str]) -> Iterator[str]:
    values = {
        **identity,
        "AzureSignalRConnectionString__serviceUri": service,
        "SIGNALR_HUBS": "chat",
        "NEGOTIATE_IDENTITY": "anonymous",
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "local.settings.json")
        settings.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
        options = ("--app-dir", str(_ROOT), "--port", "0", "--settings", str(settings))
        with running("-m", "funchost", *options) as output:
            ready = re.compile(r"Functions host ready on (\S+)")
            yield next(found[1] for line in output if (found := ready.search(line)))


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("broadcast", __doc__).parse_args().json))
