"""The refresh functions as the worker calls them, and what they ask the service for."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import azure.functions as func
import jwt
import pytest

from negotiate.policy import admit
from shared import ConnectionOptions, RetryPolicy
from shared.aio import SignalRServiceClient
from shared.functions import Caller, Connection, NotAllowedError, Policy
from tests.scripted_service import HANG_UP, Received, Reply, ScriptedService, scripted_service
from tests.shared.functions.negotiate.test_caller import BEARER, principal
from tests.shared.functions.negotiate.test_handlers import (
    ANN,
    APP_SERVICE,
    KEY,
    Credential,
    negotiate_handlers,
)

NAMED = {"X-SignalR-Connection-Token": "secret-token"}

type Refresh = Callable[..., Awaitable[func.HttpResponse]]


class Script:
    """A service that renews a connection, unless it is told to answer something else."""

    def __init__(self) -> None:
        self.refusals: list[Reply] = []

    def __call__(self, request: Received) -> Reply:
        if "refreshAuth" not in request.path:
            return Reply(200, body=KEY)
        if self.refusals:
            return self.refusals.pop(0)
        return Reply(200, body=json.dumps({"claims": json.loads(request.body)["claims"]}).encode())


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def running(script: Script) -> Iterator[ScriptedService]:
    with scripted_service(script) as running:
        yield running


@pytest.fixture
async def service(running: ScriptedService) -> AsyncIterator[SignalRServiceClient]:
    policy = RetryPolicy(first_delay=0)
    async with SignalRServiceClient(running.url, Credential(), policy=policy) as client:
        yield client


def refreshing(
    service: SignalRServiceClient,
    environment: Mapping[str, str] = APP_SERVICE,
    policy: Policy = admit,
) -> Refresh:
    handlers = negotiate_handlers(service, environment, policy)

    async def refresh(
        headers: Mapping[str, str], query: str = "", *, hub: str | None = None, method: str = "POST"
    ) -> func.HttpResponse:
        return await handlers["refresh" if hub is None else "refresh_hub"](
            func.HttpRequest(
                method,
                f"http://localhost/api/refresh{query}",
                headers=headers,
                route_params={} if hub is None else {"hub": hub},
                body=b"of no interest",
            )
        )

    return refresh


def asked(running: ScriptedService) -> list[dict[str, Any]]:
    """Return the bodies of the requests to renew a connection."""
    paths = [each.path for each in running.received if "refreshAuth" in each.path]
    assert all(path.endswith("/connections/:refreshAuth?api-version=2026-07-01") for path in paths)
    return [json.loads(each.body) for each in running.received if "refreshAuth" in each.path]


def answered(response: func.HttpResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.get_body()
    assert response.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = json.loads(response.get_body())
    assert set(body) == {"accessToken", "tokenLifetimeSeconds"}
    assert type(body["tokenLifetimeSeconds"]) is int
    return body


async def test_the_claims_that_hold_from_now_on_are_in_the_next_token(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    refresh = refreshing(service, APP_SERVICE | {"NEGOTIATE_CLAIMS": "name,roles=role"})
    known = principal(("name", "Ann"), ("roles", "a"), ("roles", "b"))
    body = answered(await refresh(ANN | NAMED | {"x-ms-client-principal": known}))
    assert asked(running) == [
        {
            "connectionToken": "secret-token",
            "expireTime": "9999-12-31T23:59:59.9999999Z",
            "claims": [
                {"type": "asrs.s.uid", "value": "ann"},
                {"type": "name", "value": "Ann"},
                {"type": "role", "value": "a"},
                {"type": "role", "value": "b"},
            ],
        }
    ]
    assert body["tokenLifetimeSeconds"] == 3600
    token = jwt.decode(body["accessToken"], options={"verify_signature": False})
    assert token["exp"] - token["iat"] == 3600
    assert token | {"iat": 0, "nbf": 0, "exp": 0} == {
        "aud": "http://127.0.0.1/client/?hub=chat",
        "iat": 0,
        "nbf": 0,
        "exp": 0,
        "asrs.s.uid": "ann",
        "name": "Ann",
        "role": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("asked_for", "token"),
    [
        (({}, "?id=from-query"), "from-query"),
        (({}, "?ID=from%2Fquery"), "from/query"),
        ((NAMED, "?id=from-query"), "secret-token"),
        (({"x-signalr-connection-token": "two,three"}, ""), "two,three"),
        (({}, "?id=one&id=two"), "one,two"),
    ],
)
async def test_the_header_names_the_connection_and_without_it_the_query(
    service: SignalRServiceClient,
    running: ScriptedService,
    asked_for: tuple[Mapping[str, str], str],
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers, query = asked_for
    caplog.set_level("DEBUG")
    answered(await refreshing(service)({**ANN, **headers}, query))
    assert [each["connectionToken"] for each in asked(running)] == [token]
    assert token not in caplog.text


@pytest.mark.parametrize(
    ("hub", "query", "served"),
    [(None, "", "chat"), (None, "?hub=ADMIN", "admin"), ("Admin", "", "admin")],
)
async def test_it_is_for_the_hub_that_negotiate_was_asked_for(
    service: SignalRServiceClient,
    running: ScriptedService,
    hub: str | None,
    query: str,
    served: str,
) -> None:
    body = answered(await refreshing(service)(ANN | NAMED, query, hub=hub))
    token = jwt.decode(body["accessToken"], options={"verify_signature": False})
    assert token["aud"] == f"http://127.0.0.1/client/?hub={served}"
    (path,) = [each.path for each in running.received if "refreshAuth" in each.path]
    assert path.startswith(f"/api/hubs/{served}/")


def refused(response: func.HttpResponse, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.get_body()
    assert response.mimetype == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.get_body())
    assert problem["status"] == status
    assert problem["detail"]
    assert "secret-token" not in str(problem)
    return problem


async def test_nothing_is_asked_for_who_may_not_ask(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    def strict(_caller: Caller, _hub: str, _connection: Connection) -> Connection:
        raise NotAllowedError

    either = APP_SERVICE | {"NEGOTIATE_IDENTITY": "app-service,anonymous"}
    off = APP_SERVICE | {"NEGOTIATE_REFRESH": "false"}
    anonymous = {"NEGOTIATE_IDENTITY": "anonymous"}
    refresh = refreshing(service)
    past = {"x-ms-client-principal": principal(("exp", "1000000000"))}

    assert refused(await refreshing(service, off)(ANN | NAMED), 404).get("error") is None
    assert refused(await refreshing(service, anonymous)(NAMED), 404).get("error") is None
    assert (await refresh(ANN | NAMED, method="GET")).headers["Allow"] == "POST"
    assert (await refreshing(service, off)(ANN | NAMED, method="PUT")).status_code == 405
    for headers, query in (({}, ""), ({"X-SignalR-Connection-Token": " "}, "?id=x"), ({}, "?id=")):
        problem = refused(await refresh({**ANN, **headers}, query), 400)
        assert problem["error"] == "missing_connection_token"
        assert "X-SignalR-Connection-Token" in problem["detail"]
    for caller in (refreshing(service, either), refresh):
        assert refused(await caller(NAMED), 401)["error"] == "invalid_token"
    assert refused(await refresh(ANN | BEARER | NAMED | past), 401)["error"] == "invalid_token"
    problem = refused(await refreshing(service, policy=strict)(ANN | NAMED), 403)
    assert problem["error"] == "permission_change_rejected"
    refused(await refresh(ANN | NAMED, hub="other"), 404)
    large = {"x-ms-client-principal": principal(("photo", "p" * 4000))}
    photo = refreshing(service, APP_SERVICE | {"NEGOTIATE_CLAIMS": "photo"})
    assert "photo" in refused(await photo(ANN | NAMED | large), 413)["detail"]
    assert asked(running) == []


async def test_a_policy_that_fails_is_told_in_the_log_alone(
    service: SignalRServiceClient, running: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_caller: Caller, _hub: str, _connection: Connection) -> Connection:
        raise LookupError("no such row")

    problem = refused(await refreshing(service, policy=fails)(ANN | NAMED), 500)
    assert problem["error"] == "internal_server_error"
    assert "no such row" not in str(problem)
    assert "no such row" in caplog.text
    assert asked(running) == []


@pytest.mark.parametrize(
    ("reply", "times", "said"),
    [
        (Reply(404, {"x-ms-error-code": "ConnectionNotFound"}), 1, (404, "connection_not_found")),
        (Reply(404, body=b'{"code":"ConnectionNotFound"}'), 1, (404, "connection_not_found")),
        (
            Reply(403, {"x-ms-error-code": "ConnectionUserMismatch"}),
            1,
            (403, "permission_change_rejected"),
        ),
        (Reply(400, {"x-ms-error-code": "Bad"}), 1, (500, "internal_server_error")),
        (Reply(200, body=b"[]"), 1, (500, "internal_server_error")),
        (
            Reply(200, body=b'{"claims":[{"type":"a","value":1}]}'),
            1,
            (500, "internal_server_error"),
        ),
        (Reply(404, body=b"<html>"), 1, (500, "internal_server_error")),
        (Reply(403, body=b"{}"), 1, (503, "internal_server_error")),
        (Reply(500), 4, (503, "internal_server_error")),
        (Reply(503, {"Retry-After": "77"}), 1, (503, "internal_server_error")),
        (HANG_UP, 4, (503, "internal_server_error")),
    ],
)
async def test_what_the_service_says_becomes_what_clients_know(
    service: SignalRServiceClient, script: Script, reply: Reply, times: int, said: tuple[int, str]
) -> None:
    status, word = said
    script.refusals = [reply] * times
    response = await refreshing(service)(ANN | NAMED)
    assert refused(response, status)["error"] == word
    assert ("Retry-After" in response.headers) == (status == 503)
    assert not script.refusals


@pytest.mark.parametrize("reply", [Reply(500), Reply(503, {"Retry-After": "0"}), HANG_UP])
async def test_what_may_pass_is_repeated_since_no_client_does_it(
    service: SignalRServiceClient, script: Script, running: ScriptedService, reply: Reply
) -> None:
    script.refusals = [reply] * 3
    answered(await refreshing(service)(ANN | NAMED))
    assert len(asked(running)) == 4


async def test_a_session_ends_the_token_and_moves_the_end_of_the_connection(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    environment = APP_SERVICE | {"NEGOTIATE_CLOSE_ON_EXPIRATION": "true"}
    end = int(time.time()) + 1800
    known = {"x-ms-client-principal": principal(("exp", str(end)))}
    body = answered(await refreshing(service, environment)(ANN | BEARER | NAMED | known))
    (sent,) = asked(running)
    assert sent["expireTime"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    assert {"type": "asrs.s.aeo", "value": str(end)} in sent["claims"]
    token = jwt.decode(body["accessToken"], options={"verify_signature": False})
    assert (token["asrs.s.coae"], token["asrs.s.aeo"], token["exp"]) == ("true", str(end), end)
    assert 1790 < body["tokenLifetimeSeconds"] < 1800


async def test_without_a_known_end_nothing_closes(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    environment = APP_SERVICE | {"NEGOTIATE_CLOSE_ON_EXPIRATION": "true"}
    known = {"x-ms-client-principal": principal(("exp", "4000000000"))}
    answered(await refreshing(service, environment)(ANN | NAMED | known))
    (sent,) = asked(running)
    assert sent["expireTime"].startswith("9999-")
    assert [each["type"] for each in sent["claims"]] == ["asrs.s.uid"]


async def test_a_policy_names_another_end(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    end = int(time.time()) + 600

    def soon(_caller: Caller, _hub: str, connection: Connection) -> Connection:
        return replace(connection, options=ConnectionOptions(close_at=end))

    environment = APP_SERVICE | {"NEGOTIATE_CLOSE_ON_EXPIRATION": "true"}
    body = answered(await refreshing(service, environment, soon)(ANN | NAMED))
    assert {"type": "asrs.s.aeo", "value": str(end)} in asked(running)[0]["claims"]
    assert 590 < body["tokenLifetimeSeconds"] < 600


async def test_a_connection_that_a_policy_gives_to_all_is_nobodys_own(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    everyones = Connection("ann")
    environment = APP_SERVICE | {"NEGOTIATE_CLOSE_ON_EXPIRATION": "true"}
    refresh = refreshing(service, environment, lambda *_: everyones)
    end = int(time.time()) + 1800
    known = {"x-ms-client-principal": principal(("exp", str(end)))}
    answered(await refresh(ANN | BEARER | NAMED | known))
    answered(await refresh(ANN | NAMED))
    first, second = asked(running)
    assert {"type": "asrs.s.aeo", "value": str(end)} in first["claims"]
    assert second["claims"] == [{"type": "asrs.s.uid", "value": "ann"}]


async def test_negotiate_says_when_to_renew_exactly_where_that_is_possible(
    service: SignalRServiceClient,
) -> None:
    async def lifetime(environment: Mapping[str, str], headers: Mapping[str, str]) -> object:
        negotiate = negotiate_handlers(service, environment)["negotiate"]
        response = await negotiate(
            func.HttpRequest("POST", "http://localhost/api/negotiate", headers=headers, body=b"")
        )
        body = json.loads(response.get_body())
        token = jwt.decode(body["accessToken"], options={"verify_signature": False})
        seconds = body.get("tokenLifetimeSeconds")
        assert seconds is None or 0 <= token["exp"] - token["iat"] - seconds <= 1
        return seconds

    either = APP_SERVICE | {"NEGOTIATE_IDENTITY": "app-service,anonymous"}
    known = {"x-ms-client-principal": principal(("exp", str(time.time() + 299.5)))}
    assert await lifetime(APP_SERVICE, ANN) == 3600
    assert await lifetime(APP_SERVICE | {"NEGOTIATE_TOKEN_LIFETIME_MINUTES": "10"}, ANN) == 600
    assert await lifetime(APP_SERVICE, ANN | BEARER | known) in {298, 299}
    assert await lifetime(APP_SERVICE | {"NEGOTIATE_REFRESH": "false"}, ANN) is None
    assert await lifetime(either, {}) is None
    assert await lifetime({"NEGOTIATE_IDENTITY": "anonymous"}, {}) is None
