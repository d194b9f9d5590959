"""Negotiation and client tokens: `python -m bench.rows.negotiate`.

The functions are invoked through Microsoft's worker library, as in Azure, without HTTP before it:
by its native interface, and by messages as from its proxy.
The emulator provides identity and access key, so every negotiation measured is a real one.
"""

import asyncio
import hmac
import json
import logging
import os
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import jwt
from azure.core.credentials import AzureKeyCredential
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from signalr_emulator.testing import running_emulator

from funchost.worker.functions import Function
from funchost.worker.interface import Interface
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker
from shared.keys.access_key import AccessKey
from shared.keys.client_token import sign_client_token

from .. import report
from ..pairs import Row, Turns, at_most, faster, take_timed_turns, take_turns

_FUNCTIONS = Path(__file__).parents[1] / "functions"
_ROUNDS = 60
_INVOCATIONS = 100
_USERS = 500
_TOKENS = 500
_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
_AUDIENCE = "https://contoso.service.signalr.net/client/?hub=chat"


def tables() -> Iterator[report.Table]:
    """Measure negotiations and client tokens."""
    with running_emulator() as emulator:
        os.environ |= emulator.app_settings
        yield from _invocations()
    yield _tokens()


def _invocations() -> Iterator[report.Table]:
    os.environ |= {
        "SIGNALR_HUBS": "chat",
        "NEGOTIATE_IDENTITY": "app-service",
        "WEBSITE_AUTH_ENABLED": "True",
        "PYTHON_SCRIPT_FILE_NAME": "negotiate_app.py",
    }
    # As in Azure, where the host filters by level before anything is formatted.
    logging.basicConfig(level=logging.ERROR)
    with asyncio.Runner() as runner:
        native = Worker(Interface.NATIVE)
        functions = {each.name: each for each in runner.run(native.start(_FUNCTIONS))}
        for interface, worker, limit in (
            (Interface.NATIVE, native, 1.4),
            (Interface.PROTOBUF, Worker(Interface.PROTOBUF), 1.35),
        ):
            negotiate, empty, usual = (
                _side(runner, worker, functions[name]) for name in ("negotiate", "empty", "usual")
            )
            # In two pairs, since a blocking function's threads slow down whoever comes after it.
            with_empty = take_timed_turns(
                {"negotiate": negotiate, "empty async function": empty},
                partial(_beside_empty, limit),
                rounds=_ROUNDS,
            )
            with_usual = take_timed_turns(
                {"negotiate": negotiate, "sync function with jwt.encode": usual},
                lambda turns: [faster(5, turns, "negotiate", "sync function with jwt.encode")],
                rounds=_ROUNDS,
            )
            title = f"Negotiate, hot, through Microsoft's worker, {interface} interface, CPU"
            yield report.table_of(title, with_empty, with_usual)
        native.stop()


def _beside_empty(limit: float, turns: Turns) -> list[Row]:
    return [at_most(limit, turns, "negotiate", "empty async function")]


def _side(runner: asyncio.Runner, worker: Worker, function: Function) -> Callable[[], float]:
    """Return what measures a turn: microseconds of processor time that one invocation takes."""
    # Each call is another user's, so that what is remembered of one saves nothing.
    requests = cycle(map(_request, range(_USERS)))

    async def invoke() -> None:
        for request in islice(requests, _INVOCATIONS):
            response = await worker.invoke(function, request)
            if response.status != 200:  # noqa: PLR2004  anything else is not what is measured
                raise RuntimeError(f"{function.name} answered {response.status}")

    def turn() -> float:
        began = time.process_time()
        runner.run(invoke())
        return (time.process_time() - began) / _INVOCATIONS * 1e6

    return turn


def _request(user: int) -> HttpRequest:
    return HttpRequest(
        "POST",
        "http://localhost:7071/api/negotiate?negotiateVersion=1",
        {"content-type": "text/plain;charset=UTF-8", "x-ms-client-principal-id": f"user-{user}"},
        {"negotiateVersion": "1"},
    )


def _tokens() -> report.Table:
    key = AccessKey("0123456789abcdef0123456789abcdef", _KEY.encode(), time.time())
    web_pub_sub = WebPubSubServiceClient(
        "https://contoso.webpubsub.azure.com", "chat", AzureKeyCredential(_KEY)
    )

    def ours(calls: int) -> None:
        for _ in range(calls):
            sign_client_token(key, _AUDIENCE, now=time.time(), lifetime=3600, user_id="ann")

    def encoded(calls: int) -> None:
        headers = {"kid": key.key_id}
        for _ in range(calls):
            jwt.encode(_claims(time.time()), _KEY, algorithm="HS256", headers=headers)

    def sdk(calls: int) -> None:
        for _ in range(calls):
            web_pub_sub.get_client_access_token(user_id="ann")

    sides = {
        "client token": ours,
        "JSON + base64 + one HMAC": lambda calls: _floor(key, calls),
        "jwt.encode": encoded,
        "Web PubSub SDK": sdk,
    }
    taken = take_turns(sides, _token_rows, calls=_TOKENS, rounds=_ROUNDS)
    return report.table_of("A client token", taken)


def _token_rows(turns: Turns) -> list[Row]:
    return [
        at_most(1.5, turns, "client token", "JSON + base64 + one HMAC"),
        faster(2, turns, "client token", "jwt.encode"),
        faster(2, turns, "client token", "Web PubSub SDK"),
    ]


def _claims(now: float) -> dict[str, object]:
    issued_at = int(now)
    return {
        "aud": _AUDIENCE,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + 3600,
        "asrs.s.uid": "ann",
    }


def _floor(key: AccessKey, calls: int) -> None:
    """Do what no token can do without: JSON, base64 and one HMAC-SHA256."""
    encode = json.JSONEncoder(separators=(",", ":")).encode
    for _ in range(calls):
        claims = encode(_claims(time.time())).encode()
        message = key.token_header + urlsafe_b64encode(claims).rstrip(b"=")
        signature = hmac.digest(key.secret, message, "sha256")
        (message + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("negotiate", __doc__).parse_args().json))
