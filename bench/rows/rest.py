"""Messages to the service by its REST API: `python -m bench.rows.rest`.

Each side sends the same message to everyone, with the same number of threads over connections that
are kept open, to the same server, which is a process of its own and answers 202 to anything.
"""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.messaging.webpubsubservice import WebPubSubServiceClient

from shared import SignalRServiceClient
from shared.rest.messages import encode_message

from .. import report
from ..pairs import at_least, take_turns
from ..processes import answering_server
from .senders import MESSAGES, Send, by_threads, session

_ROUNDS = 15
_THREADS = (1, 8)
_TARGET = "newMessage"
_ARGUMENTS = ("x" * 1024,)
_TOKEN = "t" * 1500
"""As long as the Entra token of a managed identity."""

_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"


class _Credential:
    """Has a token at hand, as azure-identity has after the first request."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken(_TOKEN, int(time.time()) + 3600)


def tables() -> Iterator[report.Table]:
    """Measure with one thread and with several."""
    with answering_server() as url, SignalRServiceClient(url, _Credential()) as client:
        sides = {
            "client": lambda: client.send_to_all("chat", _TARGET, _ARGUMENTS),
            "requests.Session": _session(url),
            "Web PubSub SDK": _web_pub_sub(url),
        }
        for threads in _THREADS:
            yield _table(sides, threads)


def _table(sides: dict[str, Send], threads: int) -> report.Table:
    with ThreadPoolExecutor(threads) as pool:
        turns = take_turns(
            {name: by_threads(pool, threads, send) for name, send in sides.items()},
            calls=MESSAGES,
            rounds=_ROUNDS,
        )
    rows = [
        at_least(0.9, turns, "client", "requests.Session"),
        at_least(1.0, turns, "client", "Web PubSub SDK"),
    ]
    with_threads = f"{threads} thread{'s' * (threads > 1)}"
    return report.Table(
        f"Broadcast by REST, 1 KB, {with_threads} ({_ROUNDS} turns of {MESSAGES})", rows
    )


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
