"""A client that is gone is gone from memory as well, without a garbage collection."""

import asyncio
import gc
import os
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest
from signalr_emulator.clients.connected import Client
from signalr_emulator.sockets.writer import SocketWriter
from signalr_emulator.transports.long_polling import LongPollingTransport

from emulator.tests.link import END, negotiated, polling
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Wire

CLOSING_FRAME = b"\x88\x82" + bytes(4) + (1000).to_bytes(2)


@pytest.fixture
def no_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def web_socket(wire: Wire) -> None:
    client = await wire.connect()
    await client.ws.close()


async def broken_web_socket(wire: Wire) -> None:
    client = await wire.connect()
    client.ws.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    await client.closed()


async def web_socket_broken_while_it_closes(wire: Wire) -> None:
    client = await wire.connect()
    raw = client.ws.get_extra_info("socket")
    os.write(raw.fileno(), CLOSING_FRAME)
    raw.shutdown(socket.SHUT_RDWR)
    await client.closed()


async def event_stream(wire: Wire) -> None:
    link = await negotiated(wire)
    async with link.events() as events:
        await link.request("POST", HANDSHAKE.encode())
        assert await events.readuntil(END) == f"data: {HANDSHAKE_REPLY}".encode() + END


async def polls(wire: Wire) -> None:
    # The time between two polls is over long after the test.
    link = await polling(wire, **{"asrs.s.ttl": "300"})
    assert (await link.request("DELETE")).status == 202
    assert (await link.poll())[0] == 204


@pytest.mark.usefixtures("no_collections")
@pytest.mark.parametrize(
    "comes_and_goes",
    [web_socket, broken_web_socket, web_socket_broken_while_it_closes, event_stream, polls],
)
async def test_a_client_that_is_gone_leaves_nothing(
    wire: Wire, comes_and_goes: Callable[[Wire], Awaitable[None]]
) -> None:
    others = _clients()
    await comes_and_goes(wire)
    async with asyncio.timeout(10):
        while _clients().keys() - others.keys():  # noqa: ASYNC110  an object's end has no event
            await asyncio.sleep(0.01)


def _clients() -> dict[int, object]:
    """Return those in memory, which may be other tests' too; held, they keep their ids."""
    kinds = (Client, LongPollingTransport, SocketWriter)
    return {id(each): each for each in gc.get_objects() if isinstance(each, kinds)}
