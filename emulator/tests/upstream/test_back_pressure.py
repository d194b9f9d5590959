"""More than the upstream takes: it waits, and the client is held back before it is too much."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from signalr_emulator.transports.timing import Timing
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import StartWire
from emulator.tests.link import Link, negotiated, polling
from emulator.tests.real_client import javascript
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import HANDSHAKE, Socket, Wire, said

MIB = 1024 * 1024
PING = '{"type":6}\x1e'


def call(target: str, invocation_id: str | None = None, *arguments: str) -> str:
    fields: dict[str, object] = {"type": 1, "target": target, "arguments": arguments}
    if invocation_id is not None:
        fields["invocationId"] = invocation_id
    return json.dumps(fields) + "\x1e"


def large(target: str) -> str:
    return call(target, None, "x" * MIB)


class Held(asyncio.Event):
    """Holds every call until it is set."""

    async def respond(self, _request: web.Request) -> web.StreamResponse:
        await self.wait()
        return web.Response()


@asynccontextmanager
async def holding(
    start: StartWire, app: App, **timing: float
) -> AsyncIterator[tuple[Wire, asyncio.Event]]:
    """Run an emulator whose upstream answers to messages once the event is set."""
    held = Held()
    app.respond = held.respond
    template = parse_template(f"{app.url} category=messages")
    async with calling(start, template, timing=Timing(**timing)) as wire:
        try:
            yield wire, held
        finally:
            held.set()


async def waiting(wire: Wire, count: int) -> None:
    """Wait until so many events wait or are under way."""
    async with asyncio.timeout(10):
        while (await wire.control("/emulator/upstream"))["local"]["queued"] < count:
            continue


async def pings(socket: Socket, count: int) -> None:
    for _ in range(count):
        assert await socket.text() == PING


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def test_nothing_is_refused_or_dropped(start: StartWire, app: App) -> None:
    async with holding(start, app) as (wire, held):
        socket = await wire.connect()
        names = [str(number) for number in range(1_500)]
        for name in names:
            # Every fifth wants an answer.
            await socket.ws.send_str(call(name, name if int(name) % 5 == 0 else None))
        held.set()
        assert await app.events(len(names)) == names
        answers = [json.loads((await socket.text())[:-1]) for _ in names[::5]]
        assert answers == [{"type": 3, "invocationId": name} for name in names[::5]]


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
async def test_javascript_client_with_many_calls_at_once(
    start: StartWire, app: App, transport: str
) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        called = json.loads(await request.read())
        fields = {"type": 3, "invocationId": called["invocationId"]}
        return web.Response(text=json.dumps(fields | {"result": called["arguments"][0]}) + "\x1e")

    app.respond = echo
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        arguments = (wire.hub_url(), await wire.client_token(), transport, "json", "many")
        async with javascript("client.mjs", *arguments) as client:
            assert (await client.event())["event"] == "connected"
            # Those after the first go in one request, which is longer than any message may be.
            answered = await client.event()
            assert answered == {"event": "answered", "results": list(range(300))}


async def test_a_handler_may_ask_its_own_caller(start: StartWire, app: App) -> None:
    async with holding(start, app) as (wire, held):

        async def respond(request: web.Request) -> web.StreamResponse:
            if request.headers["X-ASRS-Event"] != "ask":
                await held.wait()
                return web.Response()
            answer = await wire.invoke(request.headers["X-ASRS-Connection-Id"], "who")
            fields = {"type": 3, "invocationId": "1", "result": answer.json["result"]}
            return web.Response(text=json.dumps(fields) + "\x1e")

        app.respond = respond
        socket = await wire.connect()
        for name in ("ask", *map(str, range(300))):
            await socket.ws.send_str(call(name, "1" if name == "ask" else None))
        question = json.loads((await socket.text())[:-1])
        assert question["target"] == "who"
        answer = {"type": 3, "invocationId": question["invocationId"], "result": "ann"}
        await socket.ws.send_str(json.dumps(answer) + "\x1e")
        assert json.loads((await socket.text())[:-1])["result"] == "ann"


@pytest.mark.usefixtures("traced")
async def test_a_thousand_calls_take_little_memory(start: StartWire, app: App) -> None:
    async with holding(start, app) as (wire, _):
        socket = await wire.connect()
        await socket.ws.send_str(call("say", "0", "hello"))
        await waiting(wire, 1)
        before, _peak = tracemalloc.get_traced_memory()
        for number in range(1, 1_000):
            await socket.ws.send_str(call("say", str(number), "hello"))
        await waiting(wire, 1_000)
        after, _peak = tracemalloc.get_traced_memory()
        assert after - before < 2 * MIB


@pytest.mark.usefixtures("traced")
async def test_a_web_socket_is_not_read_while_too_much_waits(start: StartWire, app: App) -> None:
    async with holding(start, app, keep_alive=0.02, client_timeout=1) as (wire, held):
        socket = await wire.connect()
        text = large("say")
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()

        async def send_all() -> None:
            for _ in range(40):
                await socket.ws.send_str(text)

        sending = asyncio.create_task(send_all())
        await waiting(wire, 4)
        # Longer than a client may be silent: this one wants to send.
        await pings(socket, 75)
        assert not sending.done()
        _, peak = tracemalloc.get_traced_memory()
        # The client and the app run here too, with copies of their own of what is under way.
        assert peak - before < 28 * MIB
        held.set()
        await sending
        await socket.ws.send_str(call("last", "1"))
        assert await app.events(41) == [*["say"] * 40, "last"]
        texts = [await socket.text()]
        while texts[-1] == PING:
            texts.append(await socket.text())
        assert texts[-1] == '{"type":3,"invocationId":"1"}\x1e'


async def test_a_frame_of_many_calls_is_taken_bit_by_bit(start: StartWire, app: App) -> None:
    async with holding(start, app) as (wire, _):
        socket = await wire.connect()
        await socket.ws.send_str(call("say") * 100_000)
        await waiting(wire, 1_000)
        await wire.send("chat/", "hi")
        assert await socket.text() == said("hi")
        queued = (await wire.control("/emulator/upstream"))["local"]["queued"]
        assert 1_000 < queued < 10_000


@asynccontextmanager
async def posting(wire: Wire, way: str) -> AsyncIterator[Link]:
    """Connect a client that sends by requests."""
    if way == "polls":
        yield await polling(wire, **{"asrs.s.ttl": "300"})
        return
    link = await negotiated(wire)
    async with link.events():
        await link.request("POST", HANDSHAKE.encode())
        yield link


@pytest.mark.parametrize("way", ["events", "polls"])
async def test_a_request_is_answered_when_there_is_room(
    start: StartWire, app: App, way: str
) -> None:
    async with holding(start, app) as (wire, held), posting(wire, way) as link:
        names = [str(number) for number in range(10)]
        body = "".join(call(name, None, "x" * (MIB - 100)) for name in names).encode()
        first = asyncio.create_task(link.request("POST", body))
        await waiting(wire, 5)
        second = asyncio.create_task(link.request("POST", call("last").encode()))
        for _ in range(100):  # time enough to take all of it
            assert await wire.connection_counts() == {"chat": 1}
        assert not first.done()
        held.set()
        assert await app.events(len(names) + 1) == [*names, "last"]
        assert ((await first).status, (await second).status) == (200, 200)


async def test_a_request_does_not_wait_for_a_client_that_is_gone(
    start: StartWire, app: App
) -> None:
    async with holding(start, app) as (wire, _), posting(wire, "polls") as link:
        body = call("say", None, "x" * (MIB - 100)).encode() * 10
        sending = asyncio.create_task(link.request("POST", body))
        await waiting(wire, 5)
        assert (await link.request("DELETE")).status == 202
        async with asyncio.timeout(5):
            assert (await sending).status in {200, 404}


async def test_calls_before_the_end_come_before_it(start: StartWire, app: App) -> None:
    held = Held()
    app.respond = held.respond
    async with calling(start, parse_template(app.url)) as wire:
        socket = await wire.connect()
        for number in range(200):
            await socket.ws.send_str(call(str(number)))
        await socket.ws.close()
        held.set()
        names = [str(number) for number in range(200)]
        assert await app.events(202) == ["connected", *names, "disconnected"]


async def test_nobody_connects_while_too_many_clients_wait(start: StartWire, app: App) -> None:
    held = Held()
    app.respond = held.respond
    template = parse_template(app.url)
    async with calling(start, template, concurrency=1, max_waiting_clients=2) as wire:
        clients = [await wire.connect() for _ in range(2)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await wire.open()
        assert caught.value.status == 503
        assert caught.value.headers is not None
        assert caught.value.headers["Retry-After"] == "1"
        for client in clients:
            await client.ws.send_str(call("say", "1"))
        held.set()
        for client in clients:
            assert await client.text() == '{"type":3,"invocationId":"1"}\x1e'
        assert sorted(await app.events(4)) == ["connected", "connected", "say", "say"]
        clients.append(await wire.connect())
        for client in clients:
            await client.ws.close()
