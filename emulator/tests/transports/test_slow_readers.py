"""Clients that do not read: what waits for them is bounded, and nobody else notices."""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from signalr_emulator import Config
from signalr_emulator.transports.long_polling import MAX_WAITING
from signalr_emulator.transports.timing import Timing

from emulator.tests.client_endpoint.test_python_clients import pysignalr
from emulator.tests.conftest import StartWire
from emulator.tests.connection_string import ConnectionString
from emulator.tests.upstream_app import App
from emulator.tests.wire import API_VERSION, HANDSHAKE

MIB = 1024 * 1024
PAYLOAD = "x" * (MIB // 2)
MESSAGES = 240
OVERHEAD = 24 * MIB
REMEMBERED = 16 * MIB
"""Of the last messages, which tests and the inspector may ask for."""
"""What the process may need beside what waits: requests, their messages, a heap with holes."""

MESSAGEPACK = '{"protocol":"messagepack","version":1}\x1e'
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
EVENTS = "Accept: text/event-stream\r\n"


@dataclass(frozen=True, slots=True)
class Service:
    """An emulator in a process of its own, whose memory is nobody else's."""

    connection: ConnectionString
    process_id: int
    session: aiohttp.ClientSession

    def token(self, audience: str, **claims: str) -> str:
        now = int(time.time())
        return self.connection.token(audience, {"nbf": now, "exp": now + 600, **claims})

    def client_token(self) -> str:
        # As long as it may be: who does not poll is not gone for that.
        return self.token(f"{self.connection.url}/client/?hub=chat", **{"asrs.s.ttl": "300"})

    async def negotiated(self) -> str:
        """Give the path of a negotiated connection."""
        path = f"/client/?hub=chat&access_token={self.client_token()}"
        url = self.connection.url + path.replace("/?", "/negotiate?")
        async with self.session.post(f"{url}&negotiateVersion=1") as response:
            reply = await response.json()
        return f"{path}&id={reply['connectionToken']}"

    async def post(self, path: str, data: bytes) -> None:
        async with self.session.post(self.connection.url + path, data=data) as response:
            assert response.status == 200

    async def broadcast(self, *arguments: object) -> None:
        url = f"{self.connection.url}/api/hubs/chat/:send?api-version={API_VERSION}"
        async with self.session.post(
            url,
            json={"target": "say", "arguments": arguments},
            headers={"Authorization": f"Bearer {self.token(url)}"},
        ) as response:
            assert response.status == 202

    def memory(self, name: str) -> int:
        """Give a number of bytes of the process: `VmRSS` of now, `VmHWM` the highest so far."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024


@asynccontextmanager
async def service(upstream: App) -> AsyncIterator[Service]:
    """Run the command, which tells an upstream who comes and goes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "signalr_emulator", "--service-port", "0", "--control-port", "0"),
        *("--fresh", "--upstream", f"{upstream.url} category=connections"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        said = (await process.stdout.readuntil(b"Emulator ready.\n")).decode()
        text = re.search(r"Endpoint=\S+", said)
        assert text is not None
        async with aiohttp.ClientSession() as session:
            yield Service(ConnectionString.parse(text[0]), process.pid, session)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def unread(port: int, path: str, headers: str = "") -> AsyncIterator[asyncio.StreamWriter]:
    """Send a request, and read no more than the head of its response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield writer
    finally:
        writer.transport.abort()


def masked(text: str) -> bytes:
    """Frame text as clients have to, with a mask that changes nothing."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


@asynccontextmanager
async def slow_web_socket(service: Service, handshake: str) -> AsyncIterator[None]:
    path = f"/client/?hub=chat&access_token={service.client_token()}"
    async with unread(service.connection.port, path, UPGRADE) as writer:
        writer.write(masked(handshake))
        yield


@asynccontextmanager
async def slow_event_stream(service: Service) -> AsyncIterator[None]:
    path = await service.negotiated()
    async with unread(service.connection.port, path, EVENTS):
        await service.post(path, HANDSHAKE.encode())
        yield


@asynccontextmanager
async def slow_polls(service: Service, polls: int) -> AsyncIterator[None]:
    """Poll some times more, whose answers nobody reads, and never again."""
    path = await service.negotiated()
    async with unread(service.connection.port, path) as writer:
        await service.post(path, HANDSHAKE.encode())
        writer.write(polls * f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield


async def slow_ones(upstream: App, count: int) -> set[str]:
    """Give the connection ids of clients that are gone because they read too slowly."""
    gone = set()
    for _ in range(count):
        request, body = await upstream.next()
        assert json.loads(body) == {"type": 11, "error": "The client reads too slowly."}
        gone.add(request.headers["X-ASRS-Connection-Id"])
    return gone


async def test_memory_is_bounded_and_others_get_everything(app: App) -> None:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(service(app))
        for slow in (
            slow_web_socket(emulator, HANDSHAKE),
            slow_web_socket(emulator, MESSAGEPACK),
            slow_event_stream(emulator),
            slow_polls(emulator, polls=0),
            slow_polls(emulator, polls=2),
        ):
            await stack.enter_async_context(slow)
        connected = {(await app.next())[0].headers["X-ASRS-Connection-Id"] for _ in range(5)}
        url = f"{emulator.connection.url}/client/?hub=chat"
        _client, heard = await stack.enter_async_context(
            pysignalr(url, emulator.client_token(), "json")
        )
        assert await heard.next() == ("open", None)
        assert await app.events(1) == ["connected"]

        before = emulator.memory("VmRSS")
        for number in range(MESSAGES):
            await emulator.broadcast(number, PAYLOAD)
            assert await heard.next() == ("say", [number, PAYLOAD])
        grown = emulator.memory("VmHWM") - before

        # Three clients are written to, two are polled for.
        waiting = 3 * Config().max_write_buffer + 2 * MAX_WAITING
        assert grown < waiting + REMEMBERED + OVERHEAD < MESSAGES * len(PAYLOAD)
        assert await slow_ones(app, 5) == connected


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("headers", [UPGRADE, EVENTS], ids=["web socket", "events"])
async def test_who_never_reads_is_cut(start: StartWire, headers: str) -> None:
    timing = Timing(linger=0.05)
    config = Config(service_port=0, control_port=0, timing=timing, max_write_buffer=100_000)
    async with start(config) as wire:
        token = await wire.client_token()
        connection_token = (await wire.negotiate(token=token)).json["connectionToken"]
        path = f"/client/?hub=chat&access_token={token}&id={connection_token}"
        url = wire.emulator.service_url
        # From here on, the session has a connection to each port, and keeps it.
        assert await wire.connection_counts() == {}
        before = open_files()
        async with unread(int(url.rpartition(":")[2]), path, headers) as writer:
            if headers == UPGRADE:
                writer.write(masked(HANDSHAKE))
            else:
                await wire.request("POST", url + path, data=HANDSHAKE.encode())
            async with asyncio.timeout(10):
                while not await wire.connection_counts():
                    continue
                assert open_files() == before + 2
                while await wire.connection_counts():
                    await wire.send("chat/", PAYLOAD)
                # The client still has its end.
                while open_files() > before + 1:
                    await wire.connection_counts()
