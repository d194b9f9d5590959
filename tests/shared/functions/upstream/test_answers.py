"""The upstream function as a whole, with calls that a local service has signed."""

import asyncio
import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, cast

import azure.functions as func
import msgspec
import pytest

from shared.aio import SignalRServiceClient
from shared.functions.events.errors import ClientError
from shared.functions.events.event import ConnectedEvent, DisconnectedEvent, MessageEvent
from shared.functions.events.registry import Events
from shared.functions.upstream.handlers import upstream_handlers
from shared.functions.upstream.settings import UpstreamSettings
from shared.settings.credential import CredentialSettings
from shared.settings.hubs import Hubs

KEY = b"k" * 44
HUBS = Hubs.of(("chat", "news"))
SERVICE = SignalRServiceClient("http://127.0.0.1:1", CredentialSettings())

type Upstream = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

events = Events()
seen: list[object] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


@events.on_connected("chat")
async def connected(event: ConnectedEvent, service: SignalRServiceClient) -> None:
    seen.append((event, service))


@events.on_disconnected("chat")
def disconnected(event: DisconnectedEvent) -> None:
    seen.append((event, threading.current_thread() is threading.main_thread()))


@events.on_message("chat", "add")
async def add(event: MessageEvent, one: int, other: int) -> int:
    seen.append(event)
    return one + other


@events.on_message("chat", "thread")
def thread(event: MessageEvent) -> bool:
    seen.append(event)
    return threading.current_thread() is threading.main_thread()


@events.on_message("chat", "refuse")
async def refuse(event: MessageEvent) -> None:
    seen.append(event)
    raise ClientError("The room is full.")


@events.on_message("chat", "crash")
async def crash(event: MessageEvent) -> None:
    seen.append(event)
    raise RuntimeError("password=hunter2")


@events.on_message("chat", "odd")
async def odd(event: MessageEvent) -> object:
    seen.append(event)
    return object()


@events.on_message("chat", "half")
async def half(event: MessageEvent, number: float) -> list[dict[str, float]]:
    seen.append(event)
    return [{"half": number / 2}]


@events.on_message("chat", "tell")
async def tell(event: MessageEvent, service: SignalRServiceClient, number: float) -> None:
    await service.send_to_all(event.hub, "told", [{"number": number}])


@events.on_message("chat", "nothing")
async def nothing(event: MessageEvent) -> None:
    seen.append(event)


@events.on_message("chat", "digits")
async def digits(event: MessageEvent, *values: Decimal) -> tuple[Decimal, ...]:
    seen.append(event)
    return values


@events.on_message("chat", "echo")
async def echo(event: MessageEvent, *values: object) -> object:
    seen.append(event)
    return values


@events.on_message("chat", "a/b")
@events.on_message("chat", "a%2Fb")
@events.on_message("chat", "grüße")
async def named(event: MessageEvent) -> str:
    return event.target


@events.on_connected("news")
async def failing(event: ConnectedEvent) -> None:
    seen.append(event)
    raise ClientError("Nobody is told.")


def function(handlers: Events = events) -> Upstream:
    verification = UpstreamSettings(access_keys=(KEY,))
    return upstream_handlers(SERVICE, HUBS, verification, handlers)["upstream"]


def request(
    category: str = "messages",
    event: str = "add",
    body: bytes = b"",
    *,
    hub: str = "chat",
    route: Mapping[str, str] | None = None,
    method: str = "POST",
    **headers: str | None,
) -> func.HttpRequest:
    named = {
        "content-type": "application/json",
        "x-asrs-connection-id": "c1",
        "x-asrs-hub": hub,
        "x-asrs-category": category,
        "x-asrs-event": event,
        "x-asrs-signature": "sha256=" + hmac.digest(KEY, b"c1", hashlib.sha256).hex(),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest(
        method=method,
        url="/api/upstream",
        headers={name: value for name, value in named.items() if value is not None},
        route_params={"hub": hub, "category": category, "event": event} | dict(route or {}),
        body=body,
    )


def invocation(target: str, *arguments: object, id: str | None = "7") -> bytes:  # noqa: A002  the protocol's own
    message = {"type": 1, "invocationId": id, "target": target, "arguments": arguments}
    return json.dumps(message).encode()


async def call(target: str, *arguments: object, id: str | None = "7") -> func.HttpResponse:  # noqa: A002  the protocol's own
    return await function()(request(event=target, body=invocation(target, *arguments, id=id)))


def completion(answer: func.HttpResponse) -> Any:  # noqa: ANN401  JSON
    assert answer.status_code == 200
    body = answer.get_body()
    assert body.endswith(b"\x1e")
    message = json.loads(body[:-1])
    assert message.pop("type") == 3
    assert message.pop("invocationId") == "7"
    return message


def problem(answer: func.HttpResponse) -> tuple[int, str]:
    assert answer.mimetype == "application/problem+json"
    return answer.status_code, json.loads(answer.get_body())["detail"]


async def test_a_client_that_has_connected() -> None:
    answer = await function()(
        request(
            "connections",
            "connected",
            b"",
            x_asrs_user_id="ann",
            x_asrs_user_claims="role: a, role: b, name: Doe, Ann",
            x_asrs_client_query="?room=1&room=2&empty=&name=J%C3%B6&ids=7",
        )
    )
    assert (answer.status_code, answer.get_body()) == (200, b"")
    expected = ConnectedEvent(
        hub="chat",
        connection_id="c1",
        user_id="ann",
        claims={"role": ("a", "b"), "name": ("Doe, Ann",)},
        query={"room": ("1", "2"), "empty": ("",), "name": ("Jö",), "ids": ("7",)},
    )
    assert seen == [(expected, SERVICE)]


@pytest.mark.parametrize("change", [{}, {"x_asrs_event": "other"}, {"x_asrs_signature": "sha256="}])
async def test_the_tokens_of_a_client_reach_neither_handlers_nor_logs(
    change: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    query = "?id=secret-1&hub=chat&access_token=secret-2&Access_Token=secret-3&ID=secret-4"
    named: dict[str, Any] = {"x_asrs_client_query": query} | change
    answer = await function()(request("connections", "connected", **named))
    assert b"secret" not in answer.get_body()
    assert "secret" not in caplog.text
    for event, _ in cast("list[tuple[ConnectedEvent, object]]", seen):
        assert event.query == {"hub": ("chat",)}
    assert len(seen) == (not change)


@pytest.mark.parametrize(
    ("body", "error"), [(b"", None), (b'{"type":11}', None), (b'{"Type":11,"Error":"e"}', "e")]
)
async def test_a_client_that_is_gone(body: bytes, error: str | None) -> None:
    answer = await function()(request("connections", "disconnected", body))
    assert (answer.status_code, answer.get_body()) == (200, b"")
    assert seen == [(DisconnectedEvent(hub="chat", connection_id="c1", error=error), False)]


async def test_hubs_of_the_own_application_have_their_short_names() -> None:
    alice = SignalRServiceClient("http://127.0.0.1:1", CredentialSettings(), application="alice")
    verification = UpstreamSettings(access_keys=(KEY,))
    upstream = upstream_handlers(alice, HUBS, verification, events)["upstream"]

    answer = await upstream(request("connections", "disconnected", hub="Alice_Chat"))
    assert answer.status_code == 200
    assert seen == [(DisconnectedEvent(hub="chat", connection_id="c1", error=None), False)]

    for hub in ("chat", "bob_chat", "alicechat"):
        refused = problem(await upstream(request("connections", "disconnected", hub=hub)))
        assert refused == (404, "This app serves the hubs of the application alice only.")
    unknown = problem(await upstream(request("connections", "disconnected", hub="alice_other")))
    assert unknown == (404, "This app serves no such hub.")
    assert len(seen) == 1


async def test_an_event_of_connections_without_a_handler() -> None:
    answer = await function()(request("connections", "disconnected", hub="news"))
    assert answer.status_code == 200


async def test_a_handler_of_connections_that_fails() -> None:
    answer = await function()(request("connections", "connected", hub="news"))
    assert problem(answer)[0] == 400
    assert len(seen) == 1


async def test_a_result_goes_back_to_the_client() -> None:
    answer = await call("add", 1, 2)
    assert answer.headers["Content-Type"] == "application/json"
    assert completion(answer) == {"result": 3}
    assert completion(await call("ADD", 1, 2)) == {"result": 3}
    assert completion(await call("thread")) == {"result": False}


async def test_messagepack() -> None:
    body = msgspec.msgpack.encode([1, {}, "7", "add", [1, 2], []])
    answer = await function()(request(body=body, content_type="application/x-msgpack"))
    assert answer.headers["Content-Type"] == "application/x-msgpack"
    written = answer.get_body()
    assert written[0] == len(written) - 1
    assert msgspec.msgpack.decode(written[1:]) == [3, {}, "7", 3, 3]


@pytest.mark.parametrize(
    ("target", "arguments", "error", "status"),
    [
        ("add", [1], "Argument 2 (other) is missing.", 400),
        ("add", [1, "2"], "Argument 2 (other): Expected `int`, got `str`", 400),
        ("add", [1, 2, 3], "Argument 3 is one too many.", 400),
        ("none", [], "This hub has no method 'none'.", 404),
        ("connected", [], "This hub has no method 'connected'.", 404),
        ("__init__", [], "This hub has no method '__init__'.", 404),
        ("refuse", [], "The room is full.", 400),
        ("crash", [], "The method failed.", 500),
        (
            "odd",
            [],
            "The method failed: result cannot be written as JSON: it is a value of type object.",
            500,
        ),
    ],
)
async def test_errors_go_to_the_client_that_waits_and_to_the_service_otherwise(
    target: str, arguments: list[object], error: str, status: int
) -> None:
    assert completion(await call(target, *arguments)) == {"error": error}
    waiting = len(seen)
    answer = await call(target, *arguments, id=None)
    if target == "odd":
        assert (answer.status_code, answer.get_body()) == (200, b"")
    else:
        assert problem(answer) == (status, error)
    assert len(seen) == 2 * waiting


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("tell", "arguments cannot be written as JSON: [0]['number'] is Infinity."),
        ("half", None),
    ],
)
async def test_a_number_that_only_messagepack_has(target: str, error: str | None) -> None:
    body = msgspec.msgpack.encode([1, {}, "7", target, [float("inf")], []])
    answer = await function()(
        request(event=target, body=body, content_type="application/x-msgpack")
    )
    message = msgspec.msgpack.decode(answer.get_body()[1:])
    outcome = [3, [{"half": float("inf")}]] if error is None else [1, f"The method failed: {error}"]
    assert message == [3, {}, "7", *outcome]


async def test_a_method_that_returns_nothing_completes_with_null() -> None:
    assert completion(await call("nothing")) == {"result": None}
    body = msgspec.msgpack.encode([1, {}, "7", "nothing", [], []])
    packed = await function()(
        request(event="nothing", body=body, content_type="application/x-msgpack")
    )
    assert msgspec.msgpack.decode(packed.get_body()[1:]) == [3, {}, "7", 3, None]


async def test_numbers_keep_their_digits_on_the_way_through_a_handler() -> None:
    digits = "[12.50,0.1234567890123456789,1234567890123456.789,123456789012345678901234567890]"
    text = f'{{"type":1,"invocationId":"7","target":"digits","arguments":{digits}}}'
    answer = await function()(request(event="digits", body=text.encode()))
    written = f'{{"type":3,"invocationId":"7","result":{digits}}}\x1e'
    assert answer.get_body() == written.encode()


IN_JSON = (
    "application/json",
    b'{"type":1,"invocationId":"7","target":"echo","arguments":[1,',
    b"]}",
)
IN_MESSAGEPACK = ("application/x-msgpack", b"\x96\x01\x80\xa17\xa4echo\x92\x01", b"\x90")


@pytest.mark.parametrize(
    ("message", "argument"),
    [
        (IN_JSON, b'"\\ud83d"'),
        (IN_JSON, b"1e999"),
        (IN_MESSAGEPACK, b"\xa1\xff"),
        (IN_MESSAGEPACK, b"\x81\x81\x01\x02\x03"),
        (IN_MESSAGEPACK, b"\xc7\x0c\xff" + bytes(4) + (2**40).to_bytes(8)),
    ],
)
async def test_an_argument_that_python_cannot_hold_fails_its_invocation_alone(
    message: tuple[str, bytes, bytes], argument: bytes
) -> None:
    content_type, before, after = message
    body = before + argument + after
    answer = await function()(request(event="echo", body=body, content_type=content_type))
    assert answer.status_code == 200
    assert b"Argument 2 (values) " in answer.get_body()
    assert seen == []
    waiting_for_nothing = body.replace(b'"invocationId":"7",', b"").replace(b"\xa17", b"\xc0")
    unasked = await function()(
        request(event="echo", body=waiting_for_nothing, content_type=content_type)
    )
    assert problem(unasked)[1].startswith("Argument 2 (values) ")


async def test_a_handler_that_fails_is_in_the_log_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await call("crash")
    assert b"hunter2" not in answer.get_body()
    (record,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert record.getMessage() == "The handler crash failed"
    assert record.exc_info


async def test_a_client_that_does_not_wait() -> None:
    answer = await call("add", 1, 2, id=None)
    assert (answer.status_code, answer.get_body()) == (200, b"")
    assert len(seen) == 1


@pytest.mark.parametrize("more", [{"type": 4}, {"streamIds": ["1"]}])
async def test_streams(more: dict[str, object]) -> None:
    body = json.dumps(json.loads(invocation("add", 1, 2)) | more).encode()
    answer = await function()(request(body=body))
    assert completion(answer) == {"error": "This hub has no streams."}
    assert seen == []


@pytest.mark.parametrize(
    ("target", "route"),
    [("a/b", "a%2Fb"), ("a%2Fb", "a%2Fb"), ("grüße", "grüße"), ("GRÜSSE", None)],
)
async def test_names_of_methods(target: str, route: str | None) -> None:
    answer = await function()(
        request(event=target, route={"event": route or target}, body=invocation(target))
    )
    expected = {"result": target} if route else {"error": "This hub has no method 'GRÜSSE'."}
    assert completion(answer) == expected


async def test_a_client_is_told_that_it_has_said_too_much() -> None:
    text = "x" * (1024 * 1024)
    body = invocation("add", text)
    error = f"The message is {len(body)} bytes long; 1048576 are accepted."
    assert completion(await call("add", text)) == {"error": error}
    assert seen == []


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"x_asrs_hub": None}, 400),
        ({"x_asrs_category": None}, 400),
        ({"x_asrs_event": None}, 400),
        ({"x_asrs_event": ""}, 400),
        ({"x_asrs_hub": "news"}, 400),
        ({"x_asrs_category": "connections"}, 400),
        ({"x_asrs_event": "crash"}, 400),
        ({"x_asrs_event": "add,crash"}, 400),
        ({"route": {"hub": "news"}}, 400),
        ({"route": {"event": "crash"}}, 400),
        ({"route": {"event": "../messages/add"}}, 400),
        ({"route": {"event": "%61dd"}}, 400),
        ({"route": {"event": "add\x00"}}, 400),
        ({"route": {"event": "add/"}}, 400),
        ({"route": {}, "hub": "other"}, 404),
        ({"hub": "chat/../news"}, 404),
        ({"category": "Other"}, 404),
        ({"category": "connections", "event": "reconnected"}, 404),
        ({"content_type": None}, 415),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/jsonx"}, 415),
        ({"body": invocation("add", "x" * 1024 * 1024, id=None)}, 413),
        ({"category": "connections", "event": "disconnected", "body": b" " * 1_048_577}, 413),
        ({"body": b"{"}, 400),
        ({"body": invocation("crash")}, 400),
        ({"content_type": "application/x-msgpack"}, 400),
        ({"category": "connections", "event": "disconnected", "body": b"{"}, 400),
        ({"method": "GET"}, 405),
    ],
)
async def test_calls_that_cannot_be_served(changed: dict[str, Any], status: int) -> None:
    answer = await function()(request(**({"body": invocation("add", 1, 2)} | changed)))
    assert problem(answer)[0] == status
    assert seen == []


@pytest.mark.parametrize(
    "changed",
    [
        {"x_asrs_signature": None},
        {"x_asrs_connection_id": "c2"},
        {"x_asrs_connection_id": None},
        {"x_asrs_connection_id": None, "body": b"{"},
        {"content_type": "text/plain", "x_asrs_signature": "sha256="},
        {"hub": "other", "x_asrs_signature": "sha256="},
    ],
)
async def test_a_call_that_proves_nothing_is_not_even_read(changed: dict[str, Any]) -> None:
    answer = await function()(request(**({"body": invocation("add", 1, 2)} | changed)))
    assert problem(answer)[0] == 401
    assert answer.headers["WWW-Authenticate"]
    assert seen == []


async def test_a_content_type_with_parameters() -> None:
    answer = await function()(
        request(body=invocation("add", 1, 2), content_type="Application/JSON; charset=utf-8")
    )
    assert completion(answer) == {"result": 3}


async def test_calls_are_answered_side_by_side() -> None:
    both = asyncio.Barrier(2)
    together = Events()

    @together.on_message("chat", "meet")
    async def meet(event: MessageEvent) -> str:
        await both.wait()
        return event.connection_id

    calls = [function(together)(request(event="meet", body=invocation("meet"))) for _ in range(2)]
    assert [completion(each) for each in await asyncio.gather(*calls)] == [{"result": "c1"}] * 2
