import asyncio
import warnings

import pytest
from signalr_emulator import Config
from signalr_emulator.connection import Timing
from signalr_emulator.errors import ClientResultError
from signalr_emulator.hub_protocol import Completion

from emulator.tests.conftest import StartWire
from emulator.tests.real_client import javascript, started
from emulator.tests.wire import Wire

WAYS = [
    ("WebSockets", "json"),
    ("WebSockets", "messagepack"),
    ("ServerSentEvents", "json"),
    ("LongPolling", "json"),
    ("LongPolling", "messagepack"),
]


@pytest.mark.parametrize(("transport", "protocol"), WAYS)
async def test_node(wire: Wire, transport: str, protocol: str) -> None:
    token = await wire.client_token()
    async with javascript("client.mjs", wire.hub_url(), token, transport, protocol) as client:
        connection_id = await started(client)
        await wire.send("chat/", "é", 1, None, {"a": [True, 1.5]})
        said = ["é", 1, None, {"a": [True, 1.5]}]
        assert await client.event() == {"event": "say", "arguments": said}
        connection = wire.member(connection_id)
        assert (await connection.invoke("double", (21,), 5)).result == 42
        with pytest.raises(ClientResultError, match="no"):
            await connection.invoke("fail", (), 5)
        connection.disconnect("bye", allow_reconnect=False)
        closed = await client.event()
        assert closed == {"event": "closed", "error": "Server returned an error on close: bye"}
    assert await wire.connection_counts() == {}


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_stateful_reconnect(wire: Wire, protocol: str) -> None:
    token = await wire.client_token()
    arguments = (wire.hub_url(), token, "WebSockets", protocol, "stateful")
    async with javascript("client.mjs", *arguments) as client:
        connection_id = await started(client)
        for number in range(3):
            await wire.send("chat/", number)
            await wire.drop(connection_id)
            # Sent to a client that is away: nothing is lost, doubled or out of order.
            await wire.send("chat/", -number)
            assert (await client.event())["arguments"] == [number]
            assert (await client.event())["arguments"] == [-number]
        assert await wire.connection_counts() == {"chat": 1}
        result = await wire.member(connection_id).invoke("double", (4,), 5)
        assert isinstance(result, Completion)
        assert result.result == 8


async def test_pysignalr(wire: Wire) -> None:
    from pysignalr.client import SignalRClient  # noqa: PLC0415 - slow to import

    client = SignalRClient(
        wire.hub_url(), headers={"Authorization": f"Bearer {await wire.client_token()}"}
    )
    opened, received = asyncio.Event(), asyncio.Queue[list[object]]()

    async def on_open() -> None:
        opened.set()

    async def on_say(arguments: list[object]) -> None:
        await received.put(arguments)

    client.on_open(on_open)
    client.on("say", on_say)
    running = asyncio.create_task(client.run())
    try:
        async with asyncio.timeout(10):
            await opened.wait()
            await wire.send("chat/", "hi", 7)
            assert await received.get() == ["hi", 7]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_signalrcore(start: StartWire) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from signalrcore.hub_connection_builder import (  # type: ignore[import-untyped] # noqa: PLC0415 - has no annotations
            HubConnectionBuilder,
        )

    # When it stops, it waits for one more message.
    timing = Timing(keep_alive=0.2)
    async with start(Config(service_port=0, control_port=0, timing=timing)) as wire:
        token = await wire.client_token()
        loop = asyncio.get_running_loop()
        opened, received = asyncio.Event(), asyncio.Queue[list[object]]()
        builder = HubConnectionBuilder()
        builder.with_url(wire.hub_url(), options={"access_token_factory": lambda: token})
        client = builder.build()
        client.on_open(lambda: loop.call_soon_threadsafe(opened.set))
        client.on("say", lambda said: loop.call_soon_threadsafe(received.put_nowait, said))
        await asyncio.to_thread(client.start)
        try:
            async with asyncio.timeout(10):
                await opened.wait()
                await wire.send("chat/", "hi", 7)
                assert await received.get() == ["hi", 7]
        finally:
            await asyncio.to_thread(client.stop)
