"""Faults of server connections, with an app server without a library."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.documents.json_text import Json
from signalr_emulator.service_protocol.messages import (
    Ack,
    ConnectionData,
    ConnectionKind,
    HandshakeRequest,
    Ping,
)
from signalr_emulator.service_protocol.requests import CheckGroupExistenceWithAck

from emulator.tests.bare_server import BareServer, app_server, client_of, server_socket
from emulator.tests.conftest import StartWire
from emulator.tests.faults.test_rules import arm, control
from emulator.tests.wire import Wire

NOT_FOUND = 2
SHORT = 0.2
"""Seconds in which an answer would have come."""


@pytest.fixture
async def wire(start: StartWire) -> AsyncIterator[Wire]:
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)
    async with start(config) as wire:
        yield wire


async def refused(wire: Wire, hub: str = "chat") -> int:
    """Give the status with which a server connection is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with server_socket(wire, hub):
            pass
    return caught.value.status


async def clear(wire: Wire, fault_id: str) -> None:
    assert (await control(wire, "DELETE", f"/emulator/faults/{fault_id}")).status == 204


async def asked(server: BareServer, ack_id: int) -> None:
    await server.send(CheckGroupExistenceWithAck("none", ack_id))


async def answered(server: BareServer) -> tuple[int, int]:
    """Give the request that is answered next, and its status."""
    ack = await server.receive()
    assert isinstance(ack, Ack), ack
    return ack.ack_id, ack.status


async def test_a_refused_server_comes_again(wire: Wire) -> None:
    await arm(wire, operation="connectServer", status=503, hub="Chat", times=2)
    assert [await refused(wire) for _ in range(2)] == [503, 503]
    async with app_server(wire):
        pass
    [fault] = (await wire.control("/emulator/faults"))["faults"]
    assert fault["applied"] == 2


async def test_a_refused_handshake_says_why(wire: Wire) -> None:
    await arm(wire, operation="serverHandshake", status=500, body="Too many servers.", times=1)
    await arm(wire, operation="serverHandshake", action="answer", times=1)
    for text in ("Too many servers.", "Refused by a fault."):
        async with server_socket(wire) as server:
            assert await server.shake_hands() == text
            assert await server.receive() is None
            assert server.ws.close_code == aiohttp.WSCloseCode.OK
    async with app_server(wire):
        pass


async def test_a_service_that_reads_nothing_for_a_while(wire: Wire) -> None:
    async with app_server(wire) as server, client_of(wire, server) as (client, opened):
        fault_id = await arm(wire, operation="serverMessage", action="freeze")
        receiving = asyncio.create_task(client.text())
        for text in (b"1\x1e", b"2\x1e"):
            await server.send(ConnectionData(opened.connection_id, text))
        done, _ = await asyncio.wait([receiving], timeout=SHORT)
        assert not done
        # What comes from clients reaches the server all the same.
        await client.ws.send_str("3\x1e")
        assert await server.receive() == ConnectionData(opened.connection_id, b"3\x1e")
        await clear(wire, fault_id)
        assert await receiving == "1\x1e"
        assert await client.text() == "2\x1e"


async def test_a_service_that_reads_slowly(wire: Wire) -> None:
    loop = asyncio.get_running_loop()
    async with app_server(wire) as server:
        await arm(wire, operation="serverMessage", delay=0.1, times=2)
        started = loop.time()
        await asked(server, 1)
        await asked(server, 2)
        assert [await answered(server), await answered(server)] == [(1, NOT_FOUND), (2, NOT_FOUND)]
        assert loop.time() - started >= 0.2


async def test_a_late_answer_keeps_no_other_up(wire: Wire) -> None:
    async with app_server(wire) as server:
        fault_id = await arm(wire, operation="serverAck", action="freeze", times=1)
        await asked(server, 1)
        await asked(server, 2)
        assert await answered(server) == (2, NOT_FOUND)
        await server.send(Ping(("status", "1")))
        assert isinstance(await server.receive(), Ping)
        await clear(wire, fault_id)
        assert await answered(server) == (1, NOT_FOUND)
        await arm(wire, operation="serverAck", delay=0.1, times=1)
        await asked(server, 3)
        assert await answered(server) == (3, NOT_FOUND)


async def test_a_server_that_goes_while_its_answer_is_late(wire: Wire) -> None:
    fault_id = await arm(wire, operation="serverAck", action="freeze")
    async with app_server(wire) as server:
        await asked(server, 1)
    async with app_server(wire) as server:
        await clear(wire, fault_id)
        await asked(server, 2)
        assert await answered(server) == (2, NOT_FOUND)


@pytest.mark.parametrize("operation", ["connectServer", "serverHandshake"])
async def test_servers_of_other_hubs_connect(wire: Wire, operation: str) -> None:
    await arm(wire, operation=operation, action="answer", hub="news")
    async with app_server(wire):
        pass


async def test_a_fault_without_an_operation_disturbs_requests_alone(wire: Wire) -> None:
    async with app_server(wire, kind=ConnectionKind.WEAK) as server:
        await arm(wire, action="freeze", hub="chat")
        await asked(server, 1)
        assert await answered(server) == (1, NOT_FOUND)


async def test_a_handshake_that_comes_late_in_spite_of_a_fault(wire: Wire) -> None:
    """What a connection brings includes its handshake."""
    fault_id = await arm(wire, operation="serverMessage", action="freeze", times=1)
    async with server_socket(wire) as server:
        await server.send(HandshakeRequest(1))
        assert (await wire.control("/emulator/state"))["serverConnections"] == {}
        await clear(wire, fault_id)
        answer = await server.receive()
        assert answer is not None
        assert (await wire.control("/emulator/state"))["serverConnections"] == {"chat": 1}


@pytest.mark.parametrize(
    ("fault", "allowed"),
    [
        ({"operation": "serverHandshake", "action": "reset"}, "answer"),
        ({"operation": "serverHandshake", "delay": 1}, "answer"),
        ({"operation": "serverMessage", "status": 503}, "freeze or pass"),
        ({"operation": "serverMessage", "action": "truncate"}, "freeze or pass"),
        ({"operation": ["connectServer", "serverAck"], "action": "malform"}, "freeze or pass"),
    ],
)
async def test_what_cannot_happen_is_refused(wire: Wire, fault: Json, allowed: str) -> None:
    answer = await control(wire, "POST", "/emulator/faults", fault)
    assert answer.status == 400
    [error] = answer.json["errors"]
    assert error["pointer"] == "#/action"
    assert error["detail"].startswith(f"has to be {allowed} for server")


@pytest.mark.parametrize("name", ["method", "path"])
async def test_what_no_server_connection_has_is_refused(wire: Wire, name: str) -> None:
    fault: Json = {"operation": "serverAck", "delay": 1, name: "GET"}
    answer = await control(wire, "POST", "/emulator/faults", fault)
    assert answer.status == 400
    [error] = answer.json["errors"]
    assert error == {
        "pointer": f"#/{name}",
        "detail": "selects requests, and serverAck is none",
    }
