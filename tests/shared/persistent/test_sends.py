"""What is sent by a server connection, as the service reads it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum

import msgspec
import pytest

from shared.bodies.values import as_json
from shared.errors import InvalidArgumentError
from shared.persistent.aio import PersistentSender
from shared.service_protocol.codec import Frames
from shared.service_protocol.items import Pairs
from shared.service_protocol.messages import CloseConnection, Message
from shared.service_protocol.sends import (
    BroadcastData,
    GroupBroadcastData,
    MultiConnectionData,
    MultiGroupBroadcastData,
    MultiUserData,
    UserData,
)
from tests.shared.persistent.stub_service import StubService


class Kind(Enum):
    ONE = "one"


class Sort(StrEnum):
    ONE = "one"


class Order(IntEnum):
    FIRST = 1


class Text(str):
    """A text of a class of its own, as a library's names are."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another text"


class Whole(int):
    """A number of a class of its own."""


class Real(float):
    """As above."""


@dataclass
class Point:
    x: int
    name: str


type Send = Callable[[PersistentSender], Awaitable[None]]


def calls(payloads: Pairs[bytes]) -> dict[str, object]:
    """Read the hub messages of clients of both protocols."""
    written = dict(payloads)
    (body,) = Frames().feed(written["messagepack"])
    assert written["json"].endswith(b"\x1e")
    return {"json": json.loads(written["json"][:-1]), "messagepack": msgspec.msgpack.decode(body)}


SENDS: list[tuple[Send, Message]] = [
    (
        lambda sender: sender.send_to_all("chat", "news", ["Hi"], excluded=["c1", "c2"]),
        BroadcastData(excluded=("c1", "c2"), payloads=()),
    ),
    (
        lambda sender: sender.send_to_user("chat", "ann", "news", ["Hi"]),
        UserData(user_id="ann", payloads=()),
    ),
    (
        lambda sender: sender.send_to_users("chat", ["ann", "bob"], "news", ["Hi"]),
        MultiUserData(user_ids=("ann", "bob"), payloads=()),
    ),
    (
        lambda sender: sender.send_to_group("chat", "red", "news", ["Hi"], excluded=["c1"]),
        GroupBroadcastData(group="red", excluded=("c1",), payloads=()),
    ),
    (
        lambda sender: sender.send_to_groups("chat", ["red", "blue"], "news", ["Hi"]),
        MultiGroupBroadcastData(groups=("red", "blue"), payloads=()),
    ),
    (
        lambda sender: sender.send_to_connection("chat", "c1", "news", ["Hi"]),
        MultiConnectionData(connection_ids=("c1",), payloads=()),
    ),
    (
        lambda sender: sender.send_to_connections("chat", ["c1", "c2"], "news", ["Hi"]),
        MultiConnectionData(connection_ids=("c1", "c2"), payloads=()),
    ),
]


@pytest.mark.parametrize(("send", "expected"), SENDS)
async def test_a_message_goes_in_both_hub_protocols(
    send: Send, expected: Message, sender: PersistentSender, service: StubService
) -> None:
    await send(sender)
    (message,) = await service.heard(type(expected))
    assert calls(message.payloads) == {  # type: ignore[attr-defined]  # each has them
        "json": {"type": 1, "target": "news", "arguments": ["Hi"]},
        "messagepack": [1, {}, None, "news", ["Hi"], []],
    }
    assert msgspec.structs.replace(message, payloads=()) == expected


async def test_clients_of_messagepack_get_what_json_cannot_say(
    sender: PersistentSender, service: StubService
) -> None:
    await sender.send_to_user(
        "chat", "ann", "news", [b"\x00\xff", datetime(2026, 1, 2, tzinfo=UTC)]
    )
    (message,) = await service.heard(UserData)
    written = calls(message.payloads)
    assert written["json"] == {
        "type": 1, "target": "news", "arguments": ["AP8=", "2026-01-02T00:00:00Z"],
    }  # fmt: skip
    assert written["messagepack"] == [
        1, {}, None, "news", [b"\x00\xff", datetime(2026, 1, 2, tzinfo=UTC)], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        "null", "NaN", "Infinity", "1E+5", 'a "quoted"\\ \x00\x1f\x7f \u2028 \U0001f600', "",
        None, [None], True, 0, -1, 2**64 - 1, 1e16, -0.0, 0.1, [], {},
        {"null": [1.5, {"a": None}]}, {2: "a", True: "b", None: "c"}, (1, 2),
        Decimal("1.10"), Decimal("1E+5"), [Decimal(0), "E+"],
        b"\x00\xff", datetime(2026, 1, 2, tzinfo=UTC), Kind.ONE, Point(1, "b"),
        Text("a"), {"a": Text("b")}, {Text("a"): Whole(1)}, Real(1.5), Sort.ONE, Order.FIRST,
    ],
)  # fmt: skip
async def test_json_says_what_the_service_client_says(
    value: object, sender: PersistentSender, service: StubService
) -> None:
    await sender.send_to_all("chat", "news", [value])
    (message,) = await service.heard(BroadcastData)
    sent = json.loads(dict(message.payloads)["json"][:-1], parse_float=Decimal)
    expected = json.loads(as_json("arguments", [value]), parse_float=Decimal)
    assert repr(sent["arguments"]) == repr(expected)
    (body,) = Frames().feed(dict(message.payloads)["messagepack"])
    assert len(msgspec.msgpack.decode(body)[4]) == 1


async def test_names_may_be_texts_of_a_class_of_their_own(
    sender: PersistentSender, service: StubService
) -> None:
    await sender.send_to_user("chat", Text("ann"), Text("news"))
    await sender.send_to_users(Text("chat"), [Text("bob")], "news")
    (one,), (some,) = await service.heard(UserData), await service.heard(MultiUserData)
    assert (one.user_id, some.user_ids) == ("ann", ("bob",))
    assert calls(one.payloads)["json"] == {"type": 1, "target": "news", "arguments": []}


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), [float("inf")], {"a": float("-inf")}, Decimal("NaN"), Decimal("-Infinity"),
        Decimal("1E+400"), "\ud800", object(),
    ],
)  # fmt: skip
async def test_what_json_cannot_hold_is_refused_as_by_the_service_client(
    value: object, sender: PersistentSender
) -> None:
    with pytest.raises(InvalidArgumentError) as expected:
        as_json("arguments", [value])
    with pytest.raises(InvalidArgumentError) as refused:
        await sender.send_to_all("chat", "news", [value])
    assert str(refused.value) == str(expected.value)


async def test_messages_to_one_user_keep_their_order(
    sender: PersistentSender, service: StubService
) -> None:
    for number in range(200):
        await sender.send_to_user("chat", "ann", "news", [number])
    sent = await service.heard(UserData, 200)
    numbers = [calls(each.payloads)["json"]["arguments"][0] for each in sent]  # type: ignore[index]
    assert numbers == list(range(200))


async def test_a_connection_is_closed_with_a_reason(
    sender: PersistentSender, service: StubService
) -> None:
    await sender.close_connection("chat", "c1", reason="Bye")
    assert await service.heard(CloseConnection) == [
        CloseConnection(connection_id="c1", error="Bye")
    ]


@pytest.mark.parametrize(
    ("send", "argument"),
    [
        (lambda sender: sender.send_to_user("chat", "", "news"), "user_id"),
        (lambda sender: sender.send_to_users("chat", [], "news"), "user_ids"),
        (lambda sender: sender.send_to_users("chat", "ann", "news"), "user_ids"),
        (lambda sender: sender.send_to_groups("chat", ["red", ""], "news"), "groups"),
        (lambda sender: sender.send_to_connections("chat", ["a\n"], "news"), "connection_ids"),
        (lambda sender: sender.send_to_all("chat", ""), "target"),
        (lambda sender: sender.send_to_all("chat", "news", "Hi"), "arguments"),
        (lambda sender: sender.send_to_all("chat", "news", [float("nan")]), "arguments"),
        (lambda sender: sender.send_to_all("1", "news"), "hub"),
        (lambda sender: sender.add_user_to_group("chat", "red", "ann", ttl=-1), "ttl"),
        (lambda sender: sender.add_user_to_group("chat", "red", "ann", ttl=1 << 31), "ttl"),
        (lambda sender: sender.connection_claims("chat", " "), "connection_token"),
    ],
)
async def test_what_cannot_be_sent_is_refused_by_name(
    send: Send, argument: str, sender: PersistentSender, service: StubService
) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        await send(sender)
    assert refused.value.argument == argument
    assert service.received == []


async def test_what_the_protocol_has_not_names_the_client_that_has_it(
    sender: PersistentSender,
) -> None:
    with pytest.raises(AttributeError, match="SignalRServiceClient"):
        getattr(sender, "execute")  # noqa: B009  types do not know it
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(sender, "nonsense")  # noqa: B009  as above
