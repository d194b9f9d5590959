"""Messages through the running function app: `python -m bench.rows.broadcast`.

The app sends to a server that is a process of its own and answers 202 to anything; the emulator is
its identity. First it runs in the local Functions host, another process, and is asked by HTTP, as
is a function written by hand. Then its function is invoked through Microsoft's worker library
in this process, as many at a time as a bare session has threads that sends straight to the
answering server. Messages are 1 KB, and connections are kept open.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from signalr_emulator.testing import running_emulator

from funchost.settings import load_host_settings
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker

from .. import report
from ..pairs import at_least, faster, take_turns
from ..processes import answering_server, running
from .senders import MESSAGES, THREADS, Send, by_threads, invoke_together, session

_ROOT = Path(__file__).parents[2]
_FUNCTIONS = Path(__file__).parents[1] / "functions"
_BY_HAND = "by_hand_broadcast_app.py"
_ROUNDS = 15
_LIST = 100
_ARGUMENTS = ["x" * 1024]
_MESSAGE = {"target": "newMessage", "arguments": _ARGUMENTS}
_ACCEPTED = 202


def tables() -> Iterator[report.Table]:
    """Measure messages one by one and in lists."""
    with answering_server() as service, running_emulator() as emulator:
        values = _values(service, emulator.app_settings)
        with _app(_ROOT, values) as app:
            with _app(_FUNCTIONS, {**values, "PYTHON_SCRIPT_FILE_NAME": _BY_HAND}) as by_hand:
                yield _one_by_one(app, by_hand)
            yield _lists(app)
        # Last, since this process takes the app in for good.
        yield _through_the_worker(service, values)


def _one_by_one(app: str, by_hand: str) -> report.Table:
    with ThreadPoolExecutor(THREADS) as pool:
        sides = {
            name: by_threads(pool, THREADS, _posting(f"{url}/broadcast", _MESSAGE))
            for name, url in (("function app", app), ("the same by hand", by_hand))
        }
        taken = take_turns(
            sides,
            lambda turns: [at_least(1.0, turns, "function app", "the same by hand")],
            calls=MESSAGES,
            rounds=_ROUNDS,
        )
    title = f"Broadcast by POST /api/broadcast, 1 KB, {THREADS} threads"
    return report.table_of(f"{title} (turns of {MESSAGES})", taken)


def _lists(app: str) -> report.Table:
    messages = [
        {"target": "newMessage", "arguments": _ARGUMENTS, "userId": f"user{number}"}
        for number in range(_LIST)
    ]
    url = f"{app}/broadcast"
    together = _posting(url, messages)
    alone = [_posting(url, message) for message in messages]

    def one_by_one(_messages: int) -> None:
        for send in alone:
            send()

    list_name, requests_name = f"a list of {_LIST}", f"{_LIST} requests"
    sides = {list_name: lambda _messages: together(), requests_name: one_by_one}
    taken = take_turns(
        sides,
        lambda turns: [faster(6, turns, list_name, requests_name)],
        calls=_LIST,
        rounds=_ROUNDS,
    )
    return report.table_of(f"Send to user, {_LIST} of 1 KB, per message", taken)


def _through_the_worker(service: str, values: Mapping[str, str]) -> report.Table:
    os.environ |= values
    # The answering server has no access key to give, which the app would say again and again.
    logging.basicConfig(level=logging.CRITICAL)
    with asyncio.Runner() as runner, ThreadPoolExecutor(THREADS) as pool:
        worker = Worker()
        functions = {each.name: each for each in runner.run(worker.start(_ROOT))}
        request = HttpRequest(
            "POST",
            "http://localhost:7071/api/broadcast",
            {"content-type": "application/json"},
            body=json.dumps(_MESSAGE).encode(),
        )
        invoke = partial(invoke_together, worker, functions["broadcast"], request, status=_ACCEPTED)
        sides = {
            "function": lambda calls: runner.run(invoke(calls=calls)),
            "requests.Session": by_threads(
                pool, THREADS, _posting(f"{service}/api/hubs/chat/:send", _MESSAGE)
            ),
        }
        taken = take_turns(
            sides,
            lambda turns: [at_least(0.85, turns, "function", "requests.Session")],
            calls=MESSAGES,
            rounds=_ROUNDS,
        )
        worker.stop()
    title = f"Broadcast through Microsoft's worker, 1 KB, {THREADS} at a time"
    return report.table_of(f"{title} (turns of {MESSAGES})", taken)


def _posting(url: str, body: object) -> Send:
    """Return what posts over one session, with kept connections and the bytes ready."""
    posting = session(THREADS)
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}

    def send() -> None:
        answer = posting.post(url, data=data, headers=headers, timeout=60)
        if answer.status_code != _ACCEPTED:
            raise RuntimeError(answer.text)

    return send


def _values(service: str, identity: Mapping[str, str]) -> dict[str, str]:
    return {
        **identity,
        "AzureSignalRConnectionString__serviceUri": service,
        "SIGNALR_HUBS": "chat",
        "NEGOTIATE_IDENTITY": "anonymous",
    }


@contextlib.contextmanager
def _app(folder: Path, values: Mapping[str, str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as temporary:
        settings = Path(temporary, "local.settings.json")
        settings.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
        # By messages, as Azure calls apps: by the native interface blocking functions, which those
        # written by hand are, would have another change of thread.
        options = ("--worker", "protobuf", "--app-dir", str(folder), "--port", "0")
        with running("-m", "funchost", *options, "--settings", str(settings)) as output:
            ready = re.compile(r"Functions host ready on (\S+)")
            url = next(found[1] for line in output if (found := ready.search(line)))
            yield f"{url}{load_host_settings(folder).base_path}"


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("broadcast", __doc__).parse_args().json))
