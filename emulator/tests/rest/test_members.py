import asyncio
import json

import pytest
from msgspec import msgpack
from signalr_emulator import Clock, Config
from signalr_emulator.documents.json_text import Json
from signalr_emulator.transports.local_address import LocalAddress

from emulator.tests.conftest import StartWire
from emulator.tests.wire import API_VERSION, Answer, Socket, Wire, said

V = f"?api-version={API_VERSION}"
CLOSED = '{"type":7,"error":"bye","allowReconnect":true}\x1e'
CLOSED_SILENTLY = '{"type":7,"allowReconnect":true}\x1e'


async def call(wire: Wire, route: str, query: str = "", body: Json = None) -> Answer:
    method, path = route.split(" ")
    return await wire.rest(method, f"/api/hubs/{path}{V}{query}", body=body)


async def outcome(wire: Wire, route: str, query: str = "") -> tuple[int, str | None]:
    answer = await call(wire, route, query)
    return answer.status, answer.headers.get("x-ms-error-code")


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_existence(wire: Wire, method: str) -> None:
    socket = await wire.connect(user="ann")
    connection = socket.connection_id
    await call(wire, f"PUT chat/groups/g/connections/{connection}")
    for path in (f"connections/{connection}", "users/ann", "groups/g", "users/ann/groups/g"):
        assert await outcome(wire, f"{method} Chat/{path}") == (200, None)
        assert (await outcome(wire, f"{method} news/{path}"))[0] == 404
    for path, code in (
        ("connections/x", "Warning.Connection.NotExisted"),
        ("users/x", "Warning.User.NotExisted"),
        ("groups/x", "Warning.Group.NotExisted"),
        ("users/ann/groups/x", "Info.User.NotInGroup"),
    ):
        assert await outcome(wire, f"{method} chat/{path}") == (404, code)


@pytest.mark.parametrize("style", ["new", "v1"])
@pytest.mark.parametrize(
    "user", ["a/b", "..", ".", "ü ñ", "x" * 3000, "%2F", "{a}", "?#", "a+b", "\U0001f600"]
)
async def test_user_names_in_paths(wire: Wire, style: str, user: str) -> None:
    socket = await wire.connect(user=user)
    quoted = "".join(f"%{byte:02X}" for byte in user.encode())
    path = f"/api/hubs/chat/users/{quoted}{V}"
    if style == "v1":
        path = f"/api/v1/hubs/chat/users/{quoted}"
    assert (await raw(wire, "HEAD", path)) == 200
    await socket.ws.close()


async def raw(wire: Wire, method: str, path: str) -> int:
    """Send a path exactly as it is, which a client library might normalise."""
    reader, writer = await wire.raw()
    token = await wire.entra_token()
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    status = int((await reader.read()).split(b" ", 2)[1])
    writer.close()
    await writer.wait_closed()
    return status


async def test_close_connection(wire: Wire) -> None:
    socket = await wire.connect()
    path = f"DELETE chat/connections/{socket.connection_id}"
    assert await outcome(wire, path, "&reason=bye") == (200, None)
    assert await socket.text() == CLOSED
    assert await outcome(wire, path) == (404, "Warning.Connection.NotExisted")


@pytest.mark.parametrize("scope", ["", "users/ann/", "groups/g/"])
async def test_close_connections(wire: Wire, scope: str) -> None:
    kept, gone = await wire.connect(user="ann"), await wire.connect(user="ann")
    for socket in (kept, gone):
        await call(wire, f"PUT chat/groups/g/connections/{socket.connection_id}")
    other = await wire.connect(hub="news", user="ann")
    answer = await call(
        wire, f"POST chat/{scope}:closeConnections", f"&excluded={kept.connection_id}"
    )
    assert (answer.status, answer.body) == (204, b"")
    assert await gone.text() == CLOSED_SILENTLY
    await wire.send("chat/", "kept")
    await wire.send("news/", "kept")
    assert await kept.text() == await other.text() == said("kept")
    assert await outcome(wire, "POST nobody/:closeConnections") == (204, None)


async def received(wire: Wire, sockets: dict[str, Socket], group: str) -> set[str]:
    """Tell who receives what is sent to a group."""
    await wire.send(f"chat/groups/{group}/", "group")
    await wire.send("chat/", "end")
    names = set()
    for name, socket in sockets.items():
        if await socket.text() == said("group"):
            names.add(name)
            assert await socket.text() == said("end")
    return names


async def test_groups_of_users(wire: Wire) -> None:
    sockets = {"early": await wire.connect(user="ann"), "ben": await wire.connect(user="ben")}
    assert await outcome(wire, "PUT chat/users/ann/groups/g") == (200, None)
    sockets["late"] = await wire.connect(user="ann")
    assert await received(wire, sockets, "g") == {"early", "late"}
    assert await outcome(wire, "DELETE chat/users/ann/groups/g") == (204, None)
    assert await received(wire, sockets, "g") == set()
    assert await outcome(wire, "HEAD chat/users/ann/groups/g") == (404, "Info.User.NotInGroup")


async def test_user_of_a_group_need_not_be_connected(wire: Wire) -> None:
    assert await outcome(wire, "PUT chat/users/ann/groups/g", "&ttl=60") == (200, None)
    assert (await outcome(wire, "HEAD chat/users/ann/groups/g"))[0] == 200
    assert (await outcome(wire, "HEAD chat/groups/g"))[0] == 404
    sockets = {"ann": await wire.connect(user="ann")}
    assert await received(wire, sockets, "g") == {"ann"}


async def test_membership_of_a_user_ends(wire: Wire, clock: Clock) -> None:
    sockets = {"early": await wire.connect(user="ann")}
    await call(wire, "PUT chat/users/ann/groups/g", "&ttl=60")
    await call(wire, "PUT chat/users/ann/groups/long")
    clock.advance(59)
    assert await received(wire, sockets, "g") == {"early"}
    clock.advance(1)
    assert (await outcome(wire, "HEAD chat/users/ann/groups/g"))[0] == 404
    sockets["late"] = await wire.connect(user="ann")
    assert await received(wire, sockets, "g") == set()
    assert await received(wire, sockets, "long") == {"early", "late"}


async def test_ttl_0_takes_present_connections_only(wire: Wire) -> None:
    sockets = {"early": await wire.connect(user="ann")}
    await call(wire, "PUT chat/users/ann/groups/g", "&ttl=0")
    sockets["late"] = await wire.connect(user="ann")
    assert await received(wire, sockets, "g") == {"early"}


async def test_only_100_groups_without_ttl_are_kept(wire: Wire) -> None:
    await call(wire, "PUT chat/users/ann/groups/timed", "&ttl=60")
    for number in range(101):
        await call(wire, f"PUT chat/users/ann/groups/{number}")
    assert (await outcome(wire, "HEAD chat/users/ann/groups/0"))[0] == 404
    for group in ("1", "100", "timed"):
        assert (await outcome(wire, f"HEAD chat/users/ann/groups/{group}"))[0] == 200


async def test_remove_from_all_groups(wire: Wire) -> None:
    sockets = {"a": await wire.connect(user="ann"), "b": await wire.connect(user="ann")}
    for group in ("g", "h"):
        await call(wire, f"PUT chat/users/ann/groups/{group}")
    path = f"DELETE chat/connections/{sockets['a'].connection_id}/groups"
    assert await outcome(wire, path) == (200, None)
    assert await received(wire, sockets, "g") == {"b"}
    assert await outcome(wire, "DELETE chat/users/ann/groups") == (204, None)
    assert await received(wire, sockets, "h") == set()
    assert await outcome(wire, "DELETE chat/connections/x/groups") == (200, None)


async def test_connections_of_a_group_page_by_page(wire: Wire) -> None:
    sockets = [await wire.connect(user=user) for user in ("ann", "ben", None, None, None)]
    for socket in sockets:
        await call(wire, f"PUT chat/groups/g/connections/{socket.connection_id}")
    users = {s.connection_id: u for s, u in zip(sockets, ("ann", "ben"), strict=False)}
    everyone = [
        {"connectionId": i} | ({"userId": users[i]} if i in users else {})
        for i in sorted(socket.connection_id for socket in sockets)
    ]
    assert (await call(wire, "GET chat/groups/g/connections")).json == {"value": everyone}
    assert (await call(wire, "GET chat/groups/none/connections")).json == {"value": []}
    for top, sizes in (
        ("", [2, 2, 1]),
        ("&top=3", [2, 1]),
        ("&top=2", [2]),
        ("&top=99", [2, 2, 1]),
    ):
        page = (await call(wire, "GET chat/groups/g/connections", f"&maxpagesize=2{top}")).json
        pages = [page["value"]]
        while "nextLink" in page:
            url = page["nextLink"]
            assert url.startswith(
                f"{wire.emulator.service_url}/api/hubs/chat/groups/g/connections?"
            )
            path = url.removeprefix(wire.emulator.service_url)
            page = (await wire.rest("GET", path)).json
            pages.append(page["value"])
        assert [len(value) for value in pages] == sizes
        assert [entry for value in pages for entry in value] == everyone[: sum(sizes)]


def test_address_that_stands_for_a_missing_host() -> None:
    assert str(LocalAddress("127.0.0.1", 8888)) == "127.0.0.1:8888"
    assert str(LocalAddress("::1", 8888)) == "[::1]:8888"


@pytest.mark.parametrize(
    ("route", "query", "target"),
    [
        ("GET chat/groups/g/connections", "&maxpagesize=201", "maxpagesize"),
        ("GET chat/groups/g/connections", "&maxpagesize=0", "maxpagesize"),
        ("GET chat/groups/g/connections", "&top=0", "top"),
        ("GET chat/groups/g/connections", "&continuationToken=%C3%A9", "continuationToken"),
        ("GET chat/groups/g/connections", "&continuationToken=_w==", "continuationToken"),
        ("PUT chat/users/u/groups/g", "&ttl=-1", "ttl"),
        ("PUT chat/users/u/groups/g", "&ttl=2147483648", "ttl"),
        ("PUT chat/users/u/groups/g", "&ttl=1.5", "ttl"),
        (f"PUT chat/users/u/groups/{'g' * 1025}", "", "group"),
        (f"POST chat/users/{'u' * 1025}/:closeConnections", "", "user"),
        (f"POST chat/connections/c/streams/{'s' * 101}/:complete", "", "streamId"),
        ("POST chat/connections/c/streams/%20/:send", "", "streamId"),
        ("POST chat/connections/c/streams/s/:send", "&completed=maybe", "completed"),
    ],
)
async def test_wrong_parameters(wire: Wire, route: str, query: str, target: str) -> None:
    answer = await call(wire, route, query)
    assert answer.status == 400
    assert answer.json["code"] == "Error.Request.Invalid"
    assert answer.json["target"] == target


@pytest.mark.parametrize(
    ("route", "version"),
    [
        ("POST chat/:generateToken", "2022-06-01"),
        ("POST chat/:execute", "2022-11-01"),
        ("GET chat/groups/g/connections", "2023-07-01"),
        ("POST chat/connections/c/:invoke", "2023-07-01"),
        ("HEAD chat/groups/g", "2021-01-01"),
    ],
)
async def test_operation_that_the_version_does_not_have(
    wire: Wire, route: str, version: str
) -> None:
    method, path = route.split(" ")
    answer = await wire.rest(method, f"/api/hubs/{path}?api-version={version}")
    assert answer.status == 400


async def test_v1_paths(wire: Wire) -> None:
    socket = await wire.connect(user="ann")
    hub, connection = "/api/v1/hubs/chat", socket.connection_id
    body: Json = {"target": "say", "arguments": []}
    for route, status in (
        (f"PUT {hub}/groups/g/connections/{connection}", 200),
        (f"PUT {hub}/groups/h/users/ann?ttl=60", 202),
        (f"POST {hub}", 202),
        (f"POST {hub}/users/ann", 202),
        (f"POST {hub}/groups/g", 202),
        (f"POST {hub}/groups/h", 202),
        (f"POST {hub}/connections/{connection}", 202),
        ("POST /api/v1-preview/hub/chat", 202),
        ("POST /api/v1-preview/hub/chat/user/ann", 202),
        ("POST /api/v1-preview/hub/chat/users/ann,ben,ann", 202),
        ("POST /api/v1-preview/hub/chat/group/g", 202),
        ("POST /api/v1-preview/hub/chat/groups/g,h", 202),
    ):
        method, path = route.split(" ")
        answer = await wire.rest(method, path, body=body if method == "POST" else None)
        assert (route, answer.status) == (route, status)
    assert [await socket.text() for _ in range(10)] == [said()] * 10
    for route, status in (
        (f"GET {hub}/groups/h/users/ann", 200),
        (f"HEAD {hub}/connections/{connection}", 200),
        (f"GET {hub}/groups/g", 200),
        (f"DELETE {hub}/groups/g/connections/{connection}", 200),
        (f"GET {hub}/groups/g", 404),
        (f"DELETE {hub}/groups/h/users/ann", 202),
        (f"GET {hub}/groups/h/users/ann", 404),
        (f"DELETE {hub}/users/ann/groups", 200),
        (f"DELETE {hub}/connections/{connection}?reason=bye", 202),
        (f"DELETE {hub}/connections/{connection}", 202),
        (f"PUT {hub}/groups/g/connections/{connection}", 404),
        (f"DELETE {hub}/groups/g/connections/{connection}", 200),
    ):
        method, path = route.split(" ")
        assert (route, (await wire.rest(method, path)).status) == (route, status)
    assert await socket.text() == CLOSED
    assert (await raw(wire, "HEAD", "/api/v1/health")) == 200


def invocation(argument: Json) -> list[object]:
    return [1, {}, None, "say", [argument], []]


@pytest.mark.parametrize(
    "body",
    [
        msgpack.encode({"Target": "say", "Arguments": [["a", 1, None]]}),
        msgpack.encode({"json": said(["a", 1, None]).encode()}),
    ],
)
@pytest.mark.parametrize("content_type", ["application/x-msgpack", "application/octet-stream"])
async def test_messages_in_messagepack(wire: Wire, body: bytes, content_type: str) -> None:
    socket = await wire.connect()
    path = f"/api/hubs/chat/:send{V}"
    answer = await wire.rest("POST", path, data=body, content_type=content_type)
    assert answer.status == 202
    assert await socket.text() == said(["a", 1, None])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x91" * 5000,
        msgpack.encode("text"),
        msgpack.encode({}),
        msgpack.encode({1: "say"}),
        b"\xdf\xff\xff\xff\xff",
        msgpack.encode({"json": b"{"}),
        msgpack.encode({"json": b'{"type":6}\x1e'}),
        msgpack.encode({"messagepack": b""}),
        msgpack.encode({"messagepack": b"\x80" * 9}),
        msgpack.encode({"messagepack": b"\x02\x91\x06"}),
        msgpack.encode({"messagepack": b"\x10" + msgpack.encode([1, {}, None, "say", [["a", 1]]])}),
        msgpack.encode({"messagepack": b"\x0b" + 2 * msgpack.encode([1, {}, None, "say", [1]])}),
        msgpack.encode({"target": "t", "arguments": {}}),
        msgpack.encode({"target": b"t"}),
        msgpack.encode({"target": "t"}) + b"\x00",
        b"\x82\xa6target\xa1t\xa9arguments\x91\xa1\xff",
        b"\x82\xa6target\xa1t\xa9arguments\x91\x81\x90\x01",
        b"\x81\x91\x01\x01",
    ],
)
async def test_wrong_messages_in_messagepack(wire: Wire, body: bytes) -> None:
    path = f"/api/hubs/chat/:send{V}"
    answer = await wire.rest("POST", path, data=body, content_type="application/x-msgpack")
    assert answer.status == 400
    assert answer.json["code"] == "Error.Request.Invalid"


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("", "ab."),
        ("&filter=userId eq 'ann'", "a"),
        ("&filter=USERID ne 'ann'", "b."),
        ("&filter=userId eq null", "."),
        ("&filter='g' in groups", "b"),
        ("&filter=not ('g' in groups or userId eq 'ann')", "."),
        ("&filter=userId ne null and not 'g' in groups", "a"),
        ("&filter=userId eq 'it''s'", ""),
    ],
)
async def test_execute_filters(wire: Wire, filter_: str, names: str) -> None:
    sockets = {"a": await wire.connect(user="ann"), "b": await wire.connect(user="ben")}
    sockets["."] = await wire.connect()
    await call(wire, f"PUT chat/groups/g/connections/{sockets['b'].connection_id}")
    commands: Json = [{"type": "JoinGroup", "group": "x"}]
    answer = await call(wire, "POST chat/:execute", filter_, commands)
    assert (answer.status, answer.body) == (202, b"")
    assert await received(wire, sockets, "x") == set(names)


async def test_execute_runs_commands_in_order(wire: Wire) -> None:
    socket = await wire.connect()
    commands: Json = [
        {"type": "JoinGroup", "group": "g"},
        {"type": "SendMessage", "message": {"target": "say", "arguments": [1]}},
        {"type": "LeaveGroup", "group": "g"},
        {"type": "SendMessage", "message": {"Target": "say", "Arguments": [2]}},
        {"type": "CloseConnection", "reason": "bye"},
    ]
    assert (await call(wire, "POST chat/:execute", body=commands)).status == 202
    assert [await socket.text() for _ in range(3)] == [said(1), said(2), CLOSED]
    assert (await outcome(wire, "HEAD chat/groups/g"))[0] == 404


@pytest.mark.parametrize(
    ("query", "commands"),
    [
        ("", {}),
        ("", [1]),
        ("", [{}]),
        ("", [{"type": ["x"]}]),
        ("", [{"type": "JoinGroup", "group": "g"}, {"type": "Nonsense"}]),
        ("", [{"type": "JoinGroup", "group": "g"}, {"type": "SendMessage"}]),
        ("", [{"type": "JoinGroup", "group": "g"}, {"type": "LeaveGroup", "group": ""}]),
        ("", [{"type": "JoinGroup", "group": "g"}, {"type": "JoinGroup", "group": "h\n"}]),
        ("", [{"type": "CloseConnection", "reason": 1}]),
        ("&filter=userId", []),
        ("&filter=userId eq", []),
        ("&filter=name eq 'x'", []),
        ("&filter=userId lt 'x'", []),
        ("&filter='g' in users", []),
        ("&filter=(userId eq null", []),
        ("&filter=userId eq null)", []),
        ("&filter=$", []),
        ("&filter=" + "(" * 4000, []),
        ("&filter=" + "not " * 2000, []),
    ],
)
async def test_execute_does_nothing_if_something_is_wrong(
    wire: Wire, query: str, commands: Json
) -> None:
    socket = await wire.connect()
    answer = await call(wire, "POST chat/:execute", query, commands)
    assert answer.status == 400
    assert (await outcome(wire, f"HEAD chat/connections/{socket.connection_id}"))[0] == 200
    assert (await outcome(wire, "HEAD chat/groups/g"))[0] == 404


async def answered(wire: Wire, completion: dict[str, Json]) -> Answer:
    """Invoke a method of a client that answers with a completion."""
    socket = await wire.connect()
    body: Json = {"target": "add", "arguments": [1, 2]}
    route = f"POST chat/connections/{socket.connection_id}/:invoke"
    invoking = asyncio.ensure_future(call(wire, route, body=body))
    invocation = json.loads((await socket.text()).removesuffix("\x1e"))
    invocation_id = invocation.pop("invocationId")
    assert invocation == {"type": 1, "target": "add", "arguments": [1, 2]}
    await socket.ws.send_str(
        json.dumps({"type": 3, "invocationId": invocation_id, **completion}) + "\x1e"
    )
    answer = await invoking
    await socket.ws.close()
    return answer


@pytest.mark.parametrize(
    ("completion", "body"),
    [
        ({"result": {"a": [3]}}, {"result": {"a": [3]}}),
        ({"result": None}, {"result": None}),
        ({}, {}),
    ],
)
async def test_result_of_a_client(
    wire: Wire, completion: dict[str, Json], body: dict[str, Json]
) -> None:
    answer = await answered(wire, completion)
    assert (answer.status, answer.json) == (200, body)
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_error_of_a_client(wire: Wire) -> None:
    answer = await answered(wire, {"error": "no"})
    assert (answer.status, answer.headers["x-ms-error-code"]) == (400, "Error.Connection.Unknown")
    assert answer.json["message"] == "no"


async def test_client_that_does_not_answer(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, invocation_timeout=0.05)
    async with start(config) as wire:
        socket = await wire.connect()
        route = f"POST chat/connections/{socket.connection_id}/:invoke"
        answer = await call(wire, route, body={"target": "t"})
    assert (answer.status, answer.json["code"]) == (400, "Error.Connection.Unknown")


async def test_client_that_leaves_before_it_answers(wire: Wire) -> None:
    socket = await wire.connect()
    invoking = asyncio.ensure_future(wire.invoke(socket.connection_id, "t"))
    await socket.text()
    await socket.ws.close()
    answer = await invoking
    assert (answer.status, answer.json["code"]) == (400, "Error.Connection.Unknown")
    assert answer.json["message"] == "The client is gone."


async def test_stream_to_a_client(wire: Wire) -> None:
    socket = await wire.connect()
    path = f"POST chat/connections/{socket.connection_id}/streams"
    steps: list[tuple[str, str, Json]] = [
        ("s/:send", "", {"a": 1}),
        ("s/:send", "&completed=true", 2),
        ("t/:send", "&completed=TRUE", None),
        ("u/:complete", "&reason=broken", None),
        ("v/:complete", "", None),
    ]
    for route, query, item in steps:
        answer = await call(wire, f"{path}/{route}", query, item)
        assert (answer.status, answer.body) == (202, b"")
    assert [json.loads((await socket.text()).removesuffix("\x1e")) for _ in range(6)] == [
        {"type": 2, "invocationId": "s", "item": {"a": 1}},
        {"type": 2, "invocationId": "s", "item": 2},
        {"type": 3, "invocationId": "s"},
        {"type": 3, "invocationId": "t"},
        {"type": 3, "invocationId": "u", "error": "broken"},
        {"type": 3, "invocationId": "v"},
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"1", "text/plain", 415),
        (b"\xc1", "application/octet-stream", 400),
        (msgpack.encode(1), "application/octet-stream", 400),
        (msgpack.encode({}), "application/octet-stream", 400),
        (msgpack.encode({"json": said(1).encode()}), "application/octet-stream", 400),
        (msgpack.encode({"messagepack": b"\x05\x94\x02\x80\xa1s"}), "application/x-msgpack", 400),
        (
            msgpack.encode({"messagepack": b"\x0f" + msgpack.encode(invocation(1))}),
            "application/octet-stream",
            400,
        ),
    ],
)
async def test_wrong_items_of_a_stream(
    wire: Wire, body: bytes, content_type: str, status: int
) -> None:
    socket = await wire.connect()
    path = f"/api/hubs/chat/connections/{socket.connection_id}/streams/s/:send{V}"
    answer = await wire.rest("POST", path, data=body, content_type=content_type)
    assert answer.status == status
    await wire.send("chat/", "next")
    assert await socket.text() == said("next")


async def test_a_connection_that_does_not_exist_leaves_groups_and_joins_none(wire: Wire) -> None:
    path = "chat/groups/g/connections/x"
    assert await outcome(wire, f"PUT {path}") == (404, "Error.Connection.NotExisted")
    assert await outcome(wire, f"DELETE {path}") == (200, None)
    assert await outcome(wire, "DELETE chat/connections/x/groups") == (200, None)


@pytest.mark.parametrize("line_break", ["%0A", "%0D", "%E2%80%A8", "%E2%80%A9"])
@pytest.mark.parametrize(
    "route",
    [
        "POST chat/groups/g{}h/:send",
        "POST chat/groups/g{}/:closeConnections",
        "GET chat/groups/{}g",
        "GET chat/groups/g{}/connections",
        "PUT chat/groups/g{}/connections/{connection}",
        "PUT chat/users/ann/groups/g{}",
        "POST chat/connections/{connection}/streams/s{}/:complete",
    ],
)
async def test_a_name_with_a_line_break_is_refused(wire: Wire, route: str, line_break: str) -> None:
    connection = (await wire.connect()).connection_id
    method, path = route.format(line_break, connection=connection).split(" ")
    assert await raw(wire, method, f"/api/hubs/{path}{V}") == 400


async def test_a_payload_may_say_more(wire: Wire) -> None:
    socket = await wire.connect()
    payload: Json = {"target": "say", "arguments": ["hi"], "rawOnly": False, "note": "for myself"}
    assert (await call(wire, "POST chat/:send", body=payload)).status == 202
    assert await socket.text() == said("hi")


@pytest.mark.parametrize("path", [":invoke", "streams/s/:send", "streams/s/:complete"])
async def test_calls_of_a_connection_that_does_not_exist(wire: Wire, path: str) -> None:
    answer = await call(wire, f"POST chat/connections/x/{path}", body={"target": "t"})
    assert answer.status == 404
    assert answer.headers["x-ms-error-code"] == "Error.Connection.NotExisted"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "NotFound"),
        ("GET", "/api/hubs/chat/users//groups/g", 404, "NotFound"),
        ("PATCH", "/api/hubs/chat/:send", 405, "MethodNotAllowed"),
        ("GET", "/api/hubs/chat/:send", 405, "MethodNotAllowed"),
    ],
)
async def test_unknown_paths_and_methods(
    wire: Wire, method: str, path: str, status: int, code: str
) -> None:
    answer = await wire.rest(method, path)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["x-ms-error-code"] == code
    assert ("Allow" in answer.headers) is (status == 405)
