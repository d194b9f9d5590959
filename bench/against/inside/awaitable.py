"""Messages of the awaitable client, several at a time on one event loop."""

import asyncio
import os

from shared import Settings
from shared.aio import SignalRServiceClient

from .sends import ARGUMENTS, serve_sends

__all__ = ["main"]


def main(together: str) -> None:
    """Answer with what messages take.

    Args:
        together: How many are sent at a time.
    """
    with asyncio.Runner() as runner:
        client = runner.run(_client())
        serve_sends(lambda messages: runner.run(_send(client, messages, int(together))))
        runner.run(client.close())


async def _client() -> SignalRServiceClient:
    return SignalRServiceClient.from_settings(Settings.from_environment(os.environ))


async def _send(client: SignalRServiceClient, messages: int, together: int) -> None:
    async def loop() -> None:
        for _ in range(messages // together):
            await client.send_to_all("chat", "newMessage", ARGUMENTS)

    await asyncio.gather(*(loop() for _ in range(together)))
