"""Order and outcomes of a list of messages, against a real HTTP service."""

import threading
from collections.abc import Callable
from typing import Any

import azure.functions as func
import pytest
from azure.core.credentials import AccessToken

from shared.aio import SignalRServiceClient
from shared.bodies.values import RawJson
from shared.errors import ConnectionNotFoundError, ServiceUnavailableError, UnexpectedResponseError
from shared.functions.broadcast.delivery import Outcome, deliver
from shared.functions.broadcast.groups import GroupAction
from shared.functions.broadcast.handlers import broadcast_handlers
from shared.functions.broadcast.items import EVERYONE, Delivery, Recipient, RecipientKind
from shared.functions.broadcast.messages import Message
from shared.functions.broadcast.validation import Name
from shared.rest.retry import RetryPolicy
from shared.settings.hubs import Hubs
from tests.scripted_service import Received, Reply, scripted_service


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        return AccessToken("e30.e30.sig", 2**40)


def message(target: str, user: str = "") -> Delivery:
    sent = Message(target=target, user_id=Name(user)) if user else Message(target=target)
    return sent.delivery("chat", RawJson(b"[]"))


async def send(
    deliveries: list[Delivery], answer: Callable[[Received], Reply]
) -> tuple[list[Outcome], list[Received]]:
    with scripted_service(answer) as service:
        async with SignalRServiceClient(
            service.url, Credential(), policy=RetryPolicy(attempts=1)
        ) as client:
            return await deliver(client, deliveries), service.received


def accepted(_: Received) -> Reply:
    return Reply(202)


def targets(received: list[Received]) -> list[str]:
    return [each.body.decode().split('"')[3] for each in received]


async def test_messages_to_one_recipient_arrive_in_order() -> None:
    messages = [message(f"m{n}", "ann") for n in range(30)]
    outcomes, received = await send(messages, accepted)
    assert outcomes == [Outcome()] * 30
    assert targets(received) == [f"m{n}" for n in range(30)]


async def test_different_recipients_are_served_at_the_same_time() -> None:
    together = threading.Barrier(8)

    def answer(_: Received) -> Reply:
        together.wait(timeout=10)
        return Reply(202)

    outcomes, _ = await send([message("m", f"u{n}") for n in range(8)], answer)
    assert outcomes == [Outcome()] * 8


async def test_a_message_to_everyone_keeps_its_place_among_all() -> None:
    messages = [
        message("before", "ann"),
        message("before", "bob"),
        message("everyone"),
        message("after", "ann"),
        message("after", "cid"),
        message("everyone again"),
    ]
    _, received = await send(messages, accepted)
    assert targets(received) == [
        "before", "before", "everyone", "after", "after", "everyone again",
    ]  # fmt: skip


async def test_each_message_has_its_own_outcome() -> None:
    def answer(request: Received) -> Reply:
        return Reply(400 if b"bad" in request.body else 503 if b"busy" in request.body else 202)

    outcomes, _ = await send(
        [message("good", "a"), message("bad", "a"), message("busy", "b")], answer
    )
    assert outcomes[0].error is None
    assert isinstance(outcomes[1].error, UnexpectedResponseError)
    assert isinstance(outcomes[2].error, ServiceUnavailableError)


@pytest.mark.parametrize(
    ("sent", "to", "path"),
    [
        (
            Message(target="t", arguments=(1,), excluded=[Name("c1")]),
            EVERYONE,
            "/api/hubs/chat/:send?excluded=c1&api-version=2022-06-01",
        ),
        (
            Message(target="t", arguments=(1,), group_name=Name("g"), excluded=[Name("c1")]),
            Recipient(RecipientKind.GROUP, "g"),
            "/api/hubs/chat/groups/g/:send?excluded=c1&api-version=2022-06-01",
        ),
        (
            Message(target="t", arguments=(1,), user_id=Name("ann")),
            Recipient(RecipientKind.USER, "ann"),
            "/api/hubs/chat/users/ann/:send?api-version=2022-06-01",
        ),
        (
            Message(target="t", arguments=(1,), connection_id=Name("c")),
            Recipient(RecipientKind.CONNECTION, "c"),
            "/api/hubs/chat/connections/c/:send?api-version=2022-06-01",
        ),
    ],
)
async def test_requests_of_messages(sent: Message, to: Recipient, path: str) -> None:
    delivery = sent.delivery("chat", RawJson(b"[1]"))
    assert delivery.recipient == to
    _, (received,) = await send([delivery], accepted)
    assert (received.method, received.path) == ("POST", path)
    assert received.body == b'{"target":"t","arguments":[1]}'


ARGUMENTS = (
    b"[12.50, 1234567890123456.789,0.1234567890123456789, 1E2,-0.0,"
    b'123456789012345678901234567890,"\\u00e4\\/", {"a" : [ ]}]'
)


@pytest.mark.parametrize(
    "body",
    [
        b'{"target":"t","arguments":' + ARGUMENTS + b"}",
        b'\xef\xbb\xbf [{"argu\\u006dents" : ' + ARGUMENTS + b', "target" : "t"}]',
        f'{{"target":"t","arguments":{ARGUMENTS.decode()}}}'.encode("utf-16"),
        b'{"target":"t","userId":"ann","arguments":' + ARGUMENTS + b"}",
    ],
)
async def test_arguments_go_on_as_they_were_written(body: bytes) -> None:
    with scripted_service(accepted) as service:
        async with SignalRServiceClient(service.url, Credential()) as client:
            broadcast = broadcast_handlers(client, Hubs.of(("chat",)))["broadcast"]
            answer = await broadcast(func.HttpRequest("POST", "/api/broadcast", body=body))
        (received,) = service.received
    assert answer.status_code == 202
    assert received.body == b'{"target":"t","arguments":' + ARGUMENTS + b"}"


async def test_a_message_without_arguments_has_none() -> None:
    body = b'[{"target":"t"},{"target":"t","arguments":[1.0]}]'
    with scripted_service(accepted) as service:
        async with SignalRServiceClient(service.url, Credential()) as client:
            broadcast = broadcast_handlers(client, Hubs.of(("chat",)))["broadcast"]
            await broadcast(func.HttpRequest("POST", "/api/broadcast", body=body))
        sent = [each.body for each in service.received]
    assert sent == [b'{"target":"t","arguments":[]}', b'{"target":"t","arguments":[1.0]}']


ANN = Name("ann")
CONNECTION = Name("c")
GROUP = Name("g/1")


@pytest.mark.parametrize(
    ("action", "request_line", "status"),
    [
        (
            GroupAction(action="add", group_name=GROUP, user_id=ANN, ttl=0),
            "PUT /api/hubs/news/users/ann/groups/g%2F1?ttl=0&",
            200,
        ),
        (
            GroupAction(action="add", group_name=GROUP, user_id=ANN),
            "PUT /api/hubs/news/users/ann/groups/g%2F1?",
            200,
        ),
        (
            GroupAction(action="remove", group_name=GROUP, user_id=ANN),
            "DELETE /api/hubs/news/users/ann/groups/g%2F1?",
            204,
        ),
        (
            GroupAction(action="removeAll", user_id=ANN),
            "DELETE /api/hubs/news/users/ann/groups?",
            204,
        ),
        (
            GroupAction(action="add", group_name=GROUP, connection_id=CONNECTION),
            "PUT /api/hubs/news/groups/g%2F1/connections/c?",
            200,
        ),
        (
            GroupAction(action="remove", group_name=GROUP, connection_id=CONNECTION),
            "DELETE /api/hubs/news/groups/g%2F1/connections/c?",
            200,
        ),
        (
            GroupAction(action="removeAll", connection_id=CONNECTION),
            "DELETE /api/hubs/news/connections/c/groups?",
            200,
        ),
    ],
)
async def test_requests_of_group_actions(
    action: GroupAction, request_line: str, status: int
) -> None:
    outcomes, (received,) = await send([action.delivery("news")], lambda _: Reply(status))
    assert outcomes == [Outcome()]
    asked = f"{received.method} {received.path}"
    assert asked == f"{request_line}api-version=2022-06-01"


async def test_actions_for_one_user_keep_their_order() -> None:
    actions = [
        GroupAction(action="removeAll", user_id=ANN),
        GroupAction(action="add", group_name=GROUP, user_id=ANN),
        GroupAction(action="remove", group_name=GROUP, user_id=ANN),
    ] * 5
    _, received = await send(
        [each.delivery("chat") for each in actions],
        lambda request: Reply(200 if request.method == "PUT" else 204),
    )
    paths = ["/users/ann/groups?", "/users/ann/groups/g%2F1?", "/users/ann/groups/g%2F1?"] * 5
    assert [each.path.split("chat")[1].split("api-")[0] for each in received] == paths
    assert [each.method for each in received] == ["DELETE", "PUT", "DELETE"] * 5


async def test_a_connection_that_is_gone_cannot_be_added() -> None:
    gone = Reply(404, {"x-ms-error-code": "Error.Connection.NotExisted"})
    action = GroupAction(action="add", group_name=GROUP, connection_id=CONNECTION)
    (outcome,), _ = await send([action.delivery("chat")], lambda _: gone)
    assert isinstance(outcome.error, ConnectionNotFoundError)


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("?hub=tenant_7", 202, ""),
        ("", 400, "#/hub is missing, and this app has no default hub."),
        ("?hub=other", 400, "hub is not a hub of this app."),
    ],
)
async def test_the_hub_of_the_query_is_that_of_items_that_name_none(
    query: str, status: int, told: str
) -> None:
    with scripted_service(accepted) as service:
        async with SignalRServiceClient(service.url, Credential()) as client:
            broadcast = broadcast_handlers(client, Hubs.of(["tenant_*"]))["broadcast"]
            url = f"/api/broadcast{query}"
            answer = await broadcast(func.HttpRequest("POST", url, body=b'{"target":"t"}'))
        sent = [each.path for each in service.received]
    assert answer.status_code == status
    assert told in answer.get_body().decode()
    assert sent == (["/api/hubs/tenant_7/:send?api-version=2022-06-01"] if status == 202 else [])


async def test_a_request_about_one_hub_has_to_name_it() -> None:
    async with SignalRServiceClient("http://127.0.0.1:1", Credential()) as client:
        handler = broadcast_handlers(client, Hubs.of(["tenant_*"]))["group_connections"]
        request = func.HttpRequest(
            "GET", "/api/groups/g/connections", route_params={"groupName": "g"}, body=b""
        )
        answer = await handler(request)
    assert (answer.status_code, b"hub is missing." in answer.get_body()) == (400, True)
