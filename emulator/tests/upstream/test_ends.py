"""How a connection ends, as the upstream is told: with an error only if something broke."""

import asyncio
import json
import os
import socket as sockets

import aiohttp
import pytest
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import StartWire
from emulator.tests.link import negotiated, polling
from emulator.tests.real_client import javascript
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import HANDSHAKE, Wire

ORDERLY = {"type": 11}
LOST = {"type": 11, "error": "The transport was lost."}


async def ended(app: App) -> dict[str, object]:
    """Give what the upstream is told of the end of a client."""
    while True:
        request, body = await app.next()
        if request.headers["X-ASRS-Event"] == "disconnected":
            fields: dict[str, object] = json.loads(body)
            return fields


def masked_close(code: int | None) -> bytes:
    status = b"" if code is None else code.to_bytes(2)
    return bytes([0x88, 0x80 | len(status)]) + bytes(4) + status


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011, 4000])
async def test_web_socket_that_the_client_closes(
    start: StartWire, app: App, code: int | None
) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        client = await wire.connect()
        os.write(client.ws.get_extra_info("socket").fileno(), masked_close(code))
        assert await ended(app) == ORDERLY
        assert await client.closed() is not None


async def test_web_socket_that_breaks(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        client = await wire.connect()
        client.ws.get_extra_info("socket").shutdown(sockets.SHUT_RDWR)
        assert await ended(app) == LOST


async def test_events_that_the_client_closes(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        link = await negotiated(wire)
        async with link.events() as events:
            await link.request("POST", HANDSHAKE.encode())
            await events.readuntil(b"\r\n\r\n")
        assert await ended(app) == ORDERLY


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
async def test_javascript_client_that_stops(start: StartWire, app: App, transport: str) -> None:
    async with calling(start, parse_template(f"{app.url} category=connections")) as wire:
        token = await wire.client_token()
        async with javascript("client.mjs", wire.hub_url(), token, transport, "json") as client:
            assert (await client.event())["event"] == "connected"
        assert await ended(app) == ORDERLY


@pytest.mark.parametrize("way", ["web socket", "events", "polls"])
async def test_client_that_is_dropped(start: StartWire, app: App, way: str) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        await getattr(_Dropped(wire), way.replace(" ", "_"))()
        assert await ended(app) == LOST
        assert await wire.connection_counts() == {}


class _Dropped:
    """What a client sees of it: a network that broke."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def _drop(self) -> None:
        (member,) = self._wire.emulator.service.resources[0].hubs.members()
        await self._wire.drop(member.connection_id)

    async def web_socket(self) -> None:
        client = await self._wire.connect()
        await self._drop()
        message = await client.ws.receive(timeout=5)
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}

    async def events(self) -> None:
        link = await negotiated(self._wire)
        async with link.events() as events:
            await link.request("POST", HANDSHAKE.encode())
            await events.readuntil(b"\r\n\r\n")
            await self._drop()
            with pytest.raises(aiohttp.ClientError):
                await events.read()

    async def polls(self) -> None:
        link = await polling(self._wire)
        # aiohttp's client would repeat a poll whose connection breaks.
        reader, writer = await self._wire.raw()
        path = link.url.removeprefix(self._wire.emulator.service_url)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
        writer.write(f"{head}Authorization: {link.headers['Authorization']}\r\n\r\n".encode())
        await asyncio.sleep(0.05)
        await self._drop()
        assert await reader.read() == b""
        writer.close()
        assert (await link.poll())[0] == 404


async def test_client_that_is_dropped_between_two_polls(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        link = await polling(wire)
        (member,) = wire.emulator.service.resources[0].hubs.members()
        await wire.drop(member.connection_id)
        assert await ended(app) == LOST
        assert (await link.poll())[0] == 404


async def test_javascript_client_that_is_dropped_between_polls_comes_back(
    start: StartWire, app: App
) -> None:
    async with calling(start, parse_template(f"{app.url} category=connections")) as wire:
        arguments = (await wire.client_token(), "LongPolling", "json", "reconnect")
        async with javascript("client.mjs", wire.hub_url(), *arguments) as client:
            connected = await client.event()
            assert (await client.event())["event"] == "refused"
            await wire.drop(connected["connectionId"])
            assert await ended(app) == LOST
            assert (await client.event())["event"] == "reconnecting"
            back = await client.event()
            assert back["event"] == "reconnected"
            assert back["connectionId"] != connected["connectionId"]
