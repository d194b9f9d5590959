"""Server-Sent Events and long polling on the wire, and what both refuse."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from signalr_emulator import Config
from signalr_emulator.transports.timing import Timing

from emulator.tests.conftest import StartWire
from emulator.tests.link import END, SSE, negotiated, polling
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Socket, Wire, said


async def test_events(wire: Wire) -> None:
    link = await negotiated(wire)
    async with link.events() as events:
        answer = await link.request("POST", HANDSHAKE.encode())
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert await events.readuntil(END) == f"data: {HANDSHAKE_REPLY}".encode() + END
        await wire.send("chat/", "a\nb")
        assert await events.readuntil(END) == f"data: {said('a' + chr(10) + 'b')}".encode() + END
        assert (await link.request("GET", headers=SSE)).status == 409
        assert (await link.request("DELETE")).status == 400
        assert await link.poll() == (400, "Cannot change transports mid-connection")
        (member,) = wire.emulator.service.resources[0].hubs.members()
        member.disconnect("bye", allow_reconnect=True)
        closing = b'data: {"type":7,"error":"bye","allowReconnect":true}\x1e'
        assert await events.read() == closing + END
    assert (await link.request("POST", b"")).status == 404


async def test_body_whose_client_goes_away_meanwhile(wire: Wire) -> None:
    link, gone = await negotiated(wire), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield HANDSHAKE.encode() + b'{"type":6}\x1e' * 100_000
        await gone.wait()
        yield b'{"type":1,"target":"t","arguments":[]}\x1e'

    async with link.events() as events:
        sending = asyncio.create_task(
            wire.session.post(link.url, headers=link.headers, data=body())
        )
        # The first half was taken.
        assert await events.readuntil(b"\r\n\r\n") == f"data: {HANDSHAKE_REPLY}\r\n\r\n".encode()
    async with asyncio.timeout(5):
        while await wire.connection_counts():
            continue
    gone.set()
    async with await sending as response:
        assert response.status == 404


async def test_events_carry_no_messagepack(wire: Wire) -> None:
    link = await negotiated(wire)
    async with link.events() as events:
        await link.request("POST", b'{"protocol":"messagepack","version":1}\x1e')
        assert b"cannot carry the protocol 'messagepack'" in await events.read()


async def test_client_of_events_that_goes_away(wire: Wire) -> None:
    link = await negotiated(wire)
    async with link.events():
        await link.request("POST", HANDSHAKE.encode())
        assert await wire.connection_counts() == {"chat": 1}
    async with asyncio.timeout(5):
        while await wire.connection_counts():
            continue


async def test_polls(wire: Wire) -> None:
    link = await polling(wire)
    poll = asyncio.create_task(link.poll())
    await wire.send("chat/", "hi")
    assert await poll == (200, said("hi"))
    await wire.send("chat/", 1)
    await wire.send("chat/", 2)
    assert await link.poll() == (200, said(1) + said(2))
    assert (await link.request("GET", headers=SSE)).status == 400


async def test_second_poll_ends_the_first(wire: Wire) -> None:
    link = await polling(wire)
    first = asyncio.create_task(link.poll())
    await asyncio.sleep(0.05)
    second = asyncio.create_task(link.poll())
    assert await first == (204, "")
    await wire.send("chat/", "hi")
    assert await second == (200, said("hi"))


async def test_delete_ends_the_poll(wire: Wire) -> None:
    link = await polling(wire)
    poll = asyncio.create_task(link.poll())
    await asyncio.sleep(0.05)
    assert (await link.request("DELETE")).status == 202
    assert await poll == (204, "")
    assert (await link.request("DELETE")).status == 404
    assert await wire.connection_counts() == {}


async def test_close_comes_before_204(wire: Wire) -> None:
    link = await polling(wire)
    (member,) = wire.emulator.service.resources[0].hubs.members()
    member.disconnect("bye", allow_reconnect=False)
    assert await link.poll() == (200, '{"type":7,"error":"bye"}\x1e')
    assert await link.poll() == (204, "")
    assert (await link.poll())[0] == 404


async def test_poll_times_out_and_an_absent_client_is_gone(start: StartWire) -> None:
    timing = Timing(poll=0.05, poll_idle=0.3)
    async with start(Config(service_port=0, control_port=0, timing=timing)) as wire:
        link = await polling(wire)
        assert await link.poll() == (200, "")
        assert await wire.connection_counts() == {"chat": 1}
        async with asyncio.timeout(5):
            while await wire.connection_counts():
                continue


async def test_who_does_not_poll_is_closed_with_a_reason(wire: Wire) -> None:
    link = await polling(wire)
    for _ in range(3):
        await wire.send("chat/", "x" * 600_000)
    status, body = await link.poll()
    assert status == 200
    assert json.loads(body.removesuffix("\x1e")) == {
        "type": 7,
        "error": "The client reads too slowly.",
        "allowReconnect": True,
    }
    assert await wire.connection_counts() == {}


async def test_handshake_before_the_first_poll(wire: Wire) -> None:
    link = await negotiated(wire)
    early = HANDSHAKE.encode()
    assert (await link.request("POST", early[:9])).status == 200
    assert (await link.request("POST", early[9:])).status == 200
    assert (await link.request("DELETE")).status == 400
    assert await wire.connection_counts() == {}
    assert await link.poll() == (200, "")
    assert await link.poll() == (200, HANDSHAKE_REPLY)
    await wire.send("chat/", "hi")
    assert await link.poll() == (200, said("hi"))


async def test_handshake_before_the_events(wire: Wire) -> None:
    link = await negotiated(wire)
    assert (await link.request("POST", HANDSHAKE.encode())).status == 200
    async with link.events() as events:
        assert await events.readuntil(END) == f"data: {HANDSHAKE_REPLY}".encode() + END


async def test_too_much_before_the_first_poll(wire: Wire) -> None:
    link = await negotiated(wire)
    assert (await link.request("POST", b" " * 60_000)).status == 200
    assert (await link.request("POST", b" " * 60_000)).status == 413


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
async def test_ids(wire: Wire, method: str) -> None:
    link = await negotiated(wire)
    link.url = link.url.rpartition("&")[0]
    answer = await link.request(method)
    assert (answer.status, answer.body) == (400, b"Connection ID required")
    link.url += "&id=unknown"
    answer = await link.request(method)
    assert (answer.status, answer.body) == (404, b"No Connection with that ID")


async def test_web_socket_takes_no_requests(wire: Wire) -> None:
    link = await negotiated(wire)
    ws = await wire.session.ws_connect(link.url, headers=link.headers)
    await ws.send_str(HANDSHAKE)
    assert await Socket(ws, "").text() == HANDSHAKE_REPLY
    assert (await link.request("POST", b"")).status == 405
    assert (await link.request("DELETE")).status == 400
    assert (await link.request("GET")).status == 400


async def test_connection_of_another_user(wire: Wire) -> None:
    link = await polling(wire, **{"asrs.s.uid": "ann"})
    link.token = await wire.client_token()
    assert (await link.request("POST", b"")).status == 403


async def test_allowed_transports(wire: Wire) -> None:
    token = await wire.client_token(**{"asrs.s.htt": "6"})
    reply = (await wire.negotiate(token=token)).json
    names = [transport["transport"] for transport in reply["availableTransports"]]
    assert names == ["ServerSentEvents", "LongPolling"]
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await wire.open(token=token)
    assert caught.value.status == 404


async def test_messagepack_over_a_web_socket(wire: Wire) -> None:
    ws = await wire.open()
    await ws.send_bytes(b'{"protocol":"messagepack","version":1}\x1e')
    assert await ws.receive_bytes(timeout=5) == b"{}\x1e"
    await wire.send("chat/", 42)
    assert await ws.receive_bytes(timeout=5) == bytes.fromhex("0b9601 80c0a3736179912a90")
    await ws.send_bytes(bytes.fromhex("02 91 06 01 c1"))
    message = await ws.receive_bytes(timeout=5)
    assert message[1:3] == bytes.fromhex("9307")
    assert b"not valid MessagePack" in message


@pytest.mark.parametrize("way", ["events", "web socket"])
async def test_slow_reader_is_told_why_it_is_closed(start: StartWire, way: str) -> None:
    config = Config(service_port=0, control_port=0, max_write_buffer=100_000)
    async with start(config) as wire:
        link = await negotiated(wire)
        host, port = wire.emulator.service_url.removeprefix("http://").split(":")
        extra = (
            "Accept: text/event-stream\r\n"
            if way == "events"
            else "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        )
        reader, writer = await asyncio.open_connection(host, int(port), limit=4096)
        writer.write(
            f"GET {link.url.removeprefix(wire.emulator.service_url)} HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: {link.headers['Authorization']}\r\n{extra}\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        if way == "events":
            await link.request("POST", HANDSHAKE.encode())
        else:
            handshake = HANDSHAKE.encode()
            writer.write(bytes([0x81, 0x80 | len(handshake), 0, 0, 0, 0]) + handshake)
        async with asyncio.timeout(5):
            while not await wire.connection_counts():
                continue
            while await wire.connection_counts():
                await wire.send("chat/", "x" * 500_000)
        received = bytearray()
        try:
            async with asyncio.timeout(5):
                while chunk := await reader.read(1 << 16):
                    received += chunk
        except ConnectionError:
            pass  # What was read before the cut counts.
        finally:
            writer.transport.abort()
        assert b'{"type":7,"error":"The client reads too slowly."' in received
