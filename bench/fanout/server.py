"""One server of the fan-out: `python -m bench.fanout.server emulator`, told by lines what to do.

It prints one line of JSON when it listens, answers every line `[hub, members, calls]` with the
microseconds that these sends to a group of so many members have taken, and stops with its input.
No members means everyone.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from time import perf_counter, time
from typing import Protocol

import jwt
from aiohttp import web
from aiosignalr.server import (  # type: ignore[import-untyped]  # it has types, unmarked
    Hub,
    ServerOptions,
    SignalRServer,
)
from signalr_emulator import Config, running
from signalr_emulator.clients.hubs import deliver
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.open_files import raise_open_file_limit
from signalr_emulator.protocols.messages import Invocation
from signalr_emulator.protocols.supported import encoded
from signalr_emulator.transports.outgoing import Outgoing
from signalr_emulator.transports.timing import Timing
from signalr_emulator.websocket.frames import text_frame
from websockets.asyncio.server import broadcast, serve

_HUBS = ("many", "few")
"""The emulator's hubs: one for the fan-out, another to hold the first one's groups against."""

_TARGET = "say"
_TEXT = "x" * 1024
_NEVER = 3600.0
_MESSAGE = encoded(Invocation(_TARGET, JsonText(json.dumps([_TEXT]).encode())))
_FRAME = text_frame(Outgoing(_MESSAGE).json)


class _Server(Protocol):
    """What is measured."""

    paths: dict[str, str]
    """Where clients connect, by hub."""

    async def start(self, stack: AsyncExitStack) -> int:
        """Listen until the stack unwinds, and give the port."""

    async def send(self, hub: str, members: int, calls: int) -> None:
        """Send the message to a group of so many members, or to everyone."""


class _Emulator:
    """The emulator's data plane, told to deliver as its REST API does."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}

    async def start(self, stack: AsyncExitStack) -> int:
        timing = Timing(keep_alive=_NEVER, client_timeout=_NEVER)
        config = Config(service_port=0, control_port=0, timing=timing)
        emulator = await stack.enter_async_context(running(config))
        resource = emulator.service.resources[0]
        key = resource.access_keys.issue()
        for hub in _HUBS:
            claims = {"aud": f"http://localhost/client/?hub={hub}", "exp": int(time()) + 600}
            token = jwt.encode(claims, key.secret, "HS256", headers={"kid": key.key_id})
            self.paths[hub] = f"/client/?hub={hub}&access_token={token}"
        self._hubs = resource.hubs
        return int(emulator.service_url.rpartition(":")[2])

    async def send(self, hub: str, members: int, calls: int) -> None:
        hubs, group = self._hubs, str(members)
        if members and not hubs.group(hub, group):
            # The turn that does not count.
            for connection_id in list(hubs.everyone(hub))[:members]:
                hubs.add_to_group(hub, group, connection_id)
        for _ in range(calls):
            message = Outgoing(_MESSAGE)
            deliver(message, hubs.group(hub, group) if members else hubs.everyone(hub))


class _Websockets:
    """The websockets package and its `broadcast`, which frames the text once per recipient."""

    def __init__(self) -> None:
        self.paths = {"many": "/"}

    async def start(self, stack: AsyncExitStack) -> int:
        self._server = await stack.enter_async_context(
            serve(
                lambda connection: connection.wait_closed(),
                "127.0.0.1",
                0,
                compression=None,
                ping_interval=None,
            )
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def send(self, _hub: str, _members: int, calls: int) -> None:
        for _ in range(calls):
            text = Outgoing(_MESSAGE).json.decode()
            broadcast(self._server.connections, text)


class _Bare:
    """Nothing but sockets and a frame that is ready."""

    def __init__(self) -> None:
        self.paths = {"many": "/"}
        self._sockets: list[socket.socket] = []

    async def start(self, stack: AsyncExitStack) -> int:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4096))
        listener.setblocking(False)
        accepting = asyncio.create_task(self._accept(listener))
        stack.callback(accepting.cancel)
        return int(listener.getsockname()[1])

    async def send(self, _hub: str, _members: int, calls: int) -> None:
        for _ in range(calls):
            for each in self._sockets:
                each.send(_FRAME)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            client.setblocking(False)
            await loop.sock_recv(client, 4096)
            await loop.sock_sendall(client, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            self._sockets.append(client)


class _Aiosignalr:
    """The SignalR server of the aiosignalr package, in aiohttp as the emulator is."""

    def __init__(self) -> None:
        self.paths = {"many": "/hub"}
        options = ServerOptions(keep_alive_interval=_NEVER, client_timeout_interval=_NEVER)
        self._server = SignalRServer(Hub, options=options)

    async def start(self, stack: AsyncExitStack) -> int:
        runner = web.AppRunner(self._server.create_application(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
        await site.start()
        stack.push_async_callback(site.stop)
        return int(runner.addresses[0][1])

    async def send(self, _hub: str, _members: int, calls: int) -> None:
        for _ in range(calls):
            await self._server.lifetime.send_all(_TARGET, (_TEXT,))


_SERVERS: dict[str, Callable[[], _Server]] = {
    "emulator": _Emulator,
    "websockets": _Websockets,
    "bare": _Bare,
    "aiosignalr": _Aiosignalr,
}


async def _serve(server: _Server) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async with AsyncExitStack() as stack:
        port = await server.start(stack)
        ready = {"port": port, "paths": server.paths, "frame_bytes": len(_FRAME)}
        print(json.dumps(ready), flush=True)
        while line := await reader.readline():
            print(await _microseconds(server.send, *json.loads(line)), flush=True)


async def _microseconds(
    send: Callable[[str, int, int], Awaitable[None]], hub: str, members: int, calls: int
) -> float:
    start = perf_counter()
    await send(hub, members, calls)
    return (perf_counter() - start) * 1e6


if __name__ == "__main__":
    raise_open_file_limit()
    asyncio.run(_serve(_SERVERS[sys.argv[1]]()))
