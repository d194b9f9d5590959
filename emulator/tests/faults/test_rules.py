import asyncio
import json

import aiohttp
import pytest
from signalr_emulator.documents.json_text import Json
from signalr_emulator.errors import DocumentError
from signalr_emulator.faults.document import parse_fault
from signalr_emulator.faults.rules import Action, Fault, Faults, Request

from emulator.tests.link import LONG_POLLING, TRANSPORTS, negotiated
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Answer, Wire, said

SEND = Request("POST", "/api/hubs/chat/:send", 8888, frozenset(("sendToHub",)), "chat")
KNOWN = frozenset(("sendToHub", "negotiate", "connect"))


async def arm(wire: Wire, **fault: Json) -> str:
    answer = await control(wire, "POST", "/emulator/faults", fault)
    assert answer.status == 201
    return str(answer.json["id"])


async def control(wire: Wire, method: str, path: str, body: Json = None) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    return await wire.request(method, wire.emulator.control_url + path, data=data)


async def health(wire: Wire) -> int:
    return (await wire.request("HEAD", f"{wire.emulator.service_url}/api/health")).status


@pytest.mark.parametrize(
    ("fault", "matches"),
    [
        (Fault(Action.RESET), True),
        (Fault(Action.RESET, operations=frozenset(("sendToHub",))), True),
        (Fault(Action.RESET, operations=frozenset(("negotiate",))), False),
        (Fault(Action.RESET, method="POST", path="/api/hubs/*/:send"), True),
        (Fault(Action.RESET, path="/api/hubs"), False),
        (Fault(Action.RESET, method="GET"), False),
        (Fault(Action.RESET, port=8887), False),
        (Fault(Action.RESET, hub="chat"), True),
        (Fault(Action.RESET, hub="news"), False),
    ],
)
def test_matching(fault: Fault, *, matches: bool) -> None:
    faults = Faults()
    faults.add(fault)
    assert (faults.take(SEND) is not None) is matches


def test_times_and_order() -> None:
    faults = Faults()
    first = faults.add(Fault(Action.RESET, times=2))
    second = faults.add(Fault(Action.ANSWER))
    assert [faults.take(SEND) for _ in range(3)] == [first, first, second]
    assert (first.applied, first.remaining, second.remaining) == (2, 0, None)
    assert faults.clear(second.fault_id)
    assert not faults.clear(second.fault_id)
    assert faults.take(SEND) is None


def test_share_is_repeatable() -> None:
    def hits(seed: int) -> list[bool]:
        faults = Faults()
        faults.add(Fault(Action.RESET, share=0.3, seed=seed))
        return [faults.take(SEND) is not None for _ in range(1000)]

    assert hits(1) == hits(1) != hits(2)
    assert 250 < sum(hits(1)) < 350


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], "#"),
        ({}, "#/delay"),
        ({"a/b": 1}, "#/a~1b"),
        ({"action": "burn"}, "#/action"),
        ({"status": 99}, "#/status"),
        ({"status": True}, "#/status"),
        ({"status": 500, "operation": "fly"}, "#/operation"),
        ({"operation": "freeze"}, "#/operation"),
        ({"method": 1}, "#/method"),
        ({"status": 500, "operation": [1]}, "#/operation"),
        ({"status": 500, "headers": {"a b": "c"}}, "#/headers"),
        ({"status": 500, "headers": {"a": "b\r\nc"}}, "#/headers/a"),
        ({"status": 500, "body": 1}, "#/body"),
        ({"status": 500, "share": 1.1}, "#/share"),
        ({"status": 500, "times": 0}, "#/times"),
        ({"delay": -1}, "#/delay"),
        ({"delay": 10**400}, "#/delay"),
        ({"delay": 3601}, "#/delay"),
        ({"status": 500, "body": "\ud800"}, "#/body"),
        ({"delay": 1, "port": 0}, "#/port"),
        ({"delay": 1, "seed": "x"}, "#/seed"),
        ({"delay": 1, "hub": 7}, "#/hub"),
    ],
)
def test_wrong_faults_name_the_property(body: Json, pointer: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_fault(body, KNOWN)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stauts", "#/stauts is unknown; did you mean 'status'?"),
        ("Status", "#/Status is unknown; did you mean 'status'?"),
        ("xyz", "#/xyz is unknown."),
        ("status" * 100, f"#/{'status' * 100} is unknown."),
    ],
)
async def test_a_misspelt_property_is_asked_about(wire: Wire, name: str, said: str) -> None:
    answer = await control(wire, "POST", "/emulator/faults", {name: 500})
    assert (answer.status, answer.json["detail"]) == (400, said)


async def test_chosen_answer_for_some_times(wire: Wire) -> None:
    headers: Json = {"Retry-After": "2", "Content-Type": "application/json"}
    await arm(
        wire, operation="sendToHub", status=503, headers=headers, body='{"code":"Busy"}', times=2
    )
    for _ in range(2):
        answer = await wire.send("chat/", "hi")
        assert (answer.status, answer.json) == (503, {"code": "Busy"})
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Content-Type"] == "application/json"
    assert (await wire.send("chat/", "hi")).status == 202
    [fault] = (await wire.control("/emulator/faults"))["faults"]
    assert (fault["applied"], fault["remaining"]) == (2, 0)


async def test_identity_outage_and_clearing(wire: Wire) -> None:
    fault_id = await arm(wire, operation="identity", status=503)
    assert (await wire.identity()).status == 503
    metadata = f"{wire.emulator.control_url}/metadata/identity/oauth2/token"
    assert (await wire.request("GET", metadata)).status == 503
    authority = f"{wire.emulator.authority_url}/tenant/oauth2/v2.0/token"
    assert (await wire.request("POST", authority)).status == 503
    assert (await control(wire, "DELETE", f"/emulator/faults/{fault_id}")).status == 204
    assert (await wire.identity()).status == 200
    assert (await control(wire, "DELETE", f"/emulator/faults/{fault_id}")).status == 404
    await arm(wire, path="*", status=500)
    assert await health(wire) == 500
    assert (await control(wire, "DELETE", "/emulator/faults")).status == 204
    assert await health(wire) == 200


@pytest.mark.parametrize("path", ["/api/health", "/api/v1/health"])
async def test_every_health_check_is_meant(wire: Wire, path: str) -> None:
    await arm(wire, operation="health", status=503)
    for method in ("HEAD", "GET"):
        assert (await wire.request(method, wire.emulator.service_url + path)).status == 503


async def test_reset(wire: Wire) -> None:
    await arm(wire, operation="health", action="reset", times=1)
    host, port = wire.emulator.service_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HEAD /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert await health(wire) == 200


async def test_truncated_and_malformed_bodies(wire: Wire) -> None:
    await arm(wire, operation="getAccessKey", action="truncate", times=1)
    with pytest.raises(aiohttp.ClientPayloadError):
        await wire.rest("GET", "/api/v1/auth/accessKey")
    await arm(wire, operation="getAccessKey", action="malform", times=1)
    answer = await wire.rest("GET", "/api/v1/auth/accessKey")
    assert answer.status == 200
    assert answer.body.startswith(b'{"AccessKey"')
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


async def test_freeze_and_delay(wire: Wire) -> None:
    port = int(wire.emulator.service_url.rpartition(":")[2])
    fault_id = await arm(wire, port=port, action="freeze")
    waiting = asyncio.create_task(health(wire))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    assert (await wire.identity()).status == 200
    await control(wire, "DELETE", f"/emulator/faults/{fault_id}")
    assert await waiting == 200
    await arm(wire, operation="health", delay=0.1)
    started = asyncio.get_running_loop().time()
    assert await health(wire) == 200
    assert asyncio.get_running_loop().time() - started >= 0.1


async def test_unknown_key(wire: Wire) -> None:
    await arm(wire, action="unknownKey", times=1)
    answer = await wire.negotiate()
    assert answer.status == 401
    assert "The signature key was not found" in answer.headers["WWW-Authenticate"]
    assert (await wire.negotiate()).status == 200


async def test_connect(wire: Wire) -> None:
    await arm(wire, operation="connect", status=503, times=1)
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await wire.open()
    assert caught.value.status == 503
    await wire.connect()


async def test_a_poll_that_asks_for_a_refresh(wire: Wire) -> None:
    """Client 11.0.0 refreshes at once and polls again; a second such answer would end it."""
    await arm(wire, action="refreshRequired", hub="Chat", times=2)
    # Neither other transports, nor the poll that connects, nor what a polling client sends.
    for transport in TRANSPORTS:
        link = await negotiated(wire)
        if transport != LONG_POLLING:
            async with link.connected(transport):
                pass
    assert await link.poll() == (200, "")
    assert (await link.request("POST", HANDSHAKE.encode())).status == 200
    for _ in range(2):
        answer = await link.request("GET", headers={"Origin": "http://localhost"})
        assert (answer.status, answer.json) == (409, {"error": "authentication_refresh_required"})
        assert answer.headers["Content-Type"].startswith("application/json")
        # A page can read it, as every answer of the client endpoint.
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost"
    assert await link.poll() == (200, HANDSHAKE_REPLY)


async def test_polls_of_other_hubs_go_on(wire: Wire) -> None:
    await arm(wire, action="refreshRequired", hub="news")
    async with (await negotiated(wire)).connected(LONG_POLLING) as client:
        await wire.send("chat/", "hi")
        assert await client.receive() == said("hi")


async def test_polls_after_the_first_have_a_second_name(wire: Wire) -> None:
    await arm(wire, operation="poll", status=503, times=1)
    link = await negotiated(wire)
    assert [(await link.request("GET")).status for _ in range(2)] == [200, 503]
    await arm(wire, operation="connect", status=502, times=1)
    assert (await link.request("GET")).status == 502


async def test_a_hub_is_meant_by_every_path(wire: Wire) -> None:
    await arm(wire, hub="Chat", status=503)
    assert (await wire.send("chat/", "hi")).status == 503
    assert (await wire.negotiate()).status == 503
    assert (await wire.send("news/", "hi")).status == 202
    assert await health(wire) == 200


async def test_revoked_key(wire: Wire) -> None:
    _, key_id = await wire.access_key()
    assert (await wire.negotiate()).status == 200
    assert (await control(wire, "POST", f"/emulator/keys/{key_id}/revoke")).status == 204
    assert (await wire.negotiate()).status == 401
    gone = await control(wire, "POST", f"/emulator/keys/{key_id}/revoke")
    assert gone.status == 404
    assert gone.headers["Content-Type"].startswith("application/problem+json")


async def test_dropped_clients(wire: Wire) -> None:
    ann, bob = await wire.connect(user="ann"), await wire.connect(user="bob")
    answer = await control(wire, "POST", "/emulator/clients/drop", {"hub": "Chat", "userId": "ann"})
    assert answer.json == {"dropped": 1}
    message = await ann.ws.receive(timeout=5)
    assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    assert ann.ws.close_code == 1006
    await ann.ws.close()
    await wire.send("chat/", "hi")
    assert await bob.text() == said("hi")
    drop = "/emulator/clients/drop"
    assert (await control(wire, "POST", drop, {"connectionId": "none"})).json == {"dropped": 0}
    assert (await control(wire, "POST", drop, {"share": 0})).json == {"dropped": 0}
    assert (await control(wire, "POST", drop)).json == {"dropped": 1}
    await bob.ws.receive(timeout=5)
    await bob.ws.close()


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("faults", {"status": "x"}, "#/status"),
        ("clients/drop", {"share": 2}, "#/share"),
        ("clients/drop", {"share": 10**400}, "#/share"),
        ("clients/drop", {"seed": 0.5}, "#/seed"),
        ("clients/drop", {"hub": 1}, "#/hub"),
        ("clients/drop", [], "#"),
        ("clients/drop", {"user": "x"}, "#/user"),
    ],
)
async def test_problems(wire: Wire, path: str, body: Json, pointer: str) -> None:
    answer = await control(wire, "POST", f"/emulator/{path}", body)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


async def test_control_port_is_never_disturbed(wire: Wire) -> None:
    await arm(wire, path="*", action="reset")
    assert len((await wire.control("/emulator/faults"))["faults"]) == 1
    not_json = await wire.request("POST", f"{wire.emulator.control_url}/emulator/faults", data=b"[")
    assert not_json.status == 400
