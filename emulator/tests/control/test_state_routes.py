"""What was sent, as a test in any language reads it, and a reset before the next test."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from msgspec import msgpack
from signalr_emulator.access_control.roles import APP_SERVER, RoleAssignment
from signalr_emulator.documents.json_text import Json
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import StartWire
from emulator.tests.server_endpoint.stub import WEAK, app_server
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import Answer, Wire, said

V = "?api-version=2024-12-01"
MESSAGE: Json = {"target": "say", "arguments": ["Hi", {"n": 1.5}, None]}
NOBODY = {"kind": "all", "names": [], "excluded": [], "excludedUsers": []}


async def messages(wire: Wire) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await wire.control("/emulator/messages"))["messages"]
    return listed


async def post(wire: Wire, path: str, body: Json = MESSAGE, query: str = "") -> Answer:
    answer = await wire.rest("POST", f"/api/hubs/chat{path}{V}{query}", body=body)
    assert answer.status == 202, answer.body
    return answer


async def reset(wire: Wire) -> None:
    answer = await wire.request("POST", f"{wire.emulator.control_url}/emulator/reset")
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    ("path", "query", "recipients"),
    [
        ("/:send", "", {}),
        ("/:send", "&excluded=b&excluded=a", {"excluded": ["a", "b"]}),
        ("/users/ann/:send", "", {"kind": "user", "names": ["ann"]}),
        ("/groups/g/:send", "&excluded=a", {"kind": "group", "names": ["g"], "excluded": ["a"]}),
        ("/connections/c/:send", "", {"kind": "connection", "names": ["c"]}),
    ],
)
async def test_a_message_by_rest(
    wire: Wire, path: str, query: str, recipients: dict[str, Json]
) -> None:
    await post(wire, path, query=query)
    [message] = await messages(wire)
    assert message == {
        "at": wire.emulator.service.clock.now(),
        "resource": "local",
        "sender": "rest",
        "hub": "chat",
        "target": "say",
        "arguments": ["Hi", {"n": 1.5}, None],
        "recipients": {**NOBODY, **recipients},
        "connections": 0,
        "unserved": 0,
        "tracingId": None,
    }


@pytest.mark.parametrize(("kind", "names"), [("user", "users/a,b"), ("group", "groups/a,b")])
async def test_a_message_to_several(wire: Wire, kind: str, names: str) -> None:
    path = f"/api/v1-preview/hub/chat/{names}"
    assert (await wire.rest("POST", path, body=MESSAGE)).status == 202
    [message] = await messages(wire)
    assert message["recipients"] == {**NOBODY, "kind": kind, "names": ["a", "b"]}


async def test_a_message_by_command(wire: Wire) -> None:
    clients = [await wire.connect(user=user) for user in ("ann", "bob")]
    command: Json = [{"type": "SendMessage", "message": MESSAGE}]
    await post(wire, "/:execute", command, "&filter=userId eq 'ann'")
    await post(wire, "/:execute", command)
    some, everyone = await messages(wire)
    assert some["recipients"] == {**NOBODY, "kind": "filter", "names": ["userId eq 'ann'"]}
    assert (some["connections"], some["arguments"]) == (1, ["Hi", {"n": 1.5}, None])
    assert (everyone["connections"], everyone["recipients"]) == (len(clients), NOBODY)


async def test_a_method_of_a_client_that_the_app_has_called(wire: Wire) -> None:
    socket = await wire.connect()
    asked = asyncio.ensure_future(wire.invoke(socket.connection_id, "ask", "Sure?"))
    invocation = json.loads((await socket.text())[:-1])
    completion = {"type": 3, "invocationId": invocation["invocationId"], "result": True}
    await socket.ws.send_str(json.dumps(completion) + "\x1e")
    assert (await asked).json == {"result": True}
    [message] = await messages(wire)
    assert (message["target"], message["arguments"]) == ("ask", ["Sure?"])
    assert message["recipients"] == {
        **NOBODY,
        "kind": "connection",
        "names": [socket.connection_id],
    }


@pytest.mark.parametrize(
    ("protocol", "arguments"),
    [("json", ["Hi", 1]), ("messagepack", ["Hi", 1]), ("another", None)],
)
async def test_a_message_by_server_connection(
    wire: Wire, protocol: str, arguments: list[Json] | None
) -> None:
    packed = msgpack.encode([1, {}, None, "say", ["Hi", 1], []])
    frame = {
        "json": b'{"type":1,"target":"say","arguments":["Hi",1]}\x1e',
        "messagepack": bytes([len(packed)]) + packed,
        "another": b"?",
    }[protocol]
    async with app_server(wire, WEAK) as server:
        await server.send([13, "g", ["x"], {protocol: frame}, {}, ["bob"], None])
        await server.send([9, ["ann", "bob"], {protocol: frame}, {}])
        await server.synchronized()
    group, users = await messages(wire)
    assert (group["sender"], group["hub"], group["arguments"]) == ("server", "chat", arguments)
    assert group["target"] == ("" if arguments is None else "say")
    assert group["recipients"] == {
        "kind": "group",
        "names": ["g"],
        "excluded": ["x"],
        "excludedUsers": ["bob"],
    }
    assert users["recipients"] == {**NOBODY, "kind": "user", "names": ["ann", "bob"]}


async def test_messages_are_let_go_in_the_end_and_counted(wire: Wire) -> None:
    long = "x" * 900_000
    for number in range(25):
        await post(wire, "/:send", {"target": "say", "arguments": [number, long]})
    seen = await wire.control("/emulator/messages")
    assert seen["forgotten"] == 25 - len(seen["messages"])
    assert 10 < len(seen["messages"]) < 20
    assert seen["messages"][-1]["arguments"][0] == 24
    for number in range(1005):
        await wire.send("chat/", number)
    seen = await wire.control("/emulator/messages")
    assert (len(seen["messages"]), seen["forgotten"]) == (1000, 30)
    assert seen["messages"][0]["arguments"] == [5]


async def test_calls_of_upstreams_say_who_called_what(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        socket = await wire.connect(user="ann")
        await socket.ws.send_str(
            '{"type":1,"invocationId":"1","target":"go","arguments":[[7]]}\x1e'
        )
        await socket.text()
        connected, called = (await wire.control("/emulator/upstream"))["local"]["calls"]
    assert (connected["event"], connected["userId"], connected["arguments"]) == (
        "connected",
        "ann",
        None,
    )
    assert (called["event"], called["userId"], called["arguments"]) == ("go", "ann", [[7]])


async def test_after_a_reset_nothing_is_left(start: StartWire, app: App) -> None:
    said_goodbye = []

    async def respond(request: web.Request) -> web.Response:
        if request.headers["X-ASRS-Event"] == "disconnected":
            said_goodbye.append(await wire.send("chat/", "gone"))
        return web.Response()

    app.respond = respond
    async with calling(start, parse_template(app.url)) as wire:
        service = wire.emulator.service
        socket = await wire.connect(user="ann")
        await wire.rest("PUT", f"/api/hubs/chat/users/ann/groups/g{V}")
        await wire.send("chat/users/ann/", "Hi")
        _, key_id = await wire.access_key()
        service.first.access_keys.revoke(key_id)
        await wire.request(
            "POST",
            f"{wire.emulator.control_url}/emulator/faults",
            data=json.dumps({"operation": "sendToHub", "status": 503}).encode(),
        )
        service.clock.advance(3600)
        await reset(wire)
        assert await socket.text() == said("Hi")
        assert json.loads((await socket.text())[:-1]) == {
            "type": 7,
            "error": "The emulator was reset.",
        }
        # What the app did because of the end belongs to before.
        assert [each.status for each in said_goodbye] == [202]
        assert await wire.control("/emulator/messages") == {"messages": [], "forgotten": 0}
        assert (await wire.control("/emulator/upstream"))["local"]["calls"] == []
        assert await wire.control("/emulator/faults") == {"faults": []}
        assert (await wire.control("/emulator/clock"))["offset"] == 0
        state = await wire.control("/emulator/state")
        assert (state["connections"], state["keyRequests"], state["identityRequests"]) == ({}, 0, 0)
        # An app keeps its key for longer than a test.
        ann = await wire.connect(user="ann")
        await wire.send("chat/groups/g/", "left over")
        await wire.send("chat/users/ann/", "new")
        assert await ann.text() == said("new")


async def test_a_client_that_has_negotiated_before_is_unknown_after_a_reset(wire: Wire) -> None:
    waiting = (await wire.negotiate()).json
    await reset(wire)
    answer = await wire.request(
        "GET",
        f"{wire.emulator.service_url}/client/?hub=chat&id={waiting['connectionToken']}",
        headers={"Authorization": f"Bearer {await wire.client_token()}"},
    )
    assert answer.status == 404


async def test_roles_are_as_at_the_start_after_a_reset(wire: Wire) -> None:
    roles = wire.emulator.service.role_assignments
    first = list(roles.assignments)
    roles.switch(first[0], on=False)
    roles.remove(first[1])
    other = RoleAssignment("somebody", APP_SERVER, first[0].scope)
    wire.emulator.service.roles.put_assignment(other, "")
    await reset(wire)
    assert roles.assignments == first
    assert all(roles.is_on(each) for each in first)


async def give_role(wire: Wire, body: Json) -> Answer:
    url = f"{wire.emulator.control_url}/emulator/role"
    return await wire.request("PUT", url, data=json.dumps(body).encode())


async def test_the_app_gets_another_role(wire: Wire) -> None:
    path = f"/api/hubs/chat/:send{V}"
    for role, status in (
        ("none", 403),
        ("SignalR App Server", 403),
        ("SignalR REST API Owner", 202),
    ):
        assert (await give_role(wire, {"role": role})).status == 204
        assert (await wire.rest("POST", path, body=MESSAGE)).status == status
    assert (await wire.rest("GET", "/api/v1/auth/accessKey")).status == 403
    await reset(wire)
    assert (await wire.rest("GET", "/api/v1/auth/accessKey")).status == 200


@pytest.mark.parametrize("body", [{"role": "King"}, {"role": 1}, {}, [], {"roll": "none"}])
async def test_a_role_that_is_none(wire: Wire, body: Json) -> None:
    answer = await give_role(wire, body)
    assert answer.status == 400
    assert answer.json["errors"]
    if body == {"role": "King"}:
        assert "SignalR App Server" in answer.json["detail"]
        assert answer.json["errors"][0]["pointer"] == "#/role"


async def test_server_connections_outlive_a_reset(wire: Wire) -> None:
    async with app_server(wire, WEAK) as server:
        await reset(wire)
        await server.send([10, [], {"json": b'{"type":1,"target":"say","arguments":[]}\x1e'}, {}])
        await server.synchronized()
        assert [each["target"] for each in await messages(wire)] == ["say"]
