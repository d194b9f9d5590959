"""The SignalR clients that are written in Python, as far as each of them goes.

docs/fidelity.md names what they cannot do.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from signalr_emulator import Config
from signalr_emulator.transports.timing import Timing
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.client_endpoint.test_streams import Streams, asked
from emulator.tests.conftest import StartWire
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import Wire

if TYPE_CHECKING:
    from pysignalr.client import SignalRClient
    from pysignalr.messages import CompletionMessage

# When signalrcore stops, it waits for one more message.
TIMING = Timing(keep_alive=0.2)

PROTOCOLS = pytest.mark.parametrize("protocol", ["json", "messagepack"])


class Heard:
    """What a client tells, from whatever thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[tuple[str, object]] = asyncio.Queue()

    def note(self, event: str, value: object = None) -> None:
        self._loop.call_soon_threadsafe(self._events.put_nowait, (event, value))

    async def next(self) -> tuple[str, object]:
        async with asyncio.timeout(10):
            return await self._events.get()


@asynccontextmanager
async def pysignalr(
    url: str, token: str | None, protocol: str
) -> AsyncIterator[tuple["SignalRClient", Heard]]:
    """Run a client of pysignalr, which answers what the service invokes."""
    from pysignalr.client import SignalRClient  # noqa: PLC0415 - slow to import
    from pysignalr.protocol.json import JSONProtocol  # noqa: PLC0415 - as above
    from pysignalr.protocol.messagepack import MessagepackProtocol  # noqa: PLC0415 - as above

    heard = Heard()

    async def on_open() -> None:
        heard.note("open")

    async def on_say(arguments: list[object]) -> None:
        heard.note("say", arguments)

    async def on_error(completion: "CompletionMessage") -> None:
        heard.note("error", completion.error)

    async def double(arguments: list[int]) -> int:
        return arguments[0] * 2

    async def fail(_arguments: list[object]) -> None:
        raise ValueError("no")

    client = SignalRClient(
        url,
        JSONProtocol() if protocol == "json" else MessagepackProtocol(),
        headers={} if token is None else {"Authorization": f"Bearer {token}"},
    )
    client.on_open(on_open)
    client.on_error(on_error)
    client.on("say", on_say)
    client.on("double", double)
    client.on("fail", fail)
    running = asyncio.create_task(client.run())
    try:
        yield client, heard
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def signalrcore(
    url: str, token: str, transport: str, protocol: str
) -> AsyncIterator[tuple[Any, Heard]]:
    """Run a client of signalrcore, whose callbacks come from threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from signalrcore.hub_connection_builder import (  # type: ignore[import-untyped] # noqa: PLC0415 - has no annotations
            HubConnectionBuilder,
        )
        from signalrcore.types import (  # type: ignore[import-untyped] # noqa: PLC0415 - as above
            HttpTransportType,
            HubProtocolEncoding,
        )

    heard = Heard()
    builder = HubConnectionBuilder()
    options = {"access_token_factory": lambda: token, "transport": HttpTransportType(transport)}
    builder.with_url(url, options=options)
    builder.with_hub_protocol(
        HubProtocolEncoding.text if protocol == "json" else HubProtocolEncoding.binary
    )
    builder.with_automatic_reconnect({"type": "raw", "reconnect_interval": 0.1})
    client = builder.build()
    client.on_open(lambda: heard.note("open"))
    client.on_reconnect(lambda: heard.note("reconnect"))
    client.on_error(lambda completion: heard.note("error", completion.error))
    client.on("say", lambda arguments: heard.note("say", arguments))
    await asyncio.to_thread(client.start)
    try:
        yield client, heard
    finally:
        await asyncio.to_thread(client.stop)


def redirecting(app: App, url: str, token: str) -> str:
    """Let an app send its clients to the service; gives where they negotiate."""

    async def redirect(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"url": url, "accessToken": token})

    app.respond = redirect
    return f"{app.url}/api"


async def ignore(_message: object) -> None:
    """Take no note of an answer."""


async def refused(heard: Heard) -> None:
    event, error = await heard.next()
    assert event == "error"
    assert "No upstream is configured" in str(error)


@PROTOCOLS
async def test_pysignalr(wire: Wire, protocol: str) -> None:
    async with pysignalr(wire.hub_url(), await wire.client_token(), protocol) as (client, heard):
        assert await heard.next() == ("open", None)
        await wire.send("chat/", "é", 7, {"a": [None]})
        assert await heard.next() == ("say", ["é", 7, {"a": [None]}])
        (member,) = wire.emulator.service.resources[0].hubs.members()
        answer = await wire.invoke(member.connection_id, "double", 21)
        assert (answer.status, answer.json) == (200, {"result": 42})
        answer = await wire.invoke(member.connection_id, "fail")
        assert (answer.status, answer.json["message"]) == (400, "no")

        await client.send("greet", [{"name": "ann"}], ignore)
        await refused(heard)


@PROTOCOLS
async def test_pysignalr_reconnects(wire: Wire, app: App, protocol: str) -> None:
    url = redirecting(app, wire.hub_url(), await wire.client_token())
    async with pysignalr(url, None, protocol) as (_client, heard):
        for number in range(2):
            assert await heard.next() == ("open", None)
            await wire.send("chat/", number)
            assert await heard.next() == ("say", [number])
            (member,) = wire.emulator.service.resources[0].hubs.members()
            await wire.drop(member.connection_id)
        assert await heard.next() == ("open", None)


@PROTOCOLS
async def test_pysignalr_asks_for_a_stream(start: StartWire, app: App, protocol: str) -> None:
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        token = await wire.client_token()
        async with pysignalr(wire.hub_url(), token, protocol) as (client, heard):

            async def on_next(item: object) -> None:
                heard.note("item", item)

            async def on_complete(_completion: object) -> None:
                heard.note("complete")

            assert await heard.next() == ("open", None)
            await client.stream("count", ["3"], on_next, on_complete)
            connection_id, stream = await asked(app, protocol)
            streams = Streams(wire, connection_id)
            await streams.post(f"{stream}/:send", item=[1])
            await streams.post(f"{stream}/:send", "&completed=true", item=2)
            assert [await heard.next() for _ in range(3)] == [
                ("item", [1]),
                ("item", 2),
                ("complete", None),
            ]


@pytest.mark.parametrize(
    ("transport", "protocol"),
    [
        ("WebSockets", "json"),
        ("WebSockets", "messagepack"),
        ("ServerSentEvents", "json"),
        ("LongPolling", "json"),
    ],
)
async def test_signalrcore(start: StartWire, transport: str, protocol: str) -> None:
    async with start(Config(service_port=0, control_port=0, timing=TIMING)) as wire:
        token = await wire.client_token()
        # Its polls have no header with the token.
        url = f"{wire.hub_url()}&access_token={token}"
        async with signalrcore(url, token, transport, protocol) as (client, heard):
            assert await heard.next() == ("open", None)
            for number in range(3):
                await wire.send("chat/", "é", number, {"a": [None]})
                assert await heard.next() == ("say", ["é", number, {"a": [None]}])
            await asyncio.to_thread(client.invoke, "greet", ["ann"])
            await refused(heard)
        async with asyncio.timeout(5):
            while await wire.connection_counts():
                continue


@pytest.mark.parametrize(
    ("transport", "protocol"),
    [("WebSockets", "json"), ("WebSockets", "messagepack"), ("ServerSentEvents", "json")],
)
async def test_signalrcore_reconnects(start: StartWire, transport: str, protocol: str) -> None:
    async with start(Config(service_port=0, control_port=0, timing=TIMING)) as wire:
        token = await wire.client_token()
        async with signalrcore(wire.hub_url(), token, transport, protocol) as (_client, heard):
            assert await heard.next() == ("open", None)
            (member,) = wire.emulator.service.resources[0].hubs.members()
            await wire.drop(member.connection_id)
            assert await heard.next() == ("reconnect", None)
            await wire.send("chat/", 1)
            assert await heard.next() == ("say", [1])


@PROTOCOLS
async def test_signalrcore_after_a_redirect(start: StartWire, app: App, protocol: str) -> None:
    async with start(Config(service_port=0, control_port=0, timing=TIMING)) as wire:
        url = redirecting(app, wire.hub_url(), await wire.client_token())
        async with signalrcore(url, "app", "WebSockets", protocol) as (_client, heard):
            assert await heard.next() == ("open", None)
            await wire.send("chat/", 1)
            assert await heard.next() == ("say", [1])


@PROTOCOLS
async def test_signalrcore_asks_for_a_stream(start: StartWire, app: App, protocol: str) -> None:
    template = parse_template(f"{app.url} category=messages")
    async with calling(start, template, timing=TIMING) as wire:
        token = await wire.client_token()
        async with signalrcore(wire.hub_url(), token, "WebSockets", protocol) as (client, heard):
            assert await heard.next() == ("open", None)
            stream = await asyncio.to_thread(client.stream, "count", [3])
            stream.subscribe(
                {
                    "next": lambda item: heard.note("item", item),
                    "complete": lambda _completion: heard.note("complete"),
                    "error": lambda _completion: heard.note("error"),
                }
            )
            connection_id, stream_id = await asked(app, protocol)
            streams = Streams(wire, connection_id)
            await streams.post(f"{stream_id}/:send", item=[1])
            await streams.post(f"{stream_id}/:complete")
            assert [await heard.next() for _ in range(2)] == [("item", [1]), ("complete", None)]
