"""A bare relay: `python -m bench.server_connections.relay`.

It passes WebSocket messages on from many clients to one peer and back, by aiohttp as the emulator,
and without any protocol. Whom an answer is for it knows by the order alone, which a peer that does
nothing but echo keeps.
"""

import asyncio
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

from ..meter import answer_readings

__all__ = ["CLIENT_PATH", "PEER_PATH"]

CLIENT_PATH: Final = "/client"
PEER_PATH: Final = "/peer"


class _Relay:
    def __init__(self) -> None:
        self._peer: asyncio.Future[web.WebSocketResponse] = asyncio.Future()
        self._waiting: deque[web.WebSocketResponse] = deque()

    async def client(self, request: web.Request) -> web.StreamResponse:
        """Pass on what a client says."""
        client = await _upgraded(request)
        peer = await self._peer
        while (message := await client.receive()).type is WSMsgType.TEXT:
            self._waiting.append(client)
            await peer.send_frame(message.data, WSMsgType.TEXT)
        return client

    async def peer(self, request: web.Request) -> web.StreamResponse:
        """Pass each answer on to the client that has waited for the longest time."""
        peer = await _upgraded(request)
        self._peer.set_result(peer)
        while (message := await peer.receive()).type is WSMsgType.TEXT:
            await self._waiting.popleft().send_frame(message.data, WSMsgType.TEXT)
        return peer


async def _upgraded(request: web.Request) -> web.WebSocketResponse:
    response = web.WebSocketResponse(compress=False, decode_text=False)
    await response.prepare(request)
    return response


async def main() -> None:
    """Serve until the input ends."""
    relay = _Relay()
    application = web.Application()
    application.router.add_get(CLIENT_PATH, relay.client)
    application.router.add_get(PEER_PATH, relay.peer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = int(runner.addresses[0][1])
    await answer_readings({"port": port, "client": CLIENT_PATH, "peer": PEER_PATH, "token": ""})


if __name__ == "__main__":
    asyncio.run(main())
