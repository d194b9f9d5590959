"""A person or a test sends, closes and groups, whatever the roles."""

import json
from typing import Any

import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.settings import FurtherService

from emulator.tests.conftest import StartWire
from emulator.tests.wire import Answer, Socket, Wire


async def act(wire: Wire, path: str, body: object) -> Answer:
    url = f"{wire.emulator.control_url}/emulator/{path}"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await wire.request("POST", url, data=data)


async def groups(wire: Wire, socket: Socket) -> list[str]:
    return sorted(wire.emulator.service.first.hubs.groups_of("chat", socket.connection_id))


async def test_messages_reach_whom_they_are_for(wire: Wire) -> None:
    ann, bob = await wire.connect("chat", user="ann"), await wire.connect("chat", user="bob")
    await act(wire, "groups", {"action": "add", "hub": "chat", "groupName": "g", "userId": "bob"})
    for whom, count in (
        ({}, 2),
        ({"userId": "ann"}, 1),
        ({"groupName": "g"}, 1),
        ({"connectionId": ann.connection_id}, 1),
        ({"userId": "nobody"}, 0),
    ):
        message = {"hub": "Chat", "target": "say", "arguments": [whom], **whom}
        answer = await act(wire, "messages", message)
        assert (answer.status, answer.json) == (200, {"connections": count, "unserved": 0})
    heard = [json.loads((await ann.text())[:-1])["arguments"] for _ in range(3)]
    assert heard == [[{}], [{"userId": "ann"}], [{"connectionId": ann.connection_id}]]
    heard = [json.loads((await bob.text())[:-1])["arguments"] for _ in range(2)]
    assert heard == [[{}], [{"groupName": "g"}]]
    listed = (await wire.control("/emulator/messages"))["messages"]
    assert [each["sender"] for each in listed] == ["inspector"] * 5


async def test_arguments_arrive_as_they_are_written(wire: Wire) -> None:
    socket = await wire.connect("chat")
    text = '[12.50,12345678901234567890123,"<b>"]'
    body = f'{{"hub":"chat","target":"say","arguments":{text}}}'.encode()
    assert (await act(wire, "messages", body)).status == 200
    assert await socket.text() == f'{{"type":1,"target":"say","arguments":{text}}}\x1e'


async def test_a_client_joins_and_leaves_a_group(wire: Wire) -> None:
    socket = await wire.connect("chat", user="ann")
    whom = {"hub": "chat", "connectionId": socket.connection_id}
    assert (await act(wire, "groups", {"action": "add", "groupName": "g", **whom})).status == 204
    user = {"hub": "chat", "userId": "ann", "groupName": "h"}
    assert (await act(wire, "groups", {"action": "add", **user})).status == 204
    assert await groups(wire, socket) == ["g", "h"]
    assert (await act(wire, "groups", {"action": "remove", "groupName": "g", **whom})).status == 204
    assert (await act(wire, "groups", {"action": "remove", **user})).status == 204
    assert await groups(wire, socket) == []


async def test_a_client_is_closed_and_told_why(wire: Wire) -> None:
    ann, bob = await wire.connect("chat", user="ann"), await wire.connect("chat", user="bob")
    answer = await act(
        wire, "clients/close", {"hub": "chat", "userId": "ann", "reason": "Closing time"}
    )
    assert (answer.status, answer.json) == (200, {"closed": 1})
    assert "Closing time" in await ann.text()
    assert await wire.connection_counts() == {"chat": 1}
    assert (await act(wire, "clients/close", {"hub": "chat"})).json == {"closed": 1}
    assert '"type":7' in await bob.text()


async def test_the_resource_is_chosen_by_its_name(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, further_services=(FurtherService(0, "orders"),))
    async with start(config) as wire:
        await wire.connect("chat")
        message: dict[str, Any] = {"hub": "chat", "target": "say"}
        assert (await act(wire, "messages", message)).json["connections"] == 1
        elsewhere = await act(wire, "messages", {**message, "resource": "orders"})
        assert elsewhere.json["connections"] == 0


MESSAGE = {"hub": "chat", "target": "say"}
JOIN = {"hub": "chat", "action": "add", "groupName": "g", "connectionId": "c"}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("messages", b"{", "#"),
        ("messages", {**MESSAGE, "hub": "1chat"}, "#/hub"),
        ("messages", {"target": "say"}, "#/hub"),
        ("messages", {"hub": "chat"}, "#/target"),
        ("messages", {**MESSAGE, "target": ""}, "#/target"),
        ("messages", {**MESSAGE, "arguments": {}}, "#/arguments"),
        ("messages", {**MESSAGE, "user": "ann"}, "#/user"),
        ("messages", {**MESSAGE, "userId": 1}, "#/userId"),
        ("messages", {**MESSAGE, "userId": "a", "groupName": "b"}, "#/groupName"),
        ("messages", {**MESSAGE, "resource": "other"}, "#/resource"),
        ("messages", {**MESSAGE, "groupName": " "}, "#/groupName"),
        ("clients/close", {"hub": "chat", "reason": 1}, "#/reason"),
        ("groups", {**JOIN, "action": "join"}, "#/action"),
        ("groups", {**JOIN, "groupName": None}, "#/groupName"),
        ("groups", {**JOIN, "userId": "u"}, "#/connectionId"),
        ("groups", {"hub": "chat", "action": "add", "groupName": "g"}, "#/connectionId"),
        ("groups", JOIN, "#/connectionId"),
    ],
)
async def test_what_is_wrong_is_named(wire: Wire, path: str, body: object, pointer: str) -> None:
    answer = await act(wire, path, body)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
