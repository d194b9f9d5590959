"""An agent of pysignalr: `python -m interop.clients.python.pysignalr OPTIONS`."""

import asyncio
import logging
from typing import Any

from pysignalr.client import SignalRClient
from pysignalr.messages import CompletionMessage
from pysignalr.protocol.json import JSONProtocol
from pysignalr.protocol.messagepack import MessagepackProtocol

from . import lines


class Agent:
    """Does what it is told by `do`.

    Args:
        url: Where it negotiates.
        protocol: `json` or `messagepack`.
    """

    def __init__(self, url: str, protocol: str) -> None:
        self._client = SignalRClient(
            url, JSONProtocol() if protocol == "json" else MessagepackProtocol()
        )
        self._client.on_open(self._opened)
        self._client.on_close(self._lost)
        self._client.on_error(self._refused)
        self._running: asyncio.Task[None] | None = None
        self._connected = False
        self._invocation = ""

    async def do(self, command: dict[str, Any]) -> None:
        """Do what a command says."""
        match command:
            case {"do": "start"}:
                self._running = asyncio.create_task(self._run())
            case {"do": "on", "target": target}:
                self._client.on(target, self._reporting(target))
            case {"do": "answer", "target": target, "value": value}:
                self._client.on(target, self._answering(value))
            case {"do": "send", "target": target, "arguments": arguments}:
                await self._client.send(target, arguments)
                lines.say("sent")
            case {"do": "invoke", "id": invocation, "target": target, "arguments": arguments}:
                # Errors come without the call that they belong to, so it is one at a time.
                self._invocation = invocation
                await self._client.send(target, arguments, self._completed)
            case {"do": "stop"} if self._running:
                self._running.cancel()

    async def _run(self) -> None:
        try:
            await self._client.run()
        except asyncio.CancelledError:
            lines.say("closed", error=None)
        except Exception as error:  # noqa: BLE001  whatever ends it is reported
            lines.say("closed" if self._connected else "failed", error=repr(error))

    async def _opened(self) -> None:
        lines.say("reconnected" if self._connected else "connected")
        self._connected = True

    async def _lost(self) -> None:
        lines.say("reconnecting")

    async def _completed(self, completion: Any) -> None:  # noqa: ANN401  as the library types it
        lines.say("result", id=self._invocation, value=completion.result)

    async def _refused(self, completion: CompletionMessage) -> None:
        lines.say("result", id=self._invocation, error=completion.error)

    def _reporting(self, target: str) -> Any:  # noqa: ANN401  as the library types it
        async def report(arguments: list[Any]) -> None:
            lines.say("message", target=target, arguments=arguments)

        return report

    def _answering(self, value: object) -> Any:  # noqa: ANN401  as the library types it
        async def answer(_arguments: list[Any]) -> object:
            return value

        return answer


async def main() -> None:
    """Do what standard input says until it ends."""
    chosen = lines.options()
    logging.basicConfig(level=logging.INFO)
    agent = Agent(chosen.url, chosen.protocol)
    lines.ready("pysignalr", ["send", "invoke", "results", "reconnect"])
    commands = lines.commands()
    while command := await asyncio.to_thread(next, commands, None):
        await agent.do(command)


if __name__ == "__main__":
    asyncio.run(main())
