"""What the service answers: acks of every status, pages, claims, results of clients."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from shared.errors import (
    ConnectionNotFoundError,
    ConnectionUserMismatchError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
    UnexpectedResponseError,
)
from shared.persistent.aio import PersistentSender
from shared.rest.authentication import ConnectionClaim
from shared.rest.members import GroupConnection
from shared.service_protocol import requests as ask
from shared.service_protocol.fields import FOR_EVER, Timestamp
from shared.service_protocol.messages import (
    Ack,
    ClientCompletion,
    ClientInvocation,
    ErrorCompletion,
    Message,
)
from tests.shared.persistent.conftest import Advance
from tests.shared.persistent.stub_service import Answer, StubService

type Call = Callable[[PersistentSender], Awaitable[object]]

MEMBERSHIPS: list[tuple[Call, Message]] = [
    (
        lambda sender: sender.add_connection_to_group("chat", "red", "c1"),
        ask.JoinGroupWithAck(connection_id="c1", group="red"),
    ),
    (
        lambda sender: sender.remove_connection_from_group("chat", "red", "c1"),
        ask.LeaveGroupWithAck(connection_id="c1", group="red"),
    ),
    (
        lambda sender: sender.remove_connection_from_all_groups("chat", "c1"),
        ask.LeaveGroupWithAck(connection_id="c1", group=None),
    ),
    (
        lambda sender: sender.add_user_to_group("chat", "red", "ann", ttl=60),
        ask.UserJoinGroupWithAck(user_id="ann", group="red", ttl=60),
    ),
    (
        lambda sender: sender.remove_user_from_group("chat", "red", "ann"),
        ask.UserLeaveGroupWithAck(user_id="ann", group="red"),
    ),
    (
        lambda sender: sender.remove_user_from_all_groups("chat", "ann"),
        ask.UserLeaveGroupWithAck(user_id="ann", group=None),
    ),
]
CLOSES: list[tuple[Call, Message]] = [
    (
        lambda sender: sender.close_all_connections("chat", excluded=["c1"], reason="Bye"),
        ask.CloseConnectionsWithAck(reason="Bye", excluded=("c1",)),
    ),
    (
        lambda sender: sender.close_group_connections("chat", "red", reason="Bye"),
        ask.CloseGroupConnectionsWithAck(group="red", reason="Bye"),
    ),
    (
        lambda sender: sender.close_user_connections("chat", "ann", excluded=["c1"]),
        ask.CloseUserConnectionsWithAck(user_id="ann", excluded=("c1",)),
    ),
]
QUESTIONS: list[tuple[Call, Message]] = [
    (
        lambda sender: sender.connection_exists("chat", "c1"),
        ask.CheckConnectionExistenceWithAck(connection_id="c1"),
    ),
    (
        lambda sender: sender.group_exists("chat", "red"),
        ask.CheckGroupExistenceWithAck(group="red"),
    ),
    (
        lambda sender: sender.user_exists("chat", "ann"),
        ask.CheckUserExistenceWithAck(user_id="ann"),
    ),
    (
        lambda sender: sender.user_in_group("chat", "ann", "red"),
        ask.CheckUserInGroupWithAck(user_id="ann", group="red"),
    ),
]


def silent(_: Message) -> None:
    """Answer nothing."""


def status(number: int, payload: bytes | None = None) -> Answer:
    """Answer each request with a status."""
    return lambda message: Ack(ack_id=getattr(message, "ack_id", 0), status=number, payload=payload)


@pytest.mark.parametrize(("call", "request_"), [*MEMBERSHIPS, *CLOSES])
@pytest.mark.parametrize("number", [1, 2])
async def test_a_change_is_done_when_it_is_acknowledged(
    call: Call, request_: Message, number: int, sender: PersistentSender, service: StubService
) -> None:
    service.answer = status(number)
    await call(sender)
    assert service.received == [msgspec.structs.replace(request_, ack_id=1)]


@pytest.mark.parametrize(("call", "request_"), QUESTIONS)
async def test_a_question_is_answered(
    call: Call, request_: Message, sender: PersistentSender, service: StubService
) -> None:
    assert await call(sender) is True
    service.answer = status(2)
    assert await call(sender) is False
    assert service.received == [
        msgspec.structs.replace(request_, ack_id=1),
        msgspec.structs.replace(request_, ack_id=2),
    ]


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (3, ServiceUnavailableError),
        (4, ServiceUnavailableError),
        (5, PermissionDeniedError),
        (9, UnexpectedResponseError),
    ],
)
@pytest.mark.parametrize("call", [each for each, _ in (*MEMBERSHIPS, *CLOSES, *QUESTIONS)])
async def test_any_other_status_is_an_error_that_says_where(
    call: Call,
    number: int,
    error: type[ServiceError],
    sender: PersistentSender,
    service: StubService,
) -> None:
    service.answer = status(number)
    with pytest.raises(error) as failed:
        await call(sender)
    assert failed.value.hub == "chat"
    assert failed.value.endpoint == service.url.removeprefix("http://")


async def test_an_ack_that_does_not_come_is_an_error(
    sender: PersistentSender, service: StubService, advance: Advance
) -> None:
    service.answer = silent
    asking = asyncio.create_task(sender.add_user_to_group("chat", "red", "ann"))
    await service.heard(ask.UserJoinGroupWithAck)
    advance(9)
    await asyncio.sleep(0.05)
    assert not asking.done()
    advance(4)
    with pytest.raises(ServiceUnavailableError, match="did not answer in 10 s"):
        await asking


async def test_who_waits_on_a_connection_that_is_cut_is_told(
    sender: PersistentSender, service: StubService
) -> None:
    service.answer = silent
    asking = asyncio.create_task(sender.user_exists("chat", "ann"))
    await service.heard(ask.CheckUserExistenceWithAck)
    service.lines[0].cut()
    with pytest.raises(ServiceUnavailableError, match="connection was lost"):
        await asking


async def test_acks_find_whoever_waits_for_them(
    sender: PersistentSender, service: StubService
) -> None:
    held: list[ask.CheckUserExistenceWithAck] = []

    def last_first(message: Message) -> None:
        assert isinstance(message, ask.CheckUserExistenceWithAck)
        held.append(message)

    service.answer = last_first
    asking = [asyncio.create_task(sender.user_exists("chat", str(each))) for each in range(20)]
    await service.heard(ask.CheckUserExistenceWithAck, 20)
    for each in reversed(held):
        found = 1 + int(each.user_id) % 2
        await service.lines[0].say(Ack(ack_id=each.ack_id, status=found))
    assert await asyncio.gather(*asking) == [each % 2 == 0 for each in range(20)]


async def test_a_group_is_listed_page_by_page(
    sender: PersistentSender, service: StubService
) -> None:
    pages = {
        None: [[["c1", "ann"], ["c2", None]], "more"],
        "more": [[], "last"],
        "last": [[["c3", "bob"]], None],
    }

    def page(message: Message) -> Message:
        assert isinstance(message, ask.GroupMemberQuery)
        assert message.group == "red"
        payload = msgspec.msgpack.encode(pages[message.continuation_token])
        return Ack(ack_id=message.ack_id, status=1, payload=payload)

    service.answer = page
    assert [each async for each in sender.list_connections_in_group("chat", "red")] == [
        GroupConnection("c1", "ann"),
        GroupConnection("c2"),
        GroupConnection("c3", "bob"),
    ]


async def test_a_list_that_leads_back_ends(sender: PersistentSender, service: StubService) -> None:
    service.answer = status(1, msgspec.msgpack.encode([[], "again"]))
    with pytest.raises(UnexpectedResponseError, match="no end"):
        [each async for each in sender.list_connections_in_group("chat", "red")]


async def test_a_group_that_is_not_there_is_empty(
    sender: PersistentSender, service: StubService
) -> None:
    service.answer = status(2)
    assert [each async for each in sender.list_connections_in_group("chat", "red")] == []


async def test_an_authentication_is_renewed(sender: PersistentSender, service: StubService) -> None:
    service.answer = status(1, msgspec.msgpack.encode({"role": "admin"}))
    held = await sender.refresh_connection_authentication(
        "chat", "secret", expires_on=1 << 33, claims={"role": "admin"}
    )
    assert held == (ConnectionClaim("role", "admin"),)
    assert await sender.connection_claims("chat", "secret") == held
    await sender.refresh_connection_authentication("chat", "secret")
    assert service.received == [
        ask.RefreshAuth(
            connection_token="secret",
            claims=(("role", "admin"),),
            expires=Timestamp(1 << 33),
            ack_id=1,
        ),
        ask.GetConnectionClaims(connection_token="secret", ack_id=2),
        ask.RefreshAuth(connection_token="secret", claims=(), expires=FOR_EVER, ack_id=3),
    ]


@pytest.mark.parametrize(
    ("number", "error"), [(2, ConnectionNotFoundError), (5, ConnectionUserMismatchError)]
)
async def test_an_authentication_that_is_not_renewed_is_told(
    number: int, error: type[ServiceError], sender: PersistentSender, service: StubService
) -> None:
    service.answer = status(number)
    with pytest.raises(error) as failed:
        await sender.refresh_connection_authentication("chat", "secret", claims={"a": "b"})
    assert "secret" not in str(failed.value)


def completion(protocol: str, message: bytes) -> Answer:
    """Answer an invocation as a client does."""

    def answer(asked: Message) -> Message:
        assert isinstance(asked, ClientInvocation)
        return ClientCompletion(
            invocation_id=asked.invocation_id,
            connection_id=asked.connection_id,
            caller_server_id=asked.caller_server_id,
            protocol=protocol,
            payload=message,
        )

    return answer


@pytest.mark.parametrize(
    ("protocol", "message", "result"),
    [
        ("json", b'{"type":3,"invocationId":"1","result":{"a":[1]}}\x1e', {"a": [1]}),
        ("json", b'{"type":3,"invocationId":"1"}\x1e', None),
        ("messagepack", bytes.fromhex("0a 95 03 80 a1 31 03 81 a1 61 01"), {"a": 1}),
        ("messagepack", bytes.fromhex("06 94 03 80 a1 31 02"), None),
    ],
)
async def test_a_client_gives_a_result(
    protocol: str, message: bytes, result: object, sender: PersistentSender, service: StubService
) -> None:
    service.answer = completion(protocol, message)
    assert await sender.invoke_connection("chat", "c1", "ask", ["?"]) == result
    (asked,) = service.of(ClientInvocation)
    written = dict(asked.payloads)
    assert f'"invocationId":"{asked.invocation_id}"'.encode() in written["json"]
    assert asked.invocation_id.encode() in written["messagepack"]


@pytest.mark.parametrize(
    ("protocol", "message", "says"),
    [
        ("json", b'{"type":3,"error":"broken"}\x1e', "broken"),
        ("messagepack", bytes.fromhex("09 95 03 80 a1 31 01 a2 6e 6f"), "no"),
    ],
)
async def test_a_client_that_fails_is_an_error(
    protocol: str, message: bytes, says: str, sender: PersistentSender, service: StubService
) -> None:
    service.answer = completion(protocol, message)
    with pytest.raises(ServiceError, match=f"with an error: {says}"):
        await sender.invoke_connection("chat", "c1", "ask")


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ("json", b"{}\x1e"),
        ("json", b"[]\x1e"),
        ("json", b'{"type":1}\x1e'),
        ("messagepack", b""),
        ("messagepack", b"\x01\xc1"),
        ("messagepack", b"\x01\x90"),
        ("messagepack", b"\xff\xff\xff\xff\xff"),
    ],
)
async def test_nonsense_of_a_client_is_an_error(
    protocol: str, message: bytes, sender: PersistentSender, service: StubService
) -> None:
    service.answer = completion(protocol, message)
    with pytest.raises(UnexpectedResponseError, match=r"cannot be read|longer than 2 GB"):
        await sender.invoke_connection("chat", "c1", "ask")


async def test_the_service_may_tell_that_there_is_no_result(
    sender: PersistentSender, service: StubService
) -> None:
    def gone(asked: Message) -> Message:
        assert isinstance(asked, ClientInvocation)
        return ErrorCompletion(
            invocation_id=asked.invocation_id,
            connection_id=asked.connection_id,
            caller_server_id=asked.caller_server_id,
            error="the client has left",
        )

    service.answer = gone
    with pytest.raises(ServiceError, match="has left"):
        await sender.invoke_connection("chat", "c1", "ask")


async def test_a_result_that_does_not_come_is_an_error(
    sender: PersistentSender, service: StubService, advance: Advance
) -> None:
    service.answer = silent
    asking = asyncio.create_task(sender.invoke_connection("chat", "c1", "ask", timeout=5))
    await service.heard(ClientInvocation)
    advance(9)
    with pytest.raises(ServiceUnavailableError, match="no result in time"):
        await asking
