"""The negotiate functions as the worker calls them, with a real client that gets a real key."""

import functools
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import azure.functions as func
import jwt
import pytest
from azure.core.credentials import AccessToken

from negotiate.policy import admit
from shared import ConnectionOptions
from shared.aio import SignalRServiceClient
from shared.functions import (
    NEGOTIATE,
    Caller,
    Connection,
    NegotiateSettings,
    NotAllowedError,
    Policy,
    SignalRFunctions,
)
from tests.issuer import KEYS, running_issuer
from tests.scripted_service import Reply, scripted_service
from tests.shared.functions.negotiate.test_caller import (
    BEARER,
    STATIC_WEB_APPS,
    header,
    principal,
)

KEY = json.dumps({"AccessKey": "s" * 44, "KeyId": "key-1"}).encode()
APP_SERVICE = {"NEGOTIATE_IDENTITY": "app-service", "WEBSITE_AUTH_ENABLED": "true"}
ANN = {"x-ms-client-principal-id": "ann"}

type Negotiate = Callable[..., Awaitable[func.HttpResponse]]


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        return AccessToken("e30.e30.sig", 2**40)


@pytest.fixture
async def service() -> AsyncIterator[SignalRServiceClient]:
    with scripted_service(lambda _: Reply(200, body=KEY)) as running:
        async with SignalRServiceClient(running.url, Credential()) as client:
            yield client


def negotiating(
    service: SignalRServiceClient, environment: Mapping[str, str], policy: Policy = admit
) -> Negotiate:
    handlers = negotiate_handlers(service, environment, policy)

    async def negotiate(
        headers: Mapping[str, str] | None = None, hub: str | None = None, query: str = ""
    ) -> func.HttpResponse:
        name = "negotiate" if hub is None else "negotiate_hub"
        request = func.HttpRequest(
            "POST",
            f"http://localhost/api/negotiate{query}",
            headers=headers or {},
            params={"userId": "mallory", "negotiateVersion": "1"},
            route_params={} if hub is None else {"hub": hub},
            body=b'{"userId": "mallory"}',
        )
        return await handlers[name](request)

    return negotiate


def negotiate_handlers(
    service: SignalRServiceClient, environment: Mapping[str, str], policy: Policy = admit
) -> Mapping[str, Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]]:
    """Return the handlers of an app by the names of their functions."""
    settings = NegotiateSettings.from_environment(environment)
    signalr = SignalRFunctions(service, ("chat", "admin"), settings, policy=policy)
    app = func.FunctionApp()
    app.register_functions(signalr.blueprint(NEGOTIATE))
    return {str(each.get_function_name()): each.get_user_function() for each in app.get_functions()}


def claims_of(response: func.HttpResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.get_body()
    token = json.loads(response.get_body())["accessToken"]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_no_user_id_comes_from_query_body_or_headers_of_the_callers_choice(
    service: SignalRServiceClient,
) -> None:
    negotiate = negotiating(service, {"NEGOTIATE_IDENTITY": "anonymous"})
    response = await negotiate(ANN | {"x-ms-signalr-userid": "mallory"})
    assert set(claims_of(response)) == {"aud", "iat", "nbf", "exp"}


async def test_allowed_claims_pass_under_their_new_names_and_nothing_else_does(
    service: SignalRServiceClient,
) -> None:
    negotiate = negotiating(service, APP_SERVICE | {"NEGOTIATE_CLAIMS": "name,roles=role"})
    known = principal(
        ("name", "Ann"), ("roles", "a"), ("roles", "b"), ("iss", "x"), ("aud", "y"), ("ssn", "1")
    )
    claims = claims_of(await negotiate(ANN | {"x-ms-client-principal": known}))
    assert claims.pop("iat") == claims.pop("nbf") == claims.pop("exp") - 3600
    assert claims == {
        "aud": "http://127.0.0.1/client/?hub=chat",
        "asrs.s.uid": "ann",
        "name": "Ann",
        "role": ["a", "b"],
    }


def seldom(_caller: Caller, hub: str, connection: Connection) -> Connection:
    if hub == "admin":
        connection.options = ConnectionOptions(detailed_errors=True)
    return connection


@pytest.mark.parametrize(("hub", "said"), [("chat", None), ("admin", "True")])
async def test_tokens_differ_although_they_say_the_same(hub: str, said: str | None) -> None:
    moment = time.time()

    async def tokens(
        service: SignalRServiceClient, environment: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        negotiate = negotiating(service, APP_SERVICE | dict(environment), seldom)
        return [claims_of(await negotiate(ANN, hub)) for _ in range(5)]

    with scripted_service(lambda _: Reply(200, body=KEY)) as running:
        async with SignalRServiceClient(running.url, Credential(), clock=lambda: moment) as client:
            same = await tokens(client, {})
            different = await tokens(client, {"NEGOTIATE_UNIQUE_TOKENS": "true"})
    assert same == [same[0]] * 5
    assert same[0].get("asrs.s.derror") == said
    assert len({each.pop("jti") for each in different}) == 5
    assert different == same


async def test_a_bearer_token_names_the_user(service: SignalRServiceClient) -> None:
    with running_issuer() as issuer:
        negotiate = negotiating(service, issuer.app_settings | {"NEGOTIATE_CLAIMS": "email"})
        token = issuer.token(sub="ann", email="ann@example.org")
        claims = claims_of(await negotiate({"authorization": f"Bearer {token}"}))
    assert claims["asrs.s.uid"] == "ann"
    assert claims["email"] == "ann@example.org"


async def test_an_issuer_without_keys_gets_503_that_names_it(service: SignalRServiceClient) -> None:
    with running_issuer() as issuer:
        issuer.replies[KEYS] = Reply(200, body=b'{"keys": []}')
        negotiate = negotiating(service, issuer.app_settings)
        response = await negotiate({"authorization": f"Bearer {issuer.token()}"})
    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    assert response.headers["Retry-After"] == "5"
    detail = json.loads(response.get_body())["detail"]
    assert issuer.url in detail
    assert "SignalR" not in detail


async def test_the_token_ends_with_the_callers_own_session(service: SignalRServiceClient) -> None:
    end = int(time.time()) + 300
    with running_issuer() as issuer:
        negotiate = negotiating(service, issuer.app_settings)
        token = issuer.token(exp=end)
        claims = claims_of(await negotiate({"authorization": f"Bearer {token}"}))
    assert claims["exp"] == pytest.approx(end, abs=1)


@pytest.mark.parametrize("end", ["-7200", "7200.5", "soon", "", "1e999"])
async def test_a_login_outlives_its_id_token(service: SignalRServiceClient, end: str) -> None:
    negotiate = negotiating(service, APP_SERVICE)
    known = principal(("iat", "1"), ("exp", end))
    claims = claims_of(await negotiate(ANN | {"x-ms-client-principal": known}))
    assert claims["asrs.s.uid"] == "ann"
    assert claims["exp"] - claims["iat"] == 3600


async def test_a_bearer_token_that_the_platform_took_ends_the_client_token(
    service: SignalRServiceClient,
) -> None:
    negotiate = negotiating(service, APP_SERVICE)

    async def asked(seconds: int) -> func.HttpResponse:
        known = principal(("exp", str(int(time.time()) + seconds)))
        return await negotiate(ANN | BEARER | {"x-ms-client-principal": known})

    claims = claims_of(await asked(300))
    assert claims["exp"] - claims["iat"] == pytest.approx(300, abs=1)
    over = await asked(-1)
    assert over.status_code == 401
    assert 'error="invalid_token"' in over.headers["WWW-Authenticate"]


async def test_roles_of_static_web_apps_are_there_for_settings_and_policy(
    service: SignalRServiceClient,
) -> None:
    def administrators(caller: Caller, _hub: str, connection: Connection) -> Connection:
        if not caller.has("userRoles", "admin"):
            raise NotAllowedError
        return connection

    environment = APP_SERVICE | {"NEGOTIATE_CLAIMS": "userRoles=role,userDetails=name"}
    negotiate = negotiating(service, environment, administrators)
    claims = claims_of(await negotiate({"x-ms-client-principal": header(STATIC_WEB_APPS)}))
    assert claims["asrs.s.uid"] == STATIC_WEB_APPS["userId"]
    assert claims["role"] == ["anonymous", "authenticated", "admin"]
    assert claims["name"] == "ann"
    other = STATIC_WEB_APPS | {"userRoles": ["anonymous", "authenticated", "administrative"]}
    refused = await negotiate({"x-ms-client-principal": header(other)})
    assert refused.status_code == 403


async def test_a_claim_that_no_token_can_hold_costs_nobody_the_connection(
    service: SignalRServiceClient,
) -> None:
    negotiate = negotiating(service, APP_SERVICE | {"NEGOTIATE_CLAIMS": "name,city"})
    known = principal(("name", "half \ud83d of a pair"), ("city", "Köln"))
    claims = claims_of(await negotiate(ANN | {"x-ms-client-principal": known}))
    assert claims["city"] == "Köln"
    assert "name" not in claims


async def test_claims_that_do_not_fit_are_named(service: SignalRServiceClient) -> None:
    negotiate = negotiating(service, APP_SERVICE | {"NEGOTIATE_CLAIMS": "name,photo"})
    known = principal(("name", "Ann"), ("photo", "p" * 4000))
    response = await negotiate(ANN | {"x-ms-client-principal": known})
    assert response.status_code == 413
    detail = json.loads(response.get_body())["detail"]
    assert "Largest claims: photo, " in detail
    assert "ppp" not in detail


async def test_a_policy_decides_by_hub(service: SignalRServiceClient) -> None:
    def by_role(caller: Caller, hub: str, connection: Connection) -> Connection:
        if hub != "admin":
            return connection
        if "admin" not in str(caller.claims.get("roles", "")):
            raise NotAllowedError("Only administrators may connect here.")
        options = ConnectionOptions(close_at=caller.session_end, detailed_errors=True)
        return replace(connection, minutes_to_expire=5, claims={"level": 9}, options=options)

    negotiate = negotiating(service, APP_SERVICE, by_role)
    assert claims_of(await negotiate(ANN))["exp"] - int(time.time()) > 3500
    refused = await negotiate(ANN, hub="ADMIN")
    assert refused.status_code == 403
    assert json.loads(refused.get_body())["detail"] == "Only administrators may connect here."

    known = {"x-ms-client-principal": principal(("roles", "admin"), ("exp", "4000000000"))}
    claims = claims_of(await negotiate(ANN | BEARER | known, hub="admin"))
    assert claims["exp"] - claims["iat"] == 300
    assert claims["level"] == 9
    assert (claims["asrs.s.coae"], claims["asrs.s.aeo"]) == ("true", "4000000000")
    assert claims["aud"].endswith("?hub=admin")


async def test_a_policy_may_take_its_time(service: SignalRServiceClient) -> None:
    async def looked_up(_caller: Caller, _hub: str, connection: Connection) -> Connection:
        return replace(connection, user_id="from the database")

    negotiate = negotiating(service, {"NEGOTIATE_IDENTITY": "anonymous"}, looked_up)
    assert claims_of(await negotiate())["asrs.s.uid"] == "from the database"


HERE = r"\(\S*test_handlers\.py, line \d+\)"


def forgets(_caller: Caller, _hub: str, _connection: Connection) -> Connection:
    return None  # type: ignore[return-value]


async def forgets_later(_caller: Caller, _hub: str, _connection: Connection) -> Connection:
    return None  # type: ignore[return-value]


def says_yes(_caller: Caller, _hub: str, _connection: Connection) -> Connection:
    return True  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (forgets, rf"The policy forgets {HERE} returned None, and has to return a Connection"),
        (forgets_later, rf"The policy forgets_later {HERE} returned None, and has to"),
        (says_yes, rf"The policy says_yes {HERE} returned a bool, and has to"),
        (functools.partial(forgets), rf"The policy forgets {HERE} returned None, and has to"),
    ],
)
async def test_a_policy_that_returns_no_connection_is_named(
    service: SignalRServiceClient, policy: Policy, said: str
) -> None:
    negotiate = negotiating(service, {"NEGOTIATE_IDENTITY": "anonymous"}, policy)
    with pytest.raises(TypeError, match=f"^{said}"):
        await negotiate()


@pytest.mark.parametrize(
    "name",
    ["sub", "nameid", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"],
)
async def test_no_policy_makes_a_user_of_a_claim(
    service: SignalRServiceClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def tells(caller: Caller, _hub: str, connection: Connection) -> Connection:
        return replace(connection, user_id=caller.user_id, claims={name: "bob"})

    negotiate = negotiating(service, {"NEGOTIATE_IDENTITY": "anonymous"}, tells)
    assert await at_fault(negotiate, caplog) == (
        "The policy test_no_policy_makes_a_user_of_a_claim.<locals>.tells or the settings ask for a"
        f" connection that cannot be made: claims {name!r} is the user to the service, and there is"
        " no user_id: give it as user_id, or under another name"
    )
    negotiate = negotiating(service, APP_SERVICE, tells)
    claims = claims_of(await negotiate(ANN))
    assert (claims["asrs.s.uid"], claims[name]) == ("ann", "bob")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"user_id": ".."}, "user_id must not be a path step"),
        ({"claims": {"secret": math.nan}}, "claims cannot be written as JSON: ['secret'] is NaN"),
        ({"claims": {"asrs.s.uid": "bob"}}, "claims 'asrs.s.uid' is a name of the service itself"),
        ({"minutes_to_expire": 0}, "minutes_to_expire must be a positive number"),
    ],
)
@pytest.mark.parametrize("caller", [ANN, {}])
async def test_what_a_policy_cannot_ask_for_is_the_apps_fault(
    service: SignalRServiceClient,
    caller: dict[str, str],
    wanted: dict[str, Any],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def slips(_caller: Caller, _hub: str, connection: Connection) -> Connection:
        return replace(connection, **wanted)

    either = APP_SERVICE | {"NEGOTIATE_IDENTITY": "app-service,anonymous"}
    assert reason in await at_fault(negotiating(service, either, slips), caplog, caller)


async def test_so_is_what_it_cannot_ask_of_the_library(
    service: SignalRServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def greets(_caller: Caller, hub: str, connection: Connection) -> Connection:
        await service.send_to_user(hub, "", "greeting")
        return connection

    reason = await at_fault(negotiating(service, APP_SERVICE, greets), caplog, ANN)
    assert reason.endswith(" cannot be made: user_id must not be empty")
    assert "await service.send_to_user" in caplog.text


async def at_fault(
    negotiate: Negotiate, caplog: pytest.LogCaptureFixture, caller: Mapping[str, str] | None = None
) -> str:
    """Return what the app's log says of a connection that the app's own rules prevent."""
    response = await negotiate(caller)
    assert response.status_code == 500
    detail = json.loads(response.get_body())["detail"]
    assert detail == "The app cannot make this connection. Its log says why."
    (record,) = caplog.records
    return record.getMessage()


@pytest.mark.parametrize("user_id", [".", "..", "u" * 1025, "a\x7fb", " "])
async def test_a_user_id_to_which_nothing_could_be_sent_is_told_at_once(
    service: SignalRServiceClient, user_id: str
) -> None:
    response = await negotiating(service, APP_SERVICE)({"x-ms-client-principal-id": user_id})
    assert response.status_code == 400
    detail = json.loads(response.get_body())["detail"]
    assert detail.startswith("user_id ")
    assert detail.endswith(": nothing could be sent to this user")


async def test_a_policy_may_give_such_a_caller_another_user_id(
    service: SignalRServiceClient,
) -> None:
    def hashed(_caller: Caller, _hub: str, connection: Connection) -> Connection:
        return replace(connection, user_id="u-1")

    negotiate = negotiating(service, APP_SERVICE, hashed)
    claims = claims_of(await negotiate({"x-ms-client-principal-id": "u" * 1025}))
    assert claims["asrs.s.uid"] == "u-1"


@pytest.mark.parametrize(
    "hub",
    ["other", "..", "chat/../admin", "chat%2Fadmin", "ch\0at", "c" * 1025, "chat\r\nx: y", "💬"],
)
async def test_hubs_outside_the_allow_list_are_not_found(
    service: SignalRServiceClient, hub: str
) -> None:
    negotiate = negotiating(service, {"NEGOTIATE_IDENTITY": "anonymous"})
    response = await negotiate(hub=hub)
    assert response.status_code == 404
    assert hub not in response.get_body().decode()
