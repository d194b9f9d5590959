"""What an app server sends, and what it has done to groups and connections."""

import json
from dataclasses import dataclass
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no annotations
import pytest

from emulator.tests.server_endpoint.recorded import renamed, said_by_server
from emulator.tests.server_endpoint.stub import WEAK, AppServer, app_server, ended, greeted
from emulator.tests.wire import API_VERSION, Socket, Wire

END = '{"type":1,"target":"end","arguments":[]}\x1e'
OK, NOT_FOUND, INTERNAL_ERROR = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Room:
    """Three users, one connection each; the first two are in the group `rooms/1`."""

    server: AppServer
    clients: dict[str, Socket]

    @property
    def recorded_ids(self) -> dict[str, str]:
        """The ids of the clients, by those that they have in the recording."""
        ids = {user: client.connection_id for user, client in self.clients.items()}
        return {
            "client-json": ids["alice"], "somebody-else": ids["bob"], "client-x": ids["bob"],
            "client-y": ids["carol"],
        }  # fmt: skip

    def with_ids(self, message: list[Any]) -> list[Any]:
        """Give a message with the ids of connections in place of users in capitals."""
        ids = {user.upper(): client.connection_id for user, client in self.clients.items()}
        return renamed(message, ids)

    async def heard(self) -> dict[str, list[str]]:
        """Give what each client has got since it was last asked, by users."""
        await self.server.send([10, [], {"json": END.encode()}, {}])
        heard: dict[str, list[str]] = {}
        for user, client in self.clients.items():
            heard[user] = list[str]()
            while (text := await client.text()) != END:
                heard[user].append(text)
        return heard


@pytest.fixture
async def room(wire: Wire, server: AppServer) -> Room:
    clients = {user: await greeted(wire, server, user=user) for user in ("alice", "bob", "carol")}
    for number, user in enumerate(("alice", "bob"), 1):
        connection_id = clients[user].connection_id
        assert await server.ask(18, connection_id, "rooms/1", number, {}) == ack(number, OK)
    return Room(server, clients)


def ack(number: int, status: int, message: str = "", payload: Any = None) -> list[Any]:  # noqa: ANN401 - MessagePack
    return [20, number, status, message, (), payload]


@pytest.mark.parametrize(
    ("call", "users"),
    [
        ("Broadcast", "alice bob carol"),
        ("BroadcastOthers", "bob carol"),
        ("BroadcastExcept", "alice"),
        ("SendToCaller", "alice"),
        ("SendToConnection", "bob"),
        ("SendToConnections", "alice bob"),
        ("SendToUser", "bob"),
        ("SendToUsers", "bob carol"),
        ("SendToGroup", "alice bob"),
        ("SendToGroupExcept", "alice"),
        ("SendToOthersInGroup", "bob"),
        ("SendToGroups", "alice bob"),
    ],
)
async def test_who_gets_what_a_hub_sends(room: Room, call: str, users: str) -> None:
    message, completion = said_by_server(call, room.recorded_ids)
    await room.server.send(message, completion)
    payloads = next(each for each in message if isinstance(each, dict))
    heard = {user: [payloads["json"].decode()] for user in users.split()}
    heard.setdefault("alice", []).append(completion[2].decode())
    assert await room.heard() == {"bob": [], "carol": [], **heard}


async def test_a_group_is_left(room: Room) -> None:
    leave, _completion = said_by_server("LeaveGroup", room.recorded_ids)
    assert await room.server.ask(*leave) == ack(leave[3], OK)
    message, completion = said_by_server("SendToGroup", room.recorded_ids)
    await room.server.send(message)
    heard = await room.heard()
    assert [user for user, texts in heard.items() if texts] == ["bob"]
    assert completion[0] == 6


async def test_a_send_is_written_for_each_protocol(wire: Wire, room: Room) -> None:
    ws = await wire.open()
    await ws.send_str('{"protocol":"messagepack","version":1}\x1e')
    await room.server.accept()
    assert (await ws.receive(timeout=5)).data == b"{}\x1e"
    message, _completion = said_by_server("Broadcast", room.recorded_ids)
    await room.server.send(message)
    assert (await ws.receive(timeout=5)).data == message[2]["messagepack"]
    assert (await room.heard())["alice"] == [message[2]["json"].decode()]


async def test_the_users_of_a_group_can_be_left_out(room: Room) -> None:
    await room.server.send([13, "rooms/1", [], {"json": b"1\x1e"}, {}, ["bob", "dave"], "carol"])
    assert await room.heard() == {"alice": ["1\x1e"], "bob": [], "carol": []}


async def test_groups_of_connections_without_acks(room: Room) -> None:
    carol = room.clients["carol"].connection_id
    to_group = [13, "rooms/2", [], {"json": b"1\x1e"}, {}, [], None]
    await room.server.send([11, carol, "rooms/2", {}], to_group)
    await room.server.send([12, carol, "rooms/2", {}], to_group)
    await room.server.send([11, carol, "rooms/2", {}], [12, carol, None, {}], to_group)
    assert (await room.heard())["carol"] == ["1\x1e"]
    await room.server.send([11, "nobody", "rooms/2", {}])
    kind, object_type, _id, event, text, _extensions = await room.server.next()
    # A server connection is told what it asks for in vain, since nothing else answers.
    assert (kind, object_type, event) == (22, 4, 1)
    assert text == "JoinGroup: There is no such connection."


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        ([18, "ALICE", "g", 7, {}], OK, ""),
        ([18, "nobody", "g", 7, {}], NOT_FOUND, "There is no such connection."),
        ([18, "ALICE", "", 7, {}], INTERNAL_ERROR, "The name of a group"),
        ([19, "ALICE", "rooms/1", 7, {}], OK, ""),
        ([19, "ALICE", "other", 7, {}], OK, ""),
        ([19, "ALICE", None, 7, {}], OK, ""),
        ([19, "nobody", "rooms/1", 7, {}], NOT_FOUND, "There is no such connection."),
        ([21, "alice", "rooms/1", 7, {}], OK, ""),
        ([21, "carol", "rooms/1", 7, {}], NOT_FOUND, "The user is not in the group."),
        ([23, "rooms/1", 7, {}], OK, ""),
        ([23, "other", 7, {}], NOT_FOUND, "The group has no connection."),
        ([24, "ALICE", 7, {}], OK, ""),
        ([24, "nobody", 7, {}], NOT_FOUND, "There is no such connection."),
        ([25, "alice", 7, {}], OK, ""),
        ([25, "dave", 7, {}], NOT_FOUND, "The user has no connection."),
        ([26, "dave", "g", 7, {}], OK, ""),
        ([26, "dave", "g", 7, {2: 0}], OK, ""),
        ([26, "dave", "g", 7, {2: -1}], INTERNAL_ERROR, "The ttl has to be"),
        ([26, "dave", "", 7, {}], INTERNAL_ERROR, "The name of a group"),
        ([27, "dave", None, 7, {}], OK, ""),
        ([30, "nobody", None, 7, {}], NOT_FOUND, "There is no such connection."),
        ([31, None, 7, ["ALICE", "BOB", "CAROL"], {}], OK, ""),
        ([32, "dave", None, 7, [], {}], OK, ""),
        ([33, "other", None, 7, [], {}], OK, ""),
        ([40, {}, "rooms/1", 7, 0, None, None], INTERNAL_ERROR, "A page has one entry at least."),
        ([40, {}, "rooms/1", 7, None, "a", None], INTERNAL_ERROR, "continuation"),
    ],
)
async def test_statuses_of_acks(room: Room, request_: list[Any], status: int, said: str) -> None:
    kind, number, found, message, extensions, _ = await room.server.ask(*room.with_ids(request_))
    assert (kind, number, found, extensions) == (20, 7, status, ())
    assert said.lower() in message.lower()
    assert bool(said) is bool(message)
    assert await room.heard() == {"alice": [], "bob": [], "carol": []}


async def test_groups_of_users(wire: Wire, room: Room) -> None:
    assert await room.server.ask(26, "carol", "rooms/2", 7, {}) == ack(7, OK)
    assert await room.server.ask(21, "carol", "rooms/2", 8, {}) == ack(8, OK)
    to_group = [13, "rooms/2", [], {"json": b"1\x1e"}, {}, [], None]
    await room.server.send(to_group)
    # Connections of the user that come later are in it too.
    later = await greeted(wire, room.server, user="carol")
    await room.server.send(to_group)
    assert (await room.heard())["carol"] == ["1\x1e", "1\x1e"]
    assert await later.text() == "1\x1e"
    assert await room.server.ask(27, "carol", "rooms/2", 9, {}) == ack(9, OK)
    await room.server.send([16, "bob", "rooms/3", {}], [17, "bob", None, {}], to_group)
    assert (await room.heard())["carol"] == []
    assert (await room.server.ask(21, "bob", "rooms/3", 10, {}))[2] == NOT_FOUND


async def test_a_user_is_in_a_group_for_a_time(wire: Wire, room: Room) -> None:
    assert await room.server.ask(26, "carol", "rooms/2", 7, {2: 60}) == ack(7, OK)
    wire.emulator.service.clock.advance(59)
    assert (await room.server.ask(21, "carol", "rooms/2", 8, {}))[2] == OK
    wire.emulator.service.clock.advance(1)
    assert (await room.server.ask(21, "carol", "rooms/2", 9, {}))[2] == NOT_FOUND


async def test_members_of_a_group_come_in_pages(wire: Wire, server: AppServer) -> None:
    clients = [await greeted(wire, server, user=user) for user in ("ann", "ben", "cem")]
    clients.append(await greeted(wire, server))
    members = {}
    for number, client in enumerate(clients, 1):
        await server.ask(18, client.connection_id, "g", number, {})
        members[client.connection_id] = ["ann", "ben", "cem", None][number - 1]
    found: list[list[str | None]] = []
    token, pages = None, 0
    while token is not None or not pages:
        answer = await server.ask(40, {}, "g", 9, None, token, 3)
        assert answer[:5] == ack(9, OK)[:5]
        page, token = msgpack.unpackb(answer[5])
        found, pages = found + page, pages + 1
    assert pages == 2
    assert sorted(found) == sorted([id_, user] for id_, user in members.items())
    top = msgpack.unpackb((await server.ask(40, {}, "g", 9, 2, None, None))[5])
    assert (len(top[0]), top[1]) == (2, None)
    # As SDKs wrote it before pages had a size.
    old = msgpack.unpackb((await server.ask(40, {}, "g", 9, None, None))[5])
    assert len(old[0]) == 4
    nobody = await server.ask(40, {}, "other", 9, None, None, None)
    assert nobody == ack(9, OK, payload=b"\x92\x90\xc0")


@pytest.mark.parametrize(
    ("request_", "users"),
    [
        ([5, "BOB", "Enough.", {}, {}], ["bob"]),
        ([30, "BOB", "Enough.", 7, {}], ["bob"]),
        ([31, "Enough.", 7, [], {}], ["alice", "bob", "carol"]),
        ([31, "Enough.", 7, ["ALICE"], {}], ["bob", "carol"]),
        ([32, "bob", "Enough.", 7, [], {}], ["bob"]),
        ([32, "bob", "Enough.", 7, ["BOB"], {}], []),
        ([33, "rooms/1", "Enough.", 7, ["ALICE"], {}], ["bob"]),
    ],
)
async def test_connections_that_a_server_closes(
    wire: Wire, room: Room, request_: list[Any], users: list[str]
) -> None:
    """By a server connection of its own, as the Management SDK has it."""
    async with app_server(wire, WEAK) as weak:
        await weak.send(room.with_ids(request_))
        if request_[0] != 5:
            assert await weak.next() == ack(7, OK)
        await weak.synchronized()
    told = [await room.server.next() for _ in users]
    ids = [room.clients[user].connection_id for user in users]
    assert sorted(told) == sorted([5, id_, "Enough.", (), ()] for id_ in ids)
    for user in users:
        client = room.clients.pop(user)
        assert json.loads((await client.text())[:-1]) == {
            "type": 7, "error": "Enough.", "allowReconnect": True,
        }  # fmt: skip
        assert await ended(client) == 1000
    assert not [texts for texts in (await room.heard()).values() if texts]


async def test_rest_reaches_clients_of_app_servers(wire: Wire, room: Room) -> None:
    said = {"alice": 1, "bob": 2, "carol": 3}
    for user, number in said.items():
        assert (await wire.send(f"chat/users/{user}/", number)).status == 202
    assert (await wire.send("chat/groups/rooms%2F1/", 4)).status == 202
    heard = await room.heard()
    assert {
        user: [json.loads(text[:-1])["arguments"][0] for text in texts]
        for user, texts in heard.items()
    } == {"alice": [1, 4], "bob": [2, 4], "carol": [3]}
    path = f"/api/hubs/chat/users/bob?api-version={API_VERSION}"
    assert (await wire.rest("HEAD", path)).status == 200


async def test_a_filter_of_subscribers_is_refused(room: Room) -> None:
    answer = await room.server.ask(10, [], {"json": b"1\x1e"}, {4: "x"})
    assert answer[0] == 22
    assert answer[4] == "BroadcastData: Filters of subscribers are not supported here."
    assert (await room.heard())["bob"] == []
