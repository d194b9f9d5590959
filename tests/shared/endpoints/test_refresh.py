"""Renewing the authentication of a connection that one of two endpoints has, with both clients."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import jwt
import pytest

from shared import (
    ClientAccess,
    ConnectionClaim,
    ConnectionNotFoundError,
    ConnectionOptions,
    ConnectionUserMismatchError,
    Endpoint,
    EndpointsError,
    InvalidArgumentError,
    PermissionDeniedError,
    RetryPolicy,
    SignalRServiceClient,
    TokenTooLargeError,
    UnexpectedResponseError,
    aio,
)
from shared.settings.credential import CredentialKind, CredentialSettings
from tests.scripted_service import Received, Reply, ScriptedService, scripted_service

SECRET = "the-connection-token"
UNKNOWN = Reply(404, {"x-ms-error-code": "ConnectionNotFound"})
HELD = [("asrs.s.uid", "ann"), ("asrs.s.aut", "test"), ("role", "a"), ("role", "b")]
CLIENTS = ("blocking", "awaitable")

type Call = Callable[..., Awaitable[Any]]
type Calling = Callable[..., Awaitable[Call]]


def claims(*pairs: tuple[str, str]) -> Reply:
    listed = [{"type": kind, "value": value} for kind, value in pairs]
    return Reply(200, body=json.dumps({"claims": listed}).encode())


def answering(reply: Reply) -> Callable[[Received], Reply]:
    return lambda request: Reply(200) if request.method == "HEAD" else reply


def key(name: str) -> CredentialSettings:
    return CredentialSettings(CredentialKind.ACCESS_KEY, access_key=name * 44)


@pytest.fixture
async def calling() -> AsyncIterator[Calling]:
    """Give what makes a client of some endpoints, whose keys are a, b and so on, and calls it."""
    async with contextlib.AsyncExitStack() as clients:

        async def made(kind: str, *services: ScriptedService) -> Call:
            names = "abc"[: len(services)]
            endpoints = [
                Endpoint(each.url, name=name) for each, name in zip(services, names, strict=True)
            ]
            keys = [key(name) for name in names]
            policy = RetryPolicy(first_delay=0)
            if kind == "awaitable":
                awaitable = await clients.enter_async_context(
                    aio.SignalRServiceClient(endpoints, keys, policy=policy)
                )
                return lambda method, *args, **kwargs: getattr(awaitable, method)(*args, **kwargs)
            blocking = clients.enter_context(SignalRServiceClient(endpoints, keys, policy=policy))
            return lambda method, *args, **kwargs: asyncio.to_thread(
                getattr(blocking, method), *args, **kwargs
            )

        yield made


async def refreshed(call: Call, **arguments: Any) -> ClientAccess:  # noqa: ANN401  the method's own
    access = await call("refresh_connection_authentication", "chat", SECRET, **arguments)
    assert isinstance(access, ClientAccess)
    return access


def signed_by(name: str, access: ClientAccess) -> dict[str, Any]:
    said: dict[str, Any] = jwt.decode(
        access.token, name * 44, algorithms=["HS256"], options={"verify_aud": False}
    )
    return said


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("other", [UNKNOWN, Reply(500), Reply(403, body=b"{}")])
async def test_the_endpoint_that_knows_the_token_signs_the_next_one(
    calling: Calling, kind: str, other: Reply
) -> None:
    with (
        scripted_service(answering(other)) as first,
        scripted_service(answering(claims(*HELD))) as second,
    ):
        call = await calling(kind, first, second)
        access = await refreshed(call)
        assert access.url == f"{second.url}/client/?hub=chat"
    assert access.lifetime == 3600
    said = signed_by("b", access)
    assert said.pop("iat") == said.pop("nbf") == said.pop("exp") - 3600
    assert said == {
        "aud": "http://127.0.0.1/client/?hub=chat",
        "asrs.s.uid": "ann",
        "asrs.s.aut": "test",
        "role": ["a", "b"],
    }


@pytest.mark.parametrize("kind", CLIENTS)
async def test_an_endpoint_that_says_nothing_spoils_nothing(
    calling: Calling, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.endpoints.several.GRACE", 0)
    released = threading.Event()

    def silent(request: Received) -> Reply:
        if request.method != "HEAD":
            released.wait(60)
        return Reply(200)

    with (
        scripted_service(silent) as first,
        scripted_service(answering(claims(*HELD))) as second,
    ):
        call = await calling(kind, first, second)
        try:
            signed_by("b", await refreshed(call))
            held = await call("connection_claims", "chat", SECRET)
            await call("add_connection_to_group", "chat", "group", "connection")
            assert await call("group_exists", "chat", "group") is True
        finally:
            released.set()
    assert held == tuple(ConnectionClaim(*each) for each in HELD)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_two_that_know_the_token_are_an_error(calling: Calling, kind: str) -> None:
    with (
        scripted_service(answering(claims(*HELD))) as first,
        scripted_service(answering(claims(*HELD))) as second,
    ):
        call = await calling(kind, first, second)
        with pytest.raises(UnexpectedResponseError, match=r"^The endpoints a and b know the same"):
            await refreshed(call)
        with pytest.raises(
            UnexpectedResponseError, match=r"Do two settings name the same service\?"
        ):
            await call("connection_claims", "chat", SECRET)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_who_does_not_know_the_token_may_not_be_the_one_that_fails(
    calling: Calling, kind: str
) -> None:
    mismatch = Reply(403, {"x-ms-error-code": "ConnectionUserMismatch"})
    for other, expected in ((UNKNOWN, ConnectionNotFoundError), (Reply(500), EndpointsError)):
        with (
            scripted_service(answering(UNKNOWN)) as first,
            scripted_service(answering(other)) as second,
        ):
            call = await calling(kind, first, second)
            with pytest.raises(expected) as caught:
                await refreshed(call)
            assert SECRET not in str(caught.value)
    with (
        scripted_service(answering(UNKNOWN)) as first,
        scripted_service(answering(mismatch)) as second,
    ):
        call = await calling(kind, first, second)
        with pytest.raises(ConnectionUserMismatchError):
            await refreshed(call, claims={}, user_id="bob")
    denied = Reply(403, {"x-ms-error-code": "Forbidden"})
    with scripted_service(answering(denied)) as only:
        call = await calling(kind, only)
        with pytest.raises(PermissionDeniedError, match="clientConnection/write") as caught:
            await refreshed(call)
        with pytest.raises(PermissionDeniedError, match="clientConnection/read"):
            await call("connection_claims", "chat", SECRET)
    assert SECRET not in str(caught.value)


async def test_what_is_sent_is_what_a_negotiation_puts_into_the_token(calling: Calling) -> None:
    with (
        scripted_service(answering(claims(*HELD))) as service,
    ):
        call = await calling("blocking", service)
        end = int(time.time()) + 900
        access = await refreshed(
            call,
            user_id="ann",
            claims=[("role", "a"), ("role", "b"), ("level", 7), ("tags", ["x", "y"])],
            expires_on=end + 0.9,
            options=ConnectionOptions(close_at=end, detailed_errors=True),
        )
        await refreshed(call)
    first, second = (json.loads(each.body) for each in service.received)
    assert [(each["type"], each["value"]) for each in first["claims"]] == [
        ("asrs.s.uid", "ann"),
        ("asrs.s.derror", "True"),
        ("asrs.s.coae", "true"),
        ("asrs.s.aeo", str(end)),
        ("role", "a"),
        ("role", "b"),
        ("level", "7"),
        ("tags", "x"),
        ("tags", "y"),
    ]
    assert first["expireTime"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    assert 890 < access.lifetime <= 900
    assert second == {"connectionToken": SECRET, "expireTime": "9999-12-31T23:59:59.9999999Z"}
    (path,) = {each.path for each in service.received}
    assert path == "/api/hubs/chat/connections/:refreshAuth?api-version=2026-07-01"


@pytest.mark.parametrize("seconds", [900, 100_000])
async def test_the_end_of_the_connection_ends_the_token(calling: Calling, seconds: int) -> None:
    end = int(time.time()) + seconds
    ends = claims(*HELD, ("asrs.s.coae", "true"), ("asrs.s.aeo", str(end)))
    with scripted_service(answering(ends)) as service:
        call = await calling("blocking", service)
        access = await refreshed(call)
    said = signed_by("a", access)
    assert (said["asrs.s.coae"], said["asrs.s.aeo"]) == ("true", str(end))
    assert said["exp"] - said["iat"] == pytest.approx(min(seconds, 3600), abs=1)
    assert access.lifetime == pytest.approx(min(seconds, 3600), abs=2)


async def test_the_user_of_another_sdk_stays_the_user(calling: Calling) -> None:
    named = claims(("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier", "ann"))
    with scripted_service(answering(named)) as service:
        call = await calling("blocking", service)
        assert signed_by("a", await refreshed(call))["asrs.s.uid"] == "ann"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"expires_on": 1_000_000_000}, "^expires_on must be a moment to come"),
        ({"expires_on": float("inf")}, "^expires_on must be a moment to come"),
        ({"expires_on": float("nan")}, "^expires_on must be a moment to come"),
        ({"user_id": "ann"}, "^claims is missing: user_id and options are claims as well"),
        ({"claims": {"asrs.s.uid": "bob"}}, "'asrs.s.uid' is a name of the service itself"),
        ({"claims": {"x": float("nan")}}, "^claims cannot be written as JSON"),
        ({"claims": {}, "user_id": " "}, "^user_id must not be empty"),
        ({"claims": {}, "minutes_to_expire": 0}, "^minutes_to_expire must be a positive"),
    ],
)
async def test_a_wrong_argument_changes_nothing(
    calling: Calling, arguments: dict[str, Any], said: str
) -> None:
    with (
        scripted_service(answering(claims(*HELD))) as service,
    ):
        call = await calling("blocking", service)
        with pytest.raises(InvalidArgumentError, match=said):
            await refreshed(call, **arguments)
        with pytest.raises(TokenTooLargeError, match="photo"):
            await refreshed(call, claims={"photo": "p" * 4000}, user_id="ann")
        for method in ("refresh_connection_authentication", "connection_claims"):
            with pytest.raises(InvalidArgumentError, match=r"^connection_token must not be empty"):
                await call(method, "chat", " ")
    assert not service.received


@pytest.mark.parametrize("refusal", [405, 501])
@pytest.mark.parametrize("kind", CLIENTS)
async def test_claims_are_asked_for_by_query_and_by_post_where_that_is_not_known(
    calling: Calling, kind: str, refusal: int
) -> None:
    def old(request: Received) -> Reply:
        return Reply(refusal) if request.method == "QUERY" else claims(*HELD)

    with scripted_service(old) as service:
        call = await calling(kind, service)
        held = await call("connection_claims", "chat", SECRET)
    assert held == tuple(ConnectionClaim(*each) for each in HELD)
    assert [each.method for each in service.received] == ["QUERY", "POST"]
    assert {each.path for each in service.received} == {
        "/api/hubs/chat/connections/claims?api-version=2026-07-01"
    }
    assert {each.body for each in service.received} == {
        json.dumps({"connectionToken": SECRET}, separators=(",", ":")).encode()
    }


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_next_token_differs_from_every_other_one_if_asked(
    calling: Calling, kind: str
) -> None:
    options = ConnectionOptions(unique_token=True)
    with (
        scripted_service(answering(claims(*HELD))) as service,
    ):
        call = await calling(kind, service)
        tokens = [
            signed_by("a", await refreshed(call, claims={"role": "a"}, options=options))
            for _ in range(5)
        ]
        asked = [json.loads(each.body) for each in service.received]
    assert len({each["jti"] for each in tokens}) == 5
    # It names a token and not a connection.
    assert [each["claims"] for each in asked] == [[{"type": "role", "value": "a"}]] * 5
