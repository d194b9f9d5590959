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
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from signalr_emulator.testing import running_emulator

from bench import report
from bench.pairs import at_least, faster, take_turns
from bench.processes import answering_server, running
from bench.senders import MESSAGES, Send, by_threads, session

_ROOT = Path(__file__).parents[1]
_ROUNDS = 15
_THREADS = 8
_LIST = 100
_ARGUMENTS = ["x" * 1024]
_ACCEPTED = 202


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
        urls = {
            "function app": f"{app}/api/broadcast",
            "requests.Session": f"{service}/api/hubs/chat/:send",
        }
        sides = {
            name: by_threads(pool, _THREADS, _posting(url, message)) for name, url in urls.items()
        }
        turns = take_turns(sides, calls=MESSAGES, rounds=_ROUNDS)
    rows = [at_least(0.85, turns, "function app", "requests.Session")]
    title = f"Broadcast by POST /api/broadcast, 1 KB, {_THREADS} threads"
    return report.Table(f"{title} ({_ROUNDS} turns of {MESSAGES})", rows)


def _lists(app: str) -> report.Table:
    messages = [
        {"target": "newMessage", "arguments": _ARGUMENTS, "userId": f"user{number}"}
        for number in range(_LIST)
    ]
    url = f"{app}/api/broadcast"
    together = _posting(url, messages)
    alone = [_posting(url, message) for message in messages]

    def one_by_one(_messages: int) -> None:
        for send in alone:
            send()

    list_name, requests_name = f"a list of {_LIST}", f"{_LIST} requests"
    sides = {list_name: lambda _messages: together(), requests_name: one_by_one}
    turns = take_turns(sides, calls=_LIST, rounds=_ROUNDS)
    rows = [faster(5, turns, list_name, requests_name)]
    return report.Table(f"Send to user, {_LIST} of 1 KB, per message ({_ROUNDS} turns)", rows)


def _posting(url: str, body: object) -> Send:
    """Return what posts over one session, with kept connections and the bytes ready."""
    posting = session(_THREADS)
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}

    def send() -> None:
        answer = posting.post(url, data=data, headers=headers, timeout=60)
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
