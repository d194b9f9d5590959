"""What no app server should send: the smallest unit ends, with a reason, and all others go on."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signalr_emulator import Config, running
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.service_protocol.codec import MAX_MESSAGE_BYTES

from emulator.tests.server_endpoint.stub import WEAK, AppServer, app_server, framed, greeted
from emulator.tests.wire import Wire

MIB = 1024 * 1024
TEXTS = st.none() | st.text(max_size=6) | st.sampled_from(["c", "g", "fin:1", "shutdown"])
ITEMS = (
    st.integers(-(1 << 40), 1 << 40)
    | TEXTS
    | st.binary(max_size=9)
    | st.booleans()
    | st.lists(TEXTS, max_size=3)
    | st.dictionaries(TEXTS | st.integers(0, 9), st.binary(max_size=9) | TEXTS, max_size=3)
)
MESSAGES = st.tuples(st.integers(-1, 44), st.lists(ITEMS, max_size=8))


@asynccontextmanager
async def bystanders(wire: Wire, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Another server connection and its client, which notice nothing of what goes on."""
    async with app_server(wire) as other:
        client = await greeted(wire, other)
        yield
        await other.send([10, [], {"json": b"still here\x1e"}, {}])
        assert await client.text() == "still here\x1e"
        await other.synchronized()
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert failures == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x80",
        b"\xa1x",
        b"\x92\x06",
        b"\x90",
        b"\x91\xc0",
        b"\x91\xcf" + b"\xff" * 8,
        b"\x94\x06\xa1c\x93\x01\x02\x03\x80",
        b"\x93\x06\xa1c",
        b"\xdd\xff\xff\xff\xff",
        b"\x92" * 2000 + b"\xc0",
        b"\x95\x12\xa1c\xa1g\xa11\x80",
        b"\x94\x27\xa1c\x05\x01",
    ],
)
async def test_a_message_that_cannot_be_read_is_skipped(
    wire: Wire, server: AppServer, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    client = await greeted(wire, server)
    async with bystanders(wire, caplog):
        length = len(body)
        prefix = bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
        send = framed([6, client.connection_id, b"1\x1e", {}])
        await server.ws.send_bytes(prefix + body + send)
        assert await client.text() == "1\x1e"
        await server.synchronized()
    assert "A message of a server connection is ignored" in caplog.text


async def test_messages_of_the_future_and_of_the_service_are_passed_over(
    server: AppServer, caplog: pytest.LogCaptureFixture
) -> None:
    await server.send(
        [99, "a", 1, {}],
        [-1],
        [2, "", {}, "id"],
        [4, "c", {}, {}, "", {}],
        [15, "out of order"],
        [20, 1, 1, "", {}],
        [22, 0, "i", 0, "", {}],
        [29, "k", "s", None, None, {}],
        [37, "1", "c", "i", {}],
        [38, "c", {}],
        [39, "c", 1, 2, {}],
        [43, "c", {}, {}],
    )
    await server.synchronized()
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_what_is_for_nobody_is_dropped(server: AppServer) -> None:
    await server.send(
        [6, "nobody", b"1\x1e", {}],
        [6, "", b"", {5: 1, 6: True}],
        [5, "nobody", "", {}, {}],
        [7, ["nobody"] * 3, {"json": b"1\x1e"}, {}],
        [8, "nobody", {}, {}],
        [13, "nobody", ["x"], {}, {}, ["y"], None],
        [39, "nobody", 1, 2, {}],
    )
    await server.synchronized()


async def test_a_second_handshake_is_passed_over(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    await server.send([1, 1, WEAK, "", 2, {}, False])
    await server.synchronized()
    await server.send([6, client.connection_id, b"1\x1e", {}])
    assert await client.text() == "1\x1e"
    [known] = wire.emulator.service.resources[0].servers.all()
    assert (known.kind, known.migration_level) == (0, 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xff\xff\xff\xff\x01", "more than 5 bytes"),
        (b"\xff\xff\xff\xff\x7f", "longer"),
        (b"\xff\xff\xff\xff\x07", "longer"),
        (b"\x81\x80\x80\x20", "longer"),
    ],
)
async def test_a_length_that_cannot_be_ends_the_connection(
    wire: Wire, server: AppServer, caplog: pytest.LogCaptureFixture, data: bytes, reason: str
) -> None:
    client = await greeted(wire, server)
    async with bystanders(wire, caplog):
        to_one = framed([7, [client.connection_id], {"json": b"1\x1e"}, {}])
        await server.ws.send_bytes(to_one + data)
        kind, text = await server.next()
        assert kind == 15
        assert reason in text.lower()
        assert await server.closed() == 1000
        assert await client.text() == "1\x1e"
        assert "app server is lost" in await client.text()


async def test_a_text_frame_ends_the_connection(
    wire: Wire, server: AppServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await greeted(wire, server)
    async with bystanders(wire, caplog):
        await server.ws.send_str("hello")
        assert await server.closed() == aiohttp.WSCloseCode.UNSUPPORTED_DATA
        assert "app server is lost" in await client.text()


async def test_a_message_of_16_mb_arrives(wire: Wire, server: AppServer) -> None:
    ws = await server.client(wire)
    opened = await server.accept()
    assert (await ws.receive(timeout=5)).data == "{}\x1e"
    payload = b"x" * (16 * MIB - 1) + b"\x1e"
    await server.send([6, opened.connection_id, payload, {}])
    # A client of aiohttp takes 4 MiB, and says so.
    got = await ws.receive(timeout=20)
    assert got.type is aiohttp.WSMsgType.ERROR
    # It asked for a pause while so much waited.
    told = await server.next()
    while told[0] == 39:
        told = await server.next()
    assert told[:2] == [5, opened.connection_id]


async def test_a_websocket_message_that_is_too_long(
    wire: Wire, server: AppServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await greeted(wire, server)
    async with bystanders(wire, caplog):
        with suppress(ConnectionError):
            await server.ws.send_bytes(bytes(2 * MAX_MESSAGE_BYTES + 1))
        assert "app server is lost" in await client.text()


async def test_huge_lists(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    many = [str(number) for number in range(100_000)]
    payloads = {"json": b"1\x1e"}
    await server.send(
        [7, [*many, client.connection_id, client.connection_id], payloads, {}],
        [9, many, payloads, {}],
        [10, many, payloads, {}],
        [14, many, payloads, {}],
        [13, "g", many, payloads, {}, many, None],
        [10, [*many, client.connection_id], payloads, {}],
    )
    await server.synchronized()
    await server.send([10, [], {"json": b"2\x1e"}, {}])
    assert [await client.text() for _ in range(3)] == ["1\x1e", "1\x1e", "2\x1e"]


async def test_ids_and_names_that_are_no_text(wire: Wire, server: AppServer) -> None:
    """.NET reads a replacement character where bytes are no UTF-8."""
    client = await greeted(wire, server, user="�")
    no_text = b"\x94\x08\xa1\xff\x81\xa4json\xc4\x02\x31\x1e\x80"
    await server.ws.send_bytes(bytes([len(no_text)]) + no_text)
    assert await client.text() == "1\x1e"


async def test_much_without_an_answer_to_the_handshake(
    wire: Wire, server: AppServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with bystanders(wire, caplog):
        ws = await server.client(wire)
        opened = await server.opened()
        for _ in range(17):
            await server.send([7, [opened.connection_id], {"json": bytes(MIB)}, {}])
        told = await server.next()
        assert told[:3] == [5, opened.connection_id, "The client reads too slowly."]
        assert "too slowly" in (await ws.receive(timeout=5)).data
        assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


async def test_a_part_that_never_ends(
    wire: Wire, server: AppServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await greeted(wire, server)
    async with bystanders(wire, caplog):
        for _ in range(17):
            await server.send([6, client.connection_id, bytes(MIB), {6: True}])
        reason = "A message of the app server has no end."
        assert await server.next() == [5, client.connection_id, reason, (), ()]
        assert json.loads((await client.text())[:-1])["error"] == reason


async def test_an_empty_answer_to_the_handshake_is_none(wire: Wire, server: AppServer) -> None:
    ws = await server.client(wire)
    opened = await server.opened()
    about = opened.connection_id
    await server.send([6, about, b"", {5: 1}], [7, [about], {"json": b"1\x1e"}, {}])
    await server.send([6, about, b"{}\x1e", {5: 1}])
    assert [(await ws.receive(timeout=5)).data for _ in range(2)] == ["{}\x1e", "1\x1e"]


async def test_any_messages(signing_key: SigningKey, caplog: pytest.LogCaptureFixture) -> None:
    mode = ServiceMode.DEFAULT
    async with (
        running(
            Config(service_port=0, control_port=0, service_mode=mode), signing_key=signing_key
        ) as emulator,
        aiohttp.ClientSession() as session,
    ):
        wire = Wire(emulator, session)
        run: list[list[Any]] = []

        @settings(max_examples=400, deadline=None, database=None, derandomize=True)
        @given(MESSAGES)
        def collect(message: tuple[int, list[Any]]) -> None:
            run.append([message[0], *message[1]])

        collect()
        async with bystanders(wire, caplog), app_server(wire, hub="news") as server:
            for message in run:
                await server.send(message)
            await server.send([3, "servers", "end"])
            while (await server.next())[:2] != [3, "servers"]:
                continue
