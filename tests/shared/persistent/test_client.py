"""A function app whose messages go by server connections."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from decimal import Decimal

import azure.functions as func
import msgspec
import pytest

from shared.aio import SignalRServiceClient
from shared.errors import ServiceUnavailableError
from shared.functions import SignalRFunctions
from shared.persistent.aio import PersistentSender
from shared.persistent.client import PersistentServiceClient
from shared.service_protocol.codec import Frames
from shared.service_protocol.messages import Ack, CloseConnection, EventKind, ServiceEvent
from shared.service_protocol.requests import (
    CheckUserExistenceWithAck,
    GroupMemberQuery,
    UserJoinGroupWithAck,
)
from shared.service_protocol.sends import BroadcastData, GroupBroadcastData, UserData
from tests.shared.persistent.conftest import KEY
from tests.shared.persistent.stub_service import StubService

type Function = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


@pytest.fixture
async def functions(service: StubService) -> dict[str, Function]:
    signalr = SignalRFunctions.from_environment(
        {
            "AzureSignalRConnectionString": f"Endpoint={service.url};AccessKey={KEY.access_key};",
            "AzureSignalRServiceTransportType": "persistent",
            "SIGNALR_HUBS": "chat",
            "NEGOTIATE_IDENTITY": "anonymous",
        }
    )
    app = func.FunctionApp()
    app.register_functions(signalr.blueprint())
    return {str(each.get_function_name()): each.get_user_function() for each in app.get_functions()}


def posted(body: object) -> func.HttpRequest:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return func.HttpRequest("POST", "http://localhost/api/broadcast", body=text)


async def test_a_broadcast_goes_by_a_server_connection_that_stays(
    functions: dict[str, Function], service: StubService
) -> None:
    messages = [
        {"target": "news"},
        {"target": "news", "userId": "ann"},
        {"target": "news", "groupName": "red", "excluded": ["c1"]},
    ]
    for _ in range(2):
        answer = await functions["broadcast"](posted(messages))
        assert answer.status_code == 202
    assert len(await service.heard(BroadcastData, 2)) == 2
    assert [each.user_id for each in await service.heard(UserData, 2)] == ["ann", "ann"]
    assert [each.excluded for each in await service.heard(GroupBroadcastData, 2)] == [("c1",)] * 2
    assert len(service.attempts) == 1


async def test_numbers_reach_clients_with_all_their_digits(
    functions: dict[str, Function], service: StubService
) -> None:
    text = b'[1.10, 12345678901234567890123, 18446744073709551615, "\xc3\xa4", null]'
    await functions["broadcast"](posted(b'{"target": "news", "arguments": ' + text + b"}"))
    (message,) = await service.heard(BroadcastData)
    written = dict(message.payloads)
    read = json.loads(written["json"][:-1], parse_float=Decimal)["arguments"]
    assert repr(read[0]) == "Decimal('1.10')"
    assert read[1:] == [12345678901234567890123, 18446744073709551615, "ä", None]
    # MessagePack has 64 bits for a whole number, and a float as long as that for all others.
    (body,) = Frames().feed(written["messagepack"])
    arguments = msgspec.msgpack.decode(body)[4]
    assert arguments == [1.1, 12345678901234567890123.0, 18446744073709551615, "ä", None]


async def test_groups_and_questions_go_by_it_too(
    functions: dict[str, Function], service: StubService
) -> None:
    action = {"action": "add", "groupName": "red", "userId": "ann", "ttl": 60}
    assert (await functions["groups"](posted(action))).status_code == 202
    (joined,) = service.of(UserJoinGroupWithAck)
    assert (joined.user_id, joined.group, joined.ttl) == ("ann", "red", 60)

    def request(method: str, **names: str) -> func.HttpRequest:
        return func.HttpRequest(method, "http://localhost/api/x", route_params=names, body=b"")

    there = await functions["connected_user"](request("HEAD", userId="ann"))
    assert (there.status_code, len(service.of(CheckUserExistenceWithAck))) == (200, 1)
    payload = msgspec.msgpack.encode([[["c1", "ann"]], None])
    service.answer = lambda message: Ack(
        ack_id=getattr(message, "ack_id", 0), status=1, payload=payload
    )
    listed = await functions["group_connections"](request("GET", groupName="red"))
    assert json.loads(listed.get_body())["connections"] == [{"connectionId": "c1", "userId": "ann"}]
    assert len(service.of(GroupMemberQuery)) == 1
    closed = await functions["connection"](request("DELETE", connectionId="c1"))
    assert closed.status_code == 204
    assert len(await service.heard(CloseConnection)) == 1


async def test_what_no_connection_takes_is_said_message_by_message(
    functions: dict[str, Function], service: StubService
) -> None:
    assert (await functions["broadcast"](posted({"target": "news"}))).status_code == 202
    await service.lines[0].say(
        ServiceEvent(object_type=4, id="line", kind=EventKind.BUFFER_FULL, message="full")
    )
    # An ack stands behind the event, so that it has come when the question is answered.
    action = {"action": "remove", "groupName": "red", "userId": "ann"}
    await functions["groups"](posted(action))
    answer = await functions["broadcast"](posted([{"target": "news"}, {"target": "more"}]))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    results = json.loads(answer.get_body())["results"]
    assert [each["status"] for each in results] == ["failed", "failed"]
    assert len(service.of(BroadcastData)) == 1


async def test_what_the_protocol_has_not_goes_by_rest(service: StubService) -> None:
    service.refusals = [503]
    async with PersistentServiceClient(service.url, KEY, application="Shop") as client:
        access = await client.get_client_access_token("chat", user_id="ann")
        assert access.url == f"{service.url}/client/?hub=shop_chat"
        with pytest.raises(ServiceUnavailableError, match="/api/hubs/"):
            await client.send_stream_item("chat", "c1", "s1", 1)
        assert [each.path for each in service.attempts] == []
        service.refusals = []
        await client.send_to_all("chat", "news")
    (line,) = service.lines
    assert "hub=shop_chat" in line.path
    assert line.socket.close_code == 1000


def test_it_does_by_connection_what_both_can_do() -> None:
    def own(kind: type) -> set[str]:
        return {each for each in vars(kind) if not each.startswith("_")}

    operations = {each for each in dir(PersistentSender) if not each.startswith("_")}
    shared = operations & {each for each in dir(SignalRServiceClient) if not each.startswith("_")}
    by_rest = {
        "endpoints", "application", "from_settings", "from_environment",
        "invoke_connection", "refresh_connection_authentication", "connection_claims",
    }  # fmt: skip
    assert shared - own(PersistentServiceClient) <= by_rest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
async def test_a_child_process_opens_connections_of_its_own(service: StubService) -> None:
    async with PersistentServiceClient(service.url, KEY) as client:
        await client.send_to_all("chat", "news")
        child = os.fork()
        if child == 0:
            try:
                asyncio.events._set_running_loop(None)  # noqa: SLF001  that of the parent
                asyncio.run(client.send_to_all("chat", "news"))
            finally:
                os._exit(0)
        await service.heard(BroadcastData, 2)
        await asyncio.to_thread(os.waitpid, child, 0)
    assert len(service.lines) == 2
