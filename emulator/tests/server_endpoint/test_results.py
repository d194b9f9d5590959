"""Methods of clients that app servers call, and their results, wherever the client is."""

import asyncio
import json
from typing import Any

from signalr_emulator import Config

from emulator.tests.conftest import StartWire
from emulator.tests.server_endpoint.recorded import said_by_server
from emulator.tests.server_endpoint.stub import WEAK, AppServer, app_server, framed, greeted
from emulator.tests.wire import Wire


def question(id_: str) -> bytes:
    text = json.dumps({"type": 1, "invocationId": id_, "target": "ask", "arguments": ["?"]})
    return text.encode() + b"\x1e"


def asking(id_: str, connection_id: str, server_id: str = "host_1", **written: bytes) -> list[Any]:
    """Give the message by which a server asks a client."""
    return [34, id_, connection_id, server_id, written or {"json": question(id_)}, {}]


def answer(id_: str, **result: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps({"type": 3, "invocationId": id_, **result}) + "\x1e"


async def test_a_server_asks_its_own_client(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    ask, given, completion = said_by_server("AskCaller", {"client-json": client.connection_id})
    await server.send(ask)
    assert await client.text() == ask[4]["json"].decode()
    said = answer(ask[1], result="an answer")
    await client.ws.send_str(said)
    assert await server.next() == [6, client.connection_id, said.encode(), ()]
    # The server that has asked has its answer, and the client's call goes on.
    await server.send(given, completion)
    assert await client.text() == completion[2].decode()
    await server.synchronized()


async def test_a_server_asks_the_client_of_another_server(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    async with app_server(wire) as other:
        for name, result in (
            ("answer to another server", {"result": "an answer"}),
            ("error to another server", {"error": "no"}),
            ("nothing to another server", {}),
        ):
            [given] = said_by_server(name, {"i1": client.connection_id})
            id_ = given[1]
            await other.send(asking(id_, client.connection_id, other.server_id))
            assert await client.text() == question(id_).decode()
            # It is told which instance has the client, and the client's server what to look for.
            instance = wire.emulator.service.resources[0].servers.instance_id
            assert await other.next() == [37, id_, client.connection_id, instance, ()]
            asked = await server.next()
            assert asked[:4] == [34, id_, client.connection_id, other.server_id]
            assert dict(asked[4]) == {"json": question(id_)}
            said = answer(id_, **result)
            await client.ws.send_str(said)
            assert await server.next() == [6, client.connection_id, said.encode(), ()]
            # The client's server writes its own id where that of the asking one stood.
            assert given[3] != other.server_id
            await server.send(given)
            got = await other.next()
            assert got[:6] == [35, id_, client.connection_id, other.server_id, "json", given[5]]
            assert dict(got[6]) == {3: "json"}
        await other.synchronized()
    await server.synchronized()


async def test_results_of_messagepack_clients(wire: Wire, server: AppServer) -> None:
    ws = await wire.open()
    await ws.send_str('{"protocol":"messagepack","version":1}\x1e')
    opened = await server.accept()
    assert (await ws.receive(timeout=5)).data == b"{}\x1e"
    [given] = said_by_server("MessagePack answer to another server", {"i2": opened.connection_id})
    async with app_server(wire) as other:
        written = framed([1, {}, given[1], "ask", ["?"], []])
        await other.send(asking(given[1], opened.connection_id, messagepack=written))
        assert (await ws.receive(timeout=5)).data == written
        await other.next()
        await server.next()
        await server.send(given)
        got = await other.next()
        assert got[1:6] == [given[1], opened.connection_id, "host_1", "messagepack", given[5]]


async def test_other_connections_of_the_same_process_need_no_mapping(wire: Wire) -> None:
    async with (
        app_server(wire, server_id="one") as first,
        app_server(wire, server_id="one") as second,
    ):
        client = await greeted(wire, first)
        await second.send(asking("1", client.connection_id))
        assert await client.text() == question("1").decode()
        await client.ws.send_str(answer("1", result=2))
        assert (await first.next())[:2] == [6, client.connection_id]
        await first.synchronized()
        await second.synchronized()


async def test_an_unknown_connection(server: AppServer) -> None:
    told = await server.ask(*asking("1", "nobody"))
    assert told == [36, "1", "nobody", "host_1", "There is no such connection.", ()]


async def test_a_client_that_leaves_without_an_answer(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    async with app_server(wire) as other:
        await other.send(*(asking(id_, client.connection_id) for id_ in "12"))
        assert [(await other.next())[0] for _ in range(2)] == [37, 37]
        assert [await client.text() for _ in range(2)] == [question(id_).decode() for id_ in "12"]
        await client.ws.close()
        lost = [await other.next() for _ in range(2)]
        assert lost == [
            [36, id_, client.connection_id, "host_1", "The client is gone.", ()] for id_ in "12"
        ]
    # An answer of its server that comes too late is for nobody.
    [given] = said_by_server("answer to another server")
    await server.send(given)
    kinds = [(await server.next())[0] for _ in range(3)]
    assert kinds == [34, 34, 5]
    await server.synchronized()


async def test_a_server_that_says_that_there_is_no_result(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    async with app_server(wire) as other:
        await other.send(asking("1", client.connection_id))
        assert (await other.next())[0] == 37
        await server.next()
        await server.send([36, "1", client.connection_id, "host_2", "No.", {}])
        assert await other.next() == [36, "1", client.connection_id, "host_1", "No.", ()]


async def test_a_caller_that_leaves(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    async with app_server(wire) as other:
        await other.send(asking("1", client.connection_id))
        assert (await other.next())[0] == 37
        await server.next()
    await server.send([35, "1", client.connection_id, "host_2", "json", b"{}\x1e", {3: "json"}])
    await server.synchronized()
    assert await client.text() == question("1").decode()


async def test_answers_that_nobody_waits_for(server: AppServer) -> None:
    await server.send(
        [35, "x", "nobody", "host_1", "json", b"{}\x1e", {3: "json"}],
        [36, "x", "nobody", "host_1", "No.", {}],
    )
    await server.synchronized()


async def test_a_client_whose_protocol_is_not_written(wire: Wire, server: AppServer) -> None:
    """It could never answer, so that who asks is told at once."""
    client = await greeted(wire, server)
    told = await server.ask(*asking("1", client.connection_id, messagepack=b"\x01\xc0"))
    assert told[:4] == [36, "1", client.connection_id, "host_1"]
    assert "json" in told[4]


async def test_an_id_that_is_in_use_already(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    async with app_server(wire) as other:
        await other.send(asking("1", client.connection_id))
        assert (await other.next())[0] == 37
        assert (await server.next())[0] == 34
        told = await server.ask(*asking("1", client.connection_id, "host_2"))
        assert told[:4] == [36, "1", client.connection_id, "host_2"]
        await server.send([35, "1", client.connection_id, "host_2", "json", b"1\x1e", {}])
        assert (await other.next())[5] == b"1\x1e"


async def test_a_weak_connection_asks_a_serverless_client(start: StartWire) -> None:
    async with (
        start(Config(service_port=0, control_port=0)) as wire,
        app_server(wire, WEAK) as weak,
    ):
        client = await wire.connect()
        await weak.send(asking("1", client.connection_id))
        assert await client.text() == question("1").decode()
        said = answer("1", result=[1.50])
        await client.ws.send_str(said)
        got = await weak.next()
        assert got[:6] == [35, "1", client.connection_id, "host_1", "json", said.encode()]
        await weak.send(asking("2", client.connection_id))
        await client.text()
        await client.ws.send_str(answer("2", error="no"))
        assert (await weak.next())[5] == answer("2", error="no").encode()
        await weak.send(asking("3", client.connection_id))
        await client.text()
        await client.ws.close()
        told = await weak.next()
        assert told == [36, "3", client.connection_id, "host_1", "The client is gone.", ()]
        assert (await weak.ask(*asking("4", client.connection_id)))[0] == 36


async def test_a_weak_connection_asks_the_client_of_an_app_server(
    wire: Wire, server: AppServer
) -> None:
    client = await greeted(wire, server)
    async with app_server(wire, WEAK) as weak:
        await weak.send(asking("1", client.connection_id, weak.server_id))
        assert (await weak.next())[0] == 37
        assert (await server.next())[0] == 34
        [given] = said_by_server("answer to another server", {"i1": client.connection_id})
        given[1] = "1"
        await server.send(given)
        assert (await weak.next())[:6] == [
            35, "1", client.connection_id, weak.server_id, "json", given[5],
        ]  # fmt: skip


async def test_a_rest_call_asks_the_client_of_an_app_server(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(wire.invoke(client.connection_id, "ask", "?"))
        call = json.loads((await client.text())[:-1])
        assert (call["target"], call["arguments"]) == ("ask", ["?"])
        await client.ws.send_str(answer(call["invocationId"], result=7))
        # Its server sees the answer too, and drops what it has not asked for.
        assert (await server.next())[:2] == [6, client.connection_id]
        reply = await asked
    assert reply.status == 200
    assert reply.json["result"] == 7
    await server.synchronized()


async def test_hubs_do_not_share_connections(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    async with app_server(wire, hub="news") as news:
        assert (await news.ask(*asking("1", client.connection_id)))[0] == 36
        assert (await news.ask(24, client.connection_id, 1, {}))[2] == 2
