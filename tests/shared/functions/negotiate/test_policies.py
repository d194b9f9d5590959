"""What a policy is given, which one is asked, and the hub that it chooses."""

import functools
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest

from shared import InvalidArgumentError
from shared.aio import SignalRServiceClient
from shared.functions import (
    NEGOTIATE,
    Caller,
    Connection,
    NegotiateRequest,
    NegotiateSettings,
    NotAllowedError,
    Policy,
    SignalRFunctions,
)
from tests.scripted_service import Received, Reply, ScriptedService, scripted_service
from tests.shared.functions.negotiate.test_handlers import ANN, APP_SERVICE, KEY, Credential
from tests.shared.functions.negotiate.test_refresh import NAMED

ANYBODY = {"NEGOTIATE_IDENTITY": "anonymous"}
IN_AZURE = ANYBODY | {"WEBSITE_SITE_NAME": "contoso"}


def answers(request: Received) -> Reply:
    if "refreshAuth" in request.path:
        return Reply(200, body=json.dumps({"claims": json.loads(request.body)["claims"]}).encode())
    return Reply(200, body=KEY)


@pytest.fixture
async def running() -> AsyncIterator[ScriptedService]:
    with scripted_service(answers) as running:
        yield running


@pytest.fixture
async def service(running: ScriptedService) -> AsyncIterator[SignalRServiceClient]:
    async with SignalRServiceClient(running.url, Credential(), application="app") as client:
        yield client


async def ask(
    service: SignalRServiceClient,
    policy: Policy | Mapping[str, Policy],
    environment: Mapping[str, str] = ANYBODY,
    *,
    hubs: str = "chat,news",
    path: str = "negotiate",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Return status and body of the answer of an app with this policy."""
    settings = NegotiateSettings.from_environment(environment)
    signalr = SignalRFunctions(service, hubs.split(","), settings, policy=policy)
    app = func.FunctionApp()
    app.register_functions(signalr.blueprint(NEGOTIATE))
    handlers = {str(each.get_function_name()): each for each in app.get_functions()}
    *hub, operation = path.partition("?")[0].split("/")
    handler = handlers[f"{operation}_hub" if hub else operation].get_user_function()
    request = func.HttpRequest(
        "POST",
        f"http://localhost/api/{path}",
        headers=headers or {},
        route_params={"hub": hub[0]} if hub else {},
        body=b"",
    )
    answer = await handler(request)
    return answer.status_code, json.loads(answer.get_body())


def hub_of(answer: tuple[int, dict[str, Any]]) -> str:
    status, body = answer
    assert status == 200, body
    return str(body["url"]).partition("?hub=")[2]


class Seen:
    """A policy that keeps the request."""

    def __init__(self) -> None:
        self.request = NegotiateRequest()

    def admit(
        self, _caller: Caller, _hub: str, connection: Connection, request: NegotiateRequest
    ) -> Connection:
        self.request = request
        return connection


async def test_a_policy_sees_query_and_headers_of_the_request(
    service: SignalRServiceClient,
) -> None:
    seen = Seen()
    path = "negotiate?room=a%2Cb&room=2&empty"
    await ask(service, seen.admit, path=path, headers={"Accept-Language": "de"})
    assert seen.request.query == {"room": ("a,b", "2"), "empty": ("",)}
    assert seen.request.headers.get("ACCEPT-language") == "de"
    assert "de" not in repr(seen.request)
    with pytest.raises(AttributeError):
        seen.request.address = "203.0.113.7"  # type: ignore[misc]  # it is read-only


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7:50432", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        # What a caller sends in the header comes before what App Service adds.
        ("10.0.0.5, 192.168.1.20, 172.16.0.10:49828", "172.16.0.10"),
        ("127.0.0.1,[2001:DB8::1]:443", "2001:db8::1"),
        ("2001:db8:0::1", "2001:db8::1"),
        ("203.0.113.7:50432, ", None),
        ("the moon", None),
        ("1.2.3:80", None),
        ("", None),
    ],
)
async def test_the_address_is_what_app_service_adds(
    service: SignalRServiceClient, forwarded: str, address: str | None
) -> None:
    seen = Seen()
    await ask(service, seen.admit, IN_AZURE, headers={"x-forwarded-for": forwarded})
    assert seen.request.address == address


async def test_nobody_vouches_for_an_address_elsewhere(service: SignalRServiceClient) -> None:
    seen = Seen()
    await ask(service, seen.admit, headers={"X-Forwarded-For": "203.0.113.7:1"})
    assert seen.request.address is None
    await ask(service, seen.admit, IN_AZURE)
    assert seen.request.address is None


async def test_a_policy_asks_the_service(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    async def once(
        caller: Caller, hub: str, connection: Connection, service: SignalRServiceClient
    ) -> Connection:
        if await service.user_exists(hub, str(caller.user_id)):
            raise NotAllowedError("You are here already.")
        return connection

    status, body = await ask(service, once, APP_SERVICE, headers=ANN)
    assert (status, body["detail"]) == (403, "You are here already.")
    assert any(each.path.startswith("/api/hubs/chat/users/ann") for each in running.received)


async def both(
    _caller: Caller,
    hub: str,
    connection: Connection,
    signalr: SignalRServiceClient,
    request: "NegotiateRequest",
) -> Connection:
    found = await signalr.user_exists(hub, "ann")
    return replace(connection, claims={"found": found, "room": request.query["room"][0]})


def defaulted(_c: Caller, _h: str, connection: Connection, database: str = "db") -> Connection:
    return replace(connection, claims={"database": database})


@pytest.mark.parametrize(
    "policy",
    [both, functools.partial(both), defaulted, lambda _c, _h, connection: connection],
)
async def test_further_parameters_are_found_by_their_annotations(
    service: SignalRServiceClient, policy: Policy
) -> None:
    assert (await ask(service, policy, path="negotiate?room=1"))[0] == 200


def too_few(_caller: Caller, connection: Connection) -> Connection:
    return connection


def too_many(_caller: Caller, _hub: str, connection: Connection, other: str) -> Connection:
    return replace(connection, user_id=other)


async def bare(_caller: Caller, _hub: str, connection: Connection, service) -> Connection:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return replace(connection, user_id=service)


def blocking(
    _caller: Caller, _hub: str, connection: Connection, service: SignalRServiceClient
) -> Connection:
    return replace(connection, user_id=str(service))


def returns_none(_caller: Caller, _hub: str, connection: Connection) -> None:
    connection.minutes_to_expire = 5


HERE = r"\(\S*test_policies\.py, line \d+\)"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            too_few,
            rf"too_few {HERE} takes \(_caller: .*too many positional arguments\)\. Write def",
        ),
        (too_many, rf"too_many {HERE} takes .*'other'\)\. Write def admit\(caller: Caller, hub"),
        (bare, rf"bare {HERE} takes .*'service'.* service: SignalRServiceClient of the module aio"),
        (blocking, rf"blocking {HERE} must be async def to use the service client$"),
        (returns_none, rf"returns_none {HERE} is annotated to return None, and has to return a"),
        (None, r"is None, and has to be def admit\("),
    ],
)
async def test_a_policy_that_could_never_decide_ends_the_start(
    service: SignalRServiceClient,
    policy: Any,  # noqa: ANN401  the mistake
    said: str,
) -> None:
    for given in (policy, {"chat": policy}):
        with pytest.raises(InvalidArgumentError, match=rf"^policy {said}"):
            SignalRFunctions(
                service, ["chat"], NegotiateSettings.from_environment(ANYBODY), policy=given
            )


def refuse(_caller: Caller, _hub: str, _connection: Connection) -> Connection:
    raise NotAllowedError


def let_in(_caller: Caller, _hub: str, connection: Connection) -> Connection:
    return connection


async def test_each_hub_has_a_policy_of_its_own(service: SignalRServiceClient) -> None:
    policies = {"Chat": let_in, "tenant_*": refuse, "tenant_open": let_in, "tenant_open_*": let_in}
    asked = functools.partial(ask, service, policies, hubs="chat,tenant_*")
    assert hub_of(await asked(path="chat/negotiate")) == "app_chat"
    assert (await asked(path="tenant_1/negotiate"))[0] == 403
    assert hub_of(await asked(path="TENANT_OPEN/negotiate")) == "app_tenant_open"
    assert hub_of(await asked(path="tenant_open_2/negotiate")) == "app_tenant_open_2"
    assert hub_of(await asked(path="negotiate")) == "app_chat"


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ({"chat": let_in}, "policy has none for the hub 'tenant_*': add {'tenant_*': admit}"),
        ({"chat": let_in, "tenant_": let_in}, "policy has none for the hub 'tenant_*'"),
        ({}, "policy has none for the hub 'chat'"),
        (
            {"chat": let_in, "tenant_*": let_in, "chta": let_in},
            "policy has one for the hub 'chta', which the app does not serve: it serves chat, ten",
        ),
        ({"chat": let_in, "CHAT": refuse, "tenant_*": let_in}, "policy has a hub twice: chat, CH"),
        ({"*": let_in}, "hub '*' is no pattern of hubs"),
    ],
)
async def test_no_hub_is_left_without_a_policy(
    service: SignalRServiceClient, policies: Mapping[str, Policy], said: str
) -> None:
    settings = NegotiateSettings.from_environment(ANYBODY)
    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(said)}"):
        SignalRFunctions(service, ["chat", "tenant_*"], settings, policy=policies)


def by_query(
    _caller: Caller, hub: str, connection: Connection, request: NegotiateRequest
) -> Connection:
    tenant = request.query.get("tenant")
    return replace(connection, hub=f"Tenant_{tenant[0]}" if tenant else hub or None)


@pytest.mark.parametrize(
    ("path", "hub"),
    [
        ("negotiate?tenant=7", "app_tenant_7"),
        ("tenant_1/negotiate?tenant=7", "app_tenant_7"),
        ("tenant_1/negotiate", "app_tenant_1"),
    ],
)
async def test_a_policy_chooses_the_hub(service: SignalRServiceClient, path: str, hub: str) -> None:
    assert hub_of(await ask(service, by_query, hubs="tenant_*", path=path)) == hub


async def test_a_sign_in_is_renewed_at_the_hub_that_the_policy_chooses(
    service: SignalRServiceClient, running: ScriptedService
) -> None:
    path = "refresh?tenant=7"
    status, _ = await ask(
        service, by_query, APP_SERVICE, hubs="tenant_*", path=path, headers=ANN | NAMED
    )
    assert status == 200
    (asked,) = [each.path for each in running.received if "refreshAuth" in each.path]
    assert asked.startswith("/api/hubs/tenant_7/connections/:refreshAuth?application=app")


@pytest.mark.parametrize("policy", [by_query, {"tenant_*": by_query}])
async def test_who_has_to_name_a_hub_is_told(
    service: SignalRServiceClient, policy: Policy | Mapping[str, Policy]
) -> None:
    status, body = await ask(service, policy, hubs="tenant_*")
    told = "hub is missing, and this app has no default one: name it in the path or the query"
    assert (status, body["detail"]) == (400, told)


@pytest.mark.parametrize("path", ["other/negotiate", f"tenant_{'x' * 120}/negotiate"])
async def test_a_hub_that_is_not_served_is_none(service: SignalRServiceClient, path: str) -> None:
    # The second would be too long with the application's name before it.
    assert (await ask(service, by_query, hubs="tenant_*", path=path))[0] == 404


async def test_a_hub_that_a_policy_may_not_choose_is_the_apps_fault(
    service: SignalRServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    def astray(_caller: Caller, _hub: str, connection: Connection) -> Connection:
        return replace(connection, hub="cht")

    with caplog.at_level(logging.ERROR):
        status, body = await ask(service, astray)
    assert (status, body["detail"]) == (
        500,
        "The app cannot make this connection. Its log says why.",
    )
    assert "hub 'cht', which the policy has chosen, is none of chat, news" in caplog.text
