"""Sign-ins that are renewed, beside messages that are sent: `python -m bench.rows.refresh`.

Both are one request to the service. The app's functions are invoked through Microsoft's worker
library in this process, and the emulator is the service, a process of its own, where nobody hears
the messages. Processor time is measured, of this process alone, since it is the app.
"""

import asyncio
import json
import logging
import os
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from signalr_emulator.testing import running_emulator

from funchost.worker.functions import Function
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker

from .. import report
from ..pairs import at_most, take_timed_turns
from .senders import MESSAGES, THREADS, invoke_together

_ROOT = Path(__file__).parents[2]
_ROUNDS = 15
_API = "http://localhost:7071/api"
_SESSION = 86_400
_MESSAGE = {"target": "newMessage", "arguments": ["x" * 1024]}


def tables() -> Iterator[report.Table]:
    """Measure refreshes and messages."""
    with running_emulator() as emulator:
        os.environ |= {
            **emulator.app_settings,
            "SIGNALR_HUBS": "chat",
            "NEGOTIATE_IDENTITY": "app-service",
            "NEGOTIATE_CLAIMS": "name",
            "NEGOTIATE_CLOSE_ON_EXPIRATION": "true",
            "WEBSITE_AUTH_ENABLED": "True",
        }
        # As in Azure, where the host filters by level before anything is formatted.
        logging.basicConfig(level=logging.ERROR)
        with asyncio.Runner() as runner:
            worker = Worker()
            functions = {each.name: each for each in runner.run(worker.start(_ROOT))}
            yield _through_the_worker(runner, worker, functions)
            worker.stop()


def _through_the_worker(
    runner: asyncio.Runner, worker: Worker, functions: dict[str, Function]
) -> report.Table:
    caller = _signed_in()
    broadcast = HttpRequest(
        "POST",
        f"{_API}/broadcast",
        {"content-type": "application/json"},
        body=json.dumps(_MESSAGE).encode(),
    )

    def renewing() -> float:
        # A new connection for each turn, since a service forgets those that nobody connects.
        negotiated = runner.run(
            worker.invoke(functions["negotiate"], HttpRequest("POST", f"{_API}/negotiate", caller))
        )
        headers = {**caller, "x-signalr-connection-token": _connection_token(negotiated.body)}
        refresh = HttpRequest("POST", f"{_API}/refresh", headers)
        return _cpu(
            runner, partial(invoke_together, worker, functions["refresh"], refresh, status=200)
        )

    def sending() -> float:
        return _cpu(
            runner, partial(invoke_together, worker, functions["broadcast"], broadcast, status=202)
        )

    taken = take_timed_turns(
        {"refresh": renewing, "broadcast": sending},
        lambda turns: [at_most(1.15, turns, "refresh", "broadcast")],
        rounds=_ROUNDS,
    )
    title = f"Refresh of a sign-in through Microsoft's worker, {THREADS} at a time, CPU"
    return report.table_of(f"{title} (turns of {MESSAGES})", taken)


def _cpu(runner: asyncio.Runner, invoke: Callable[..., Coroutine[Any, Any, None]]) -> float:
    """Return the microseconds of processor time that one invocation takes."""
    began = time.process_time()
    runner.run(invoke(calls=MESSAGES))
    return (time.process_time() - began) / MESSAGES * 1e6


def _signed_in() -> dict[str, str]:
    """Return the headers of a caller whose bearer token App Service has checked."""
    claims = {"exp": str(int(time.time()) + _SESSION), "name": "Ann"}
    principal = {
        "auth_typ": "aad",
        "claims": [{"typ": name, "val": value} for name, value in claims.items()],
    }
    return {
        "authorization": "Bearer checked-before",
        "x-ms-client-principal-id": "ann",
        "x-ms-client-principal": b64encode(json.dumps(principal).encode()).decode(),
    }


def _connection_token(negotiated: bytes) -> str:
    """Negotiate with the service as a client does, and return the secret of the connection."""
    access = json.loads(negotiated)
    answer = requests.post(
        access["url"].replace("/client/?", "/client/negotiate?") + "&negotiateVersion=1",
        headers={"Authorization": f"Bearer {access['accessToken']}"},
        timeout=60,
    )
    if answer.status_code != HTTPStatus.OK:
        raise RuntimeError(f"the service's negotiation: {answer.status_code}")
    token: str = answer.json()["connectionToken"]
    return token


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("refresh", __doc__).parse_args().json))
