"""Order and outcomes of a list of messages, against a real HTTP service."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from broadcast.delivery import Outcome, deliver
from broadcast.messages import Message, RecipientKind
from shared.aio import SignalRServiceClient
from shared.errors import ServiceUnavailableError, UnexpectedResponseError
from shared.retry import RetryPolicy
from tests.scripted_service import Received, Reply, scripted_service

EVERYONE = (RecipientKind.EVERYONE, "")


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        return AccessToken("e30.e30.sig", 2**40)


def message(target: str, to: tuple[RecipientKind, str] = EVERYONE) -> Message:
    return Message("chat", *to, target, (), ())


def user(name: str) -> tuple[RecipientKind, str]:
    return (RecipientKind.USER, name)


async def send(
    messages: list[Message], answer: Callable[[Received], Reply]
) -> tuple[list[Outcome], list[Received]]:
    with scripted_service(answer) as service:
        async with SignalRServiceClient(
            service.url, Credential(), policy=RetryPolicy(attempts=1)
        ) as client:
            return await deliver(client, messages), service.received


def accepted(_: Received) -> Reply:
    return Reply(202)


def targets(received: list[Received]) -> list[str]:
    return [each.body.decode().split('"')[3] for each in received]


async def test_messages_to_one_recipient_arrive_in_order() -> None:
    messages = [message(f"m{n}", user("ann")) for n in range(30)]
    outcomes, received = await send(messages, accepted)
    assert outcomes == [Outcome()] * 30
    assert targets(received) == [f"m{n}" for n in range(30)]


async def test_different_recipients_are_served_at_the_same_time() -> None:
    together = threading.Barrier(8)

    def answer(_: Received) -> Reply:
        together.wait(timeout=10)
        return Reply(202)

    outcomes, _ = await send([message("m", user(f"u{n}")) for n in range(8)], answer)
    assert outcomes == [Outcome()] * 8


async def test_a_message_to_everyone_keeps_its_place_among_all() -> None:
    messages = [
        message("before", user("ann")),
        message("before", user("bob")),
        message("everyone"),
        message("after", user("ann")),
        message("after", user("cid")),
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
        [message("good", user("a")), message("bad", user("a")), message("busy", user("b"))], answer
    )
    assert outcomes[0].error is None
    assert isinstance(outcomes[1].error, UnexpectedResponseError)
    assert isinstance(outcomes[2].error, ServiceUnavailableError)


@pytest.mark.parametrize(
    ("to", "path"),
    [
        (EVERYONE, "/api/hubs/chat/:send?excluded=c1&api-version=2022-06-01"),
        (
            (RecipientKind.GROUP, "g"),
            "/api/hubs/chat/groups/g/:send?excluded=c1&api-version=2022-06-01",
        ),
        (user("ann"), "/api/hubs/chat/users/ann/:send?api-version=2022-06-01"),
        (
            (RecipientKind.CONNECTION, "c"),
            "/api/hubs/chat/connections/c/:send?api-version=2022-06-01",
        ),
    ],
)
async def test_paths(to: tuple[RecipientKind, str], path: str) -> None:
    _, (received,) = await send([Message("chat", *to, "t", (1,), ("c1",))], accepted)
    assert received.path == path
    assert received.body == b'{"target":"t","arguments":[1]}'
