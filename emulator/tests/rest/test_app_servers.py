"""REST and clients that an app server answers."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.service_protocol.messages import CloseConnection, ConnectionData

from emulator.tests.bare_server import app_server, client_of
from emulator.tests.conftest import StartWire
from emulator.tests.wire import API_VERSION, Wire, said


@pytest.fixture
async def wire(start: StartWire) -> AsyncIterator[Wire]:
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)
    async with start(config) as wire:
        yield wire


async def test_rest_reaches_them(wire: Wire) -> None:
    async with app_server(wire) as server, client_of(wire, server, "ann") as (client, _):
        recipients = ("chat/", "chat/users/ann/", f"chat/connections/{client.connection_id}/")
        for recipient in recipients:
            assert (await wire.send(recipient, recipient)).status == 202
            assert await client.text() == said(recipient)
        assert (await wire.send("chat/users/bob/", "no")).status == 202
        assert (await wire.send("chat/", "yes")).status == 202
        assert await client.text() == said("yes")


async def test_rest_calls_their_methods_and_the_server_sees_the_result(wire: Wire) -> None:
    async with app_server(wire) as server, client_of(wire, server) as (client, _):
        asking = asyncio.create_task(wire.invoke(client.connection_id, "add", 1, 2))
        asked = json.loads((await client.text()).removesuffix("\x1e"))
        assert (asked["target"], asked["arguments"]) == ("add", [1, 2])
        result = json.dumps({"type": 3, "invocationId": asked["invocationId"], "result": 3})
        await client.ws.send_str(f"{result}\x1e")
        answer = await asking
        assert (answer.status, answer.json) == (200, {"result": 3})
        seen = await server.receive()
        assert seen == ConnectionData(client.connection_id, f"{result}\x1e".encode())


async def test_rest_closes_them_and_their_server_hears_of_it(wire: Wire) -> None:
    async with app_server(wire) as server, client_of(wire, server) as (client, _):
        path = f"/api/hubs/chat/connections/{client.connection_id}"
        query = f"?api-version={API_VERSION}&reason=Enough"
        assert (await wire.rest("DELETE", path + query)).status == 200
        assert await client.text() == '{"type":7,"error":"Enough","allowReconnect":true}\x1e'
        assert await server.receive() == CloseConnection(client.connection_id, "Enough")
