"""Streams that the JavaScript client asks for: the upstream learns of them and REST feeds them."""

import json

import pytest
from aiohttp import web
from msgspec import msgpack
from signalr_emulator.documents.json_text import Json
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import StartWire
from emulator.tests.real_client import javascript
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import API_VERSION, Wire

PROTOCOLS = pytest.mark.parametrize("protocol", ["json", "messagepack"])


class Streams:
    """The streams of one client, by REST."""

    def __init__(self, wire: Wire, connection_id: str) -> None:
        self._wire = wire
        self._path = f"/api/hubs/chat/connections/{connection_id}/streams"

    async def post(
        self, operation: str, query: str = "", item: Json = None, data: bytes | None = None
    ) -> None:
        answer = await self._wire.rest(
            "POST",
            f"{self._path}/{operation}?api-version={API_VERSION}{query}",
            body=item,
            data=data,
            content_type="application/octet-stream" if data else "application/json",
        )
        assert answer.status == 202


async def asked(app: App, protocol: str) -> tuple[str, str]:
    """Give the connection id of the client that asks for a stream, and the stream's id."""
    request, body = await app.next()
    if protocol == "json":
        message = json.loads(body)
        kind, stream, target = message["type"], message["invocationId"], message["target"]
    else:
        kind, _headers, stream, target, *_ = msgpack.decode(body)
    assert kind == 4
    assert request.headers["X-ASRS-Category"] == "messages"
    assert request.headers["X-ASRS-Event"] == target
    return request.headers["X-ASRS-Connection-Id"], stream


@PROTOCOLS
async def test_streams_go_on_by_rest(start: StartWire, app: App, protocol: str) -> None:
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        token = await wire.client_token()
        arguments = (wire.hub_url(), token, "WebSockets", protocol, "stream")
        async with javascript("client.mjs", *arguments) as client:
            connection_id = (await client.event())["connectionId"]
            assert await asked(app, protocol) == (connection_id, "0")
            assert await asked(app, protocol) == (connection_id, "1")
            streams = Streams(wire, connection_id)
            items: list[Json] = [{"é": [1, None]}, 0, "text"]
            for item in items:
                await streams.post("0/:send", item=item)
                await streams.post("1/:send", item=item)
            await streams.post("0/:send", "&completed=true", item=True)
            await streams.post("1/:complete", "&reason=broken")
            # Whoever has ended a stream can send nothing more to it.
            await streams.post("0/:send", item="late")
            await wire.send("chat/", "done")
            for item in items:
                assert await client.event() == {"event": "item", "target": "count", "item": item}
                assert await client.event() == {"event": "item", "target": "fail", "item": item}
            assert await client.event() == {"event": "item", "target": "count", "item": True}
            assert await client.event() == {"event": "complete", "target": "count"}
            assert await client.event() == {"event": "error", "target": "fail", "error": "broken"}
            assert await client.event() == {"event": "say", "arguments": ["done"]}


@PROTOCOLS
async def test_streams_as_the_sdk_sends_them(start: StartWire, app: App, protocol: str) -> None:
    """With several hub protocols an item is written in each; `error` ends a stream."""
    item = {"a": 1}
    record = json.dumps({"type": 2, "invocationId": "0", "item": item}).encode() + b"\x1e"
    packed = msgpack.encode([2, {}, "0", item])
    framed = bytes([len(packed)]) + packed
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        token = await wire.client_token()
        arguments = (wire.hub_url(), token, "WebSockets", protocol, "stream")
        async with javascript("client.mjs", *arguments) as client:
            streams = Streams(wire, (await client.event())["connectionId"])
            body = msgpack.encode({"json": record, "messagepack": framed})
            await streams.post("0/:send", data=body)
            assert await client.event() == {"event": "item", "target": "count", "item": item}
            await streams.post("0/:complete", "&error=broken")
            assert await client.event() == {"event": "error", "target": "count", "error": "broken"}


@PROTOCOLS
async def test_stream_that_the_upstream_refuses(start: StartWire, app: App, protocol: str) -> None:
    async def refuse(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    app.respond = refuse
    async with calling(start, parse_template(app.url)) as wire:
        token = await wire.client_token()
        arguments = (wire.hub_url(), token, "WebSockets", protocol, "stream")
        async with javascript("client.mjs", *arguments) as client:
            await client.event()
            for target in ("count", "fail"):
                error = "Invocation failed, status code 500"
                assert await client.event() == {"event": "error", "target": target, "error": error}
