"""Messages in hub protocols, as the .NET SDK sends them: each client gets the bytes of its own.

The frames are what Microsoft.AspNetCore.SignalR writes for values of .NET (11.0.0, recorded).
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from msgspec import msgpack

from emulator.tests.link import END, negotiated, polling
from emulator.tests.real_client import javascript, started
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Answer, Socket, Wire, said

V = "?api-version=2024-12-01"
JSON_END = b"\x1e"

# What a value of .NET is in each protocol, in the messages `{"type":1,"target":"say",…}`.
VALUES = {
    "decimal": ("0.10", "a4302e3130"),
    "long decimal": ("1234567890123456.789", "b4313233343536373839303132333435362e373839"),
    "ulong": ("18446744073709551615", "cfffffffffffffffff"),
    "double": ("3", "cb4008000000000000"),
    "float": ("1.5", "ca3fc00000"),
    "DateTime": ('"2024-02-29T12:34:56.7891234Z"', "d7ffbc24452065e079f0"),
    "DateTime.MinValue": ('"0001-01-01T00:00:00Z"', "c70cff00000000fffffff1886e0900"),
    "DateTimeOffset": ('"2024-02-29T12:34:56+02:00"', "92d6ff65e079f078"),
    "TimeSpan": ('"1.01:01:01.0010000"', "cf000000d1b08a2b90"),
    "byte[]": ('"AAEC/v8="', "c405000102feff"),
    "enum": ("2", "a4426c7565"),
    "record": ('{"name":null,"numbers":[1]}', "82a44e616d65c0a74e756d626572739101"),
    "text": ('"h\u00e9 \\uD83D\\uDE00 \\u2028 /"', "ae68c3a920f09f988020e280a8202f"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message in both protocols, with its framing."""

    json: bytes
    messagepack: bytes

    def body(self, *protocols: str) -> bytes:
        """Give the body that holds it in some protocols."""
        written = {"json": self.json, "messagepack": self.messagepack}
        return msgpack.encode({name: written[name] for name in protocols or written})


def framed(body: bytes) -> bytes:
    return bytes([len(body)]) + body


def invocation(in_json: str, in_messagepack: str, invocation_id: str | None = None) -> Message:
    """Write what the SDK writes for `say` with one argument."""
    named = "" if invocation_id is None else f'"invocationId":"{invocation_id}",'
    packed = b"".join(
        (
            bytes.fromhex("960180"),
            msgpack.encode(invocation_id),
            bytes.fromhex("a3736179 91"),
            bytes.fromhex(in_messagepack),
            b"\x90",
        )
    )
    record = f'{{"type":1,{named}"target":"say","arguments":[{in_json}]}}'.encode()
    return Message(record + JSON_END, framed(packed))


def item(in_json: str, in_messagepack: str, stream: str = "s") -> Message:
    """Write what the SDK writes for an item of a stream."""
    packed = bytes.fromhex("940280") + msgpack.encode(stream) + bytes.fromhex(in_messagepack)
    record = f'{{"type":2,"invocationId":"{stream}","item":{in_json}}}'.encode()
    return Message(record + JSON_END, framed(packed))


HELLO = invocation('"hello"', "a568656c6c6f")
NEXT = invocation('"next"', "a46e657874")
MOMENT = invocation(*VALUES["DateTime"])


async def connect_messagepack(wire: Wire, user: str | None = None) -> Socket:
    """Connect a client that speaks MessagePack."""
    token = await wire.client_token("chat", **{"asrs.s.uid": user})
    opened = (await wire.negotiate(token=token)).json
    ws = await wire.open(token=token, connection_token=opened["connectionToken"])
    await ws.send_bytes(b'{"protocol":"messagepack","version":1}\x1e')
    assert await ws.receive_bytes(timeout=5) == HANDSHAKE_REPLY.encode()
    return Socket(ws, opened["connectionId"])


async def received(socket: Socket) -> bytes:
    """Give the next frame, whatever its kind."""
    message = await socket.ws.receive(timeout=5)
    assert message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}, message
    data: str | bytes = message.data
    return data.encode() if isinstance(data, str) else data


async def post(
    wire: Wire, path: str, body: bytes, content_type: str = "application/octet-stream"
) -> Answer:
    return await wire.rest("POST", path, data=body, content_type=content_type)


async def send(wire: Wire, body: bytes) -> None:
    assert (await post(wire, f"/api/hubs/chat/:send{V}", body)).status == 202


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/x-msgpack"])
async def test_each_client_gets_the_bytes_of_its_protocol(
    wire: Wire, value: str, content_type: str
) -> None:
    in_json, in_messagepack = await wire.connect(), await connect_messagepack(wire)
    message = invocation(*VALUES[value])
    answer = await post(wire, f"/api/hubs/chat/:send{V}", message.body(), content_type)
    assert (answer.status, answer.body) == (202, b"")
    assert await received(in_json) == message.json
    assert await received(in_messagepack) == message.messagepack


@pytest.mark.parametrize(
    "path",
    [
        f"/api/hubs/chat/:send{V}",
        f"/api/hubs/chat/:send{V}&excluded=nobody",
        f"/api/hubs/chat/users/ann/:send{V}",
        f"/api/hubs/chat/groups/g/:send{V}",
        f"/api/hubs/chat/connections/ID/:send{V}",
        "/api/v1/hubs/chat",
        "/api/v1/hubs/chat/users/ann",
        "/api/v1/hubs/chat/groups/g",
        "/api/v1/hubs/chat/connections/ID",
        "/api/v1-preview/hub/chat",
        "/api/v1-preview/hub/chat/users/ben,ann",
        "/api/v1-preview/hub/chat/groups/h,g",
    ],
)
async def test_every_way_to_send(wire: Wire, path: str) -> None:
    in_json = await wire.connect(user="ann")
    in_messagepack = await connect_messagepack(wire, user="ann")
    for socket in (in_json, in_messagepack):
        member = f"/api/hubs/chat/groups/g/connections/{socket.connection_id}{V}"
        assert (await wire.rest("PUT", member)).status == 200
    for socket in (in_json, in_messagepack):
        answer = await post(wire, path.replace("ID", socket.connection_id), MOMENT.body())
        assert answer.status == 202
    if "ID" not in path:
        assert await received(in_json) == MOMENT.json
        assert await received(in_messagepack) == MOMENT.messagepack
    assert await received(in_json) == MOMENT.json
    assert await received(in_messagepack) == MOMENT.messagepack


async def test_frames_stay_as_they_are_written(wire: Wire) -> None:
    """White space, headers, ids, a longer prefix than need be: nothing is written anew."""
    in_json, in_messagepack = await wire.connect(), await connect_messagepack(wire)
    body = msgpack.encode([1, {"a": "b"}, "7", "say", [float("nan"), {1: b"\xff"}], ["1"]])
    message = Message(
        b'{ "headers":{"a":"b"},\r\n "target":"say", "arguments":[ 1E2 ,1e400],"type":1}\n\x1e',
        bytes([len(body) | 0x80, 0]) + body,
    )
    await send(wire, message.body())
    assert await received(in_json) == message.json
    assert await received(in_messagepack) == message.messagepack


async def test_who_polls_and_who_hears_events(wire: Wire) -> None:
    link, polls = await negotiated(wire), await polling(wire)
    async with link.events() as events:
        await link.request("POST", HANDSHAKE.encode())
        assert (await events.readuntil(END)).endswith(END)
        await send(wire, NEXT.body("messagepack"))
        await send(wire, MOMENT.body())
        assert await events.readuntil(END) == b"data: " + MOMENT.json + END
    assert await polls.poll() == (200, MOMENT.json.decode())


@pytest.mark.parametrize(("protocol", "other"), [("json", "messagepack"), ("messagepack", "json")])
async def test_a_client_whose_protocol_is_missing_gets_nothing(
    wire: Wire, protocol: str, other: str
) -> None:
    in_json, in_messagepack = await wire.connect(), await connect_messagepack(wire)
    await send(wire, HELLO.body(protocol))
    await send(wire, NEXT.body())
    has_it, has_not = (in_json, in_messagepack) if protocol == "json" else (in_messagepack, in_json)
    written = {
        "json": (HELLO.json, NEXT.json),
        "messagepack": (HELLO.messagepack, NEXT.messagepack),
    }
    assert (await received(has_it), await received(has_it)) == written[protocol]
    assert await received(has_not) == written[other][1]


async def test_who_was_left_out_stands_in_the_journal(wire: Wire) -> None:
    sockets = [await wire.connect(), await wire.connect(), await connect_messagepack(wire)]
    await send(wire, HELLO.body("messagepack"))
    excluded = f"/api/hubs/chat/:send{V}&excluded={sockets[0].connection_id}"
    assert (await post(wire, excluded, HELLO.body("messagepack"))).status == 202
    await wire.send("chat/", "to all")
    messages = [
        (each["target"], each["connections"], each["unserved"])
        for each in (await wire.control("/emulator/messages"))["messages"]
    ]
    assert messages == [("say", 1, 2), ("say", 1, 1), ("say", 3, 0)]


async def test_the_tracing_id_of_a_message_stands_in_the_journal(wire: Wire) -> None:
    headers = {
        "Authorization": f"Bearer {await wire.entra_token()}",
        "Content-Type": "application/json",
        "X-ASRS-Message-Tracing-Id": "1152921504606846975",
    }
    body = b'{"target":"say","arguments":[]}'
    url = f"{wire.emulator.service_url}/api/hubs/chat/:send{V}"
    assert (await wire.request("POST", url, headers=headers, data=body)).status == 202
    await wire.send("chat/", "without")
    messages = (await wire.control("/emulator/messages"))["messages"]
    assert [each["tracingId"] for each in messages] == ["1152921504606846975", None]


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
@pytest.mark.parametrize("value", ["decimal", "DateTime", "byte[]"])
async def test_invocations_get_an_id_and_keep_their_arguments(
    wire: Wire, protocol: str, value: str
) -> None:
    message = invocation(*VALUES[value])
    expected = invocation(*VALUES[value], invocation_id="s1")
    socket = await (wire.connect() if protocol == "json" else connect_messagepack(wire))
    path = f"/api/hubs/chat/connections/{socket.connection_id}/:invoke{V}"
    invoking = asyncio.ensure_future(post(wire, path, message.body()))
    if protocol == "json":
        assert await received(socket) == expected.json
        await socket.ws.send_str('{"type":3,"invocationId":"s1","result": [12.50, 1E400] }\x1e')
        assert (await invoking).body == b'{"result":[12.50, 1E400]}'
    else:
        assert await received(socket) == expected.messagepack
        moment = bytes.fromhex("950380a2733103 93 d7ffbc24452065e079f0 c402fffe cb4029000000000000")
        await socket.ws.send_bytes(framed(moment))
        result = b'{"result":["2024-02-29T12:34:56.7891234Z","//4=",12.5]}'
        assert (await invoking).body == result


@pytest.mark.parametrize(
    ("accept", "is_framed"),
    [
        ("application/octet-stream", True),
        ("text/html, Application/Octet-Stream;q=0.9", True),
        ("application/json", False),
        ("*/*", False),
    ],
)
@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_a_result_in_the_hub_protocol_of_the_client(
    wire: Wire, protocol: str, accept: str, *, is_framed: bool
) -> None:
    socket = await (wire.connect() if protocol == "json" else connect_messagepack(wire))
    path = f"/api/hubs/chat/connections/{socket.connection_id}/:invoke{V}"
    asking = wire.rest("POST", path, body={"target": "say", "arguments": []}, accept=accept)
    invoking = asyncio.ensure_future(asking)
    await received(socket)
    if protocol == "json":
        completion = b'{"result": 12.50,"type":3, "invocationId":"s1"}\x1e'
        await socket.ws.send_str(completion.decode())
    else:
        # The timestamp and the bytes have no form of their own in JSON.
        completion = framed(
            bytes.fromhex("950380a2733103 92 d7ffbc24452065e079f0 c402fffe".replace(" ", ""))
        )
        await socket.ws.send_bytes(completion)
    answer = await invoking
    assert answer.status == 200
    if is_framed:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert (answer.headers["X-Protocol"], answer.body) == (protocol, completion)
    else:
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json.keys() == {"result"}


async def test_an_error_of_the_client_is_one_of_the_call_in_every_form(wire: Wire) -> None:
    socket = await wire.connect()
    path = f"/api/hubs/chat/connections/{socket.connection_id}/:invoke{V}"
    asking = wire.rest(
        *("POST", path),
        body={"target": "say", "arguments": []},
        accept="application/octet-stream",
    )
    invoking = asyncio.ensure_future(asking)
    await received(socket)
    await socket.ws.send_str('{"type":3,"invocationId":"s1","error":"no"}\x1e')
    answer = await invoking
    assert (answer.status, answer.json["message"]) == (400, "no")


async def test_invocation_that_the_client_cannot_read(wire: Wire) -> None:
    socket = await wire.connect()
    path = f"/api/hubs/chat/connections/{socket.connection_id}/:invoke{V}"
    answer = await post(wire, path, HELLO.body("messagepack"))
    assert (answer.status, answer.json["code"]) == (400, "Error.Connection.Unknown")
    assert answer.json["message"] == (
        "The message is not written in the client's hub protocol, json."
    )
    await send(wire, NEXT.body())
    assert await received(socket) == NEXT.json


@pytest.mark.parametrize("value", ["decimal", "DateTime", "TimeSpan"])
async def test_items_of_streams(wire: Wire, value: str) -> None:
    message = item(*VALUES[value])
    for socket, written in (
        (await wire.connect(), message.json),
        (await connect_messagepack(wire), message.messagepack),
    ):
        path = f"/api/hubs/chat/connections/{socket.connection_id}/streams/s/:send{V}"
        assert (await post(wire, path, message.body())).status == 202
        assert await received(socket) == written


async def test_an_item_that_the_client_cannot_read(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await wire.connect()
    path = f"/api/hubs/chat/connections/{socket.connection_id}/streams/s/:send{V}"
    assert (await post(wire, path, item("1", "01").body("messagepack"))).status == 202
    assert "not sent to json clients: it is not written in their protocol" in caplog.text
    await send(wire, NEXT.body())
    assert await received(socket) == NEXT.json


async def test_a_payload_message_in_messagepack(wire: Wire) -> None:
    """Who speaks MessagePack gets the arguments as they were sent, others what JSON has."""
    in_json, in_messagepack = await wire.connect(), await connect_messagepack(wire)
    arguments = "93 d7ffbc24452065e079f0 c402fffe ca3fc00000"
    body = bytes.fromhex(f"82 a6746172676574 a3736179 a9617267756d656e7473 {arguments}")
    await send(wire, body)
    moment = "2024-02-29T12:34:56.7891234Z"
    assert await received(in_json) == said(moment, "//4=", 1.5).encode()
    expected = bytes.fromhex(f"960180c0a3736179 {arguments} 90")
    assert await received(in_messagepack) == framed(expected)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"json": HELLO.json[:-1]}, "json"),
    ({"json": HELLO.json + HELLO.json}, "json"),
    ({"json": HELLO.json.decode()}, "json"),
    ({"json": HELLO.json.replace(b"hello", b"\xff")}, "json"),
    ({"json": b'{"type":6}\x1e'}, "json"),
    ({"json": item("1", "01").json}, "json"),
    ({"json": b'{"type":1,"target":"","arguments":[]}\x1e'}, "target"),
    ({"json": HELLO.json, "messagepack": b"\x00"}, "messagepack"),
    ({"messagepack": HELLO.messagepack[1:]}, "messagepack"),
    ({"messagepack": HELLO.messagepack * 2}, "messagepack"),
    ({"messagepack": item("1", "01").messagepack}, "messagepack"),
    ({"messagepack": framed(msgpack.encode([4, {}, "1", "say", []]))}, "messagepack"),
    ({"blazorpack": HELLO.messagepack}, "target"),
    ({}, "target"),
]


@pytest.mark.parametrize(("fields", "target"), WRONG)
async def test_what_is_refused(wire: Wire, fields: dict[str, Any], target: str) -> None:
    socket = await wire.connect()
    answer = await post(wire, f"/api/hubs/chat/:send{V}", msgpack.encode(fields))
    assert (answer.status, answer.json["code"]) == (400, "Error.Request.Invalid")
    assert answer.json["target"] == target
    await send(wire, NEXT.body())
    assert await received(socket) == NEXT.json


async def test_a_protocol_that_nobody_speaks_is_left_out(wire: Wire) -> None:
    socket = await wire.connect()
    await send(wire, msgpack.encode({"blazorpack": b"\xc1", "json": HELLO.json}))
    assert await received(socket) == HELLO.json


async def test_an_item_of_another_stream_is_refused(wire: Wire) -> None:
    socket = await wire.connect()
    path = f"/api/hubs/chat/connections/{socket.connection_id}/streams/t/:send{V}"
    answer = await post(wire, path, item("1", "01").body())
    assert (answer.status, answer.json["target"]) == (400, "streamId")


@pytest.mark.parametrize("transport", ["WebSockets", "LongPolling"])
async def test_the_javascript_client_hears_what_json_has_not(wire: Wire, transport: str) -> None:
    token = await wire.client_token()
    async with javascript("client.mjs", wire.hub_url(), token, transport, "messagepack") as client:
        await started(client)
        await send(wire, MOMENT.body())
        # A Date, which has milliseconds, and not the text that JSON clients get.
        heard = await client.event()
        assert heard == {"event": "say", "arguments": ["2024-02-29T12:34:56.789Z"]}
        await send(wire, invocation(*VALUES["byte[]"]).body())
        (octets,) = (await client.event())["arguments"]
        assert list(octets.values()) == [0, 1, 2, 0xFE, 0xFF] or octets["data"] == [
            0,
            1,
            2,
            254,
            255,
        ]


async def test_numbers_keep_their_digits(wire: Wire) -> None:
    """A JSON body reaches clients of JSON as the text that it was."""
    socket = await wire.connect()
    values = '[12.50,1234567890123456.789, 0.1234567890123456789 ,1E400,{"a":1,"a":"\\u00e9"}]'
    text = f'{{"target":"say" , "arguments":{values}}}'
    answer = await wire.rest("POST", f"/api/hubs/chat/:send{V}", data=text.encode())
    assert answer.status == 202
    expected = f'{{"type":1,"target":"say","arguments":{values}}}\x1e'
    assert await socket.text() == expected

    commands = f'[{{"Type":"SendMessage","Message":{text}}}]'.encode()
    assert (await wire.rest("POST", f"/api/hubs/chat/:execute{V}", data=commands)).status == 202
    assert await socket.text() == expected

    stream = f"/api/hubs/chat/connections/{socket.connection_id}/streams/s/:send{V}"
    assert (await wire.rest("POST", stream, data=b" 12.50 ")).status == 202
    assert await socket.text() == '{"type":2,"invocationId":"s","item":12.50}\x1e'


@pytest.mark.parametrize("result", ["12.50", '{"a":1, "a":"\\ud800"}', "9" * 400, "null"])
async def test_a_result_keeps_its_text(wire: Wire, result: str) -> None:
    socket = await wire.connect()
    invoking = asyncio.ensure_future(wire.invoke(socket.connection_id, "ask", 1))
    invocation_id = json.loads((await socket.text()).removesuffix("\x1e"))["invocationId"]
    completion = f'{{"type":3,"result":{result},"invocationId":"{invocation_id}"}}\x1e'
    await socket.ws.send_str(completion)
    answer = await invoking
    assert (answer.status, answer.body) == (200, f'{{"result":{result}}}'.encode())


async def test_what_messagepack_makes_of_a_json_body(wire: Wire) -> None:
    socket = await connect_messagepack(wire)
    text = '{"target":"say","arguments":[12.50,18446744073709551615,18446744073709551616,1e400]}'
    assert (await wire.rest("POST", f"/api/hubs/chat/:send{V}", data=text.encode())).status == 202
    heard = msgpack.decode((await received(socket))[1:])
    assert heard[4] == [12.5, 2**64 - 1, 2.0**64, float("inf")]
