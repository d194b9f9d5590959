"""App servers and clients that do not read: each is held back or cut, and memory is bounded."""

import asyncio

import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.server_connections.timing import ServerTiming
from signalr_emulator.transports.timing import Timing

from emulator.tests.conftest import StartWire
from emulator.tests.server_endpoint.conftest import Advance
from emulator.tests.server_endpoint.stub import AppServer, app_server, greeted
from emulator.tests.wire import Wire

MIB = 1024 * 1024
MESSAGES = 64
"""Of 1 MiB each: far more than the systems on both sides hold of a connection."""


async def test_clients_of_an_app_server_that_does_not_read_are_held_back(wire: Wire) -> None:
    async with app_server(wire) as slow, app_server(wire) as other:
        sender = await greeted(wire, slow)
        bystander = await greeted(wire, other)

        async def send() -> None:
            for number in range(MESSAGES):
                await sender.ws.send_bytes(bytes([number]) * MIB)

        async with asyncio.TaskGroup() as group:
            sending = group.create_task(send())
            [first, _] = wire.emulator.service.resources[0].servers.all()
            while first.socket.has_room:
                await other.synchronized()
            # Only this one is held back.
            await bystander.ws.send_str("1\x1e")
            assert await other.next() == [6, bystander.connection_id, b"1\x1e", ()]
            assert not sending.done()
            for number in range(MESSAGES):
                kind, about, data, _ = await slow.next()
                assert (kind, about) == (6, sender.connection_id)
                assert data == bytes([number]) * MIB


async def test_a_client_that_waits_for_its_app_server_is_not_silent(
    start: StartWire, advance: Advance
) -> None:
    config = Config(
        service_port=0,
        control_port=0,
        service_mode=ServiceMode.DEFAULT,
        timing=Timing(client_timeout=20),
        server_timing=ServerTiming(timeout=300),
    )
    async with start(config) as wire, app_server(wire) as slow, app_server(wire) as other:
        sender = await greeted(wire, slow)

        async def send() -> None:
            for _ in range(MESSAGES):
                await sender.ws.send_bytes(bytes(MIB))

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            [server, _] = wire.emulator.service.resources[0].servers.all()
            while server.socket.has_room:
                await other.synchronized()
            advance(60)
            await other.synchronized()
            for _ in range(MESSAGES):
                assert (await slow.next())[:2] == [6, sender.connection_id]


async def test_an_app_server_that_asks_and_does_not_read_is_held_back_and_cut(
    wire: Wire, server: AppServer, advance: Advance
) -> None:
    """An answer that says as much as its question, again and again."""
    question = [34, "i" * MIB, "nobody", "host_1", {}, {}]
    async with app_server(wire) as other:

        async def ask() -> int:
            for number in range(MESSAGES):
                try:
                    await server.send(question)
                except ConnectionError:
                    return number
            return MESSAGES

        asking = asyncio.create_task(ask())
        while not asking.done():
            await other.synchronized()
            advance(0.2)
        assert await asking < MESSAGES
        await other.synchronized()


@pytest.mark.parametrize("is_for_one", [True, False])
async def test_a_client_that_does_not_read_is_cut(
    wire: Wire, server: AppServer, is_for_one: bool
) -> None:
    slow, other = [await greeted(wire, server) for _ in range(2)]
    to = slow.connection_id
    data = bytes(MIB)
    send = [6, to, data, {}] if is_for_one else [7, [to], {"json": data}, {}]
    told = []
    # It is asked to pause, and goes on.
    for number in range(MESSAGES):
        await server.send(send)
        if number % 8 == 0:
            await server.send([3, "servers", ""])
            while (message := await server.next())[0] != 3:
                told.append(message)
    pauses = [message[:4] for message in told if message[0] == 39]
    assert pauses[:1] == ([[39, to, 1, 1]] if is_for_one else [])
    ends = [message[:3] for message in told if message[0] == 5]
    assert ends == [[5, to, "The client reads too slowly."]]
    await server.send([10, [], {"json": b"1\x1e"}, {}])
    assert await other.text() == "1\x1e"
