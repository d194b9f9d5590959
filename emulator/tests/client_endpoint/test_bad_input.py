"""Clients that send nonsense: nothing is logged as a failure, and nobody else notices."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signalr_emulator import Config, running
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.link import negotiated
from emulator.tests.wire import HANDSHAKE, Wire, said

HANDSHAKES = (b"", HANDSHAKE.encode(), b'{"protocol":"messagepack","version":1}\x1e')
BODIES = st.tuples(
    st.sampled_from(HANDSHAKES),
    st.lists(
        st.binary(max_size=60)
        | st.text(max_size=20).map(lambda text: text.encode() + b"\x1e")
        | st.sampled_from([b'{"type":3,"invocationId":"s1"}\x1e', b"\x02\x91\x06", b'{"type":8}']),
        max_size=3,
    ),
)


@asynccontextmanager
async def bystander(key: SigningKey, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Wire]:
    """An emulator whose well-behaved client still receives after everything else."""
    async with (
        running(Config(service_port=0, control_port=0), signing_key=key) as emulator,
        aiohttp.ClientSession() as session,
    ):
        wire = Wire(emulator, session)
        socket = await wire.connect("quiet")
        yield wire
        await wire.send("quiet/", "still here")
        assert await socket.text() == said("still here")
        async with asyncio.timeout(10):
            while "chat" in await wire.connection_counts():
                continue
    failures = [r for r in caplog.records if r.name.startswith(("aiohttp", "asyncio", "signalr"))]
    assert [r for r in failures if r.levelno >= logging.WARNING] == []


async def over_web_socket(wire: Wire, bodies: list[bytes]) -> None:
    ws = await wire.open()
    for body in bodies:
        if not ws.closed:
            await ws.send_bytes(body)
    await ws.close()


async def over_events(wire: Wire, bodies: list[bytes]) -> None:
    link = await negotiated(wire)
    async with link.events():
        for body in bodies:
            assert (await link.request("POST", body)).status in {200, 404}


async def over_polls(wire: Wire, bodies: list[bytes]) -> None:
    link = await negotiated(wire)
    await link.poll()
    for body in bodies:
        assert (await link.request("POST", body)).status in {200, 404}
    assert (await link.request("DELETE")).status in {202, 404}


def test_arbitrary_bodies(signing_key: SigningKey, caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner() as runner:
        context = bystander(signing_key, caplog)
        wire = runner.run(context.__aenter__())

        @settings(deadline=None, max_examples=40)
        @given(BODIES, st.sampled_from([over_web_socket, over_events, over_polls]))
        def send(bodies: tuple[bytes, list[bytes]], way: object) -> None:
            assert callable(way)
            runner.run(way(wire, [bodies[0], *bodies[1]]))

        send()
        runner.run(context.__aexit__(None, None, None))


async def test_broken_frames_and_requests(
    signing_key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    async with bystander(signing_key, caplog) as wire:
        token = await wire.client_token()
        host, port = wire.emulator.service_url.removeprefix("http://").split(":")
        upgrade = (
            f"GET /client/?hub=chat&access_token={token} HTTP/1.1\r\nHost: {host}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ).encode()
        link = await negotiated(wire)
        await link.poll()
        post = (
            f"POST {link.url.removeprefix(wire.emulator.service_url)} HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {token}\r\n"
        ).encode()
        noise = random.Random(7)  # noqa: S311 - the same noise in each run
        attempts = [
            *(upgrade + noise.randbytes(40) for _ in range(20)),
            upgrade + b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
            post + b"Content-Length: 100\r\n\r\nshort",
            post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            post + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
            b"GET /client/?hub=chat HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
            b"GET /client/ HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
            b"\x00\xff\r\n\r\n",
        ]
        for attempt in attempts:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(attempt)
            writer.write_eof()
            try:
                async with asyncio.timeout(0.1):
                    await reader.read()
            except (TimeoutError, ConnectionError):
                pass
            writer.transport.abort()
        assert (await link.request("DELETE")).status in {202, 404}


async def test_bodies_that_are_too_long(
    signing_key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    async with bystander(signing_key, caplog) as wire:
        link = await negotiated(wire)
        await link.poll()
        assert (await link.request("POST", HANDSHAKE.encode())).status == 200
        assert (await link.request("POST", b"x" * 1024 * 1024)).status == 200
        assert (await link.request("POST", b"x")).status == 200
        closing = (await link.request("GET")).body.decode()
        assert '"error":"A message is longer than 1048576 bytes.","allowReconnect":true' in closing
        link = await negotiated(wire)
        await link.poll()
        assert (await link.request("POST", b"x" * 2 * 1024 * 1024)).status == 200
        assert "longer than 4096" in (await link.request("GET")).body.decode()
        ws = await wire.open()
        await ws.send_bytes(b"x" * 5000)
        assert "longer than 4096" in (await ws.receive_str(timeout=5))
