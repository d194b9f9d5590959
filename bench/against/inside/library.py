"""Client tokens and messages of the blocking client."""

import os
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Final

from shared import Settings, SignalRServiceClient

from ...rows.senders import by_threads
from .answers import serve
from .sends import ARGUMENTS, serve_sends

__all__ = ["main"]

_TOKENS: Final = 1000


def main(what: str, threads: str = "1") -> None:
    """Answer with the microseconds of a token, or with what messages take.

    Args:
        what: `token` or `send`.
        threads: How many send.
    """
    with SignalRServiceClient.from_settings(Settings.from_environment(os.environ)) as client:
        if what == "token":
            _serve_tokens(client)
        else:
            _serve_messages(client, int(threads))


def _serve_tokens(client: SignalRServiceClient) -> None:
    def measure() -> list[float]:
        began = perf_counter()
        for _ in range(_TOKENS):
            client.get_client_access_token("chat", user_id="ann")
        return [(perf_counter() - began) / _TOKENS * 1e6]

    serve(measure)


def _serve_messages(client: SignalRServiceClient, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        serve_sends(
            by_threads(pool, threads, lambda: client.send_to_all("chat", "newMessage", ARGUMENTS))
        )
