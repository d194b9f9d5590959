"""The functions as an app registers them: by choice, with routes, names and levels of its own."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import azure.functions as func
import pytest

from shared import CredentialSettings, Hubs, InvalidArgumentError, SettingsError
from shared import SignalRServiceClient as BlockingClient
from shared.aio import SignalRServiceClient
from shared.functions import (
    BROADCAST,
    CONNECTIONS,
    GROUPS,
    HEALTH,
    NEGOTIATE,
    OPENAPI,
    UPSTREAM,
    Events,
    Identity,
    NegotiateSettings,
    SignalRFunctions,
)

ALL = {**NEGOTIATE, **BROADCAST, **GROUPS, **CONNECTIONS, **UPSTREAM}
ANYBODY = NegotiateSettings((Identity.ANONYMOUS,))


@pytest.fixture
async def service() -> AsyncIterator[SignalRServiceClient]:
    async with SignalRServiceClient("http://127.0.0.1:1", CredentialSettings()) as client:
        yield client


@pytest.fixture
def signalr(service: SignalRServiceClient) -> SignalRFunctions:
    return SignalRFunctions(service, ["Chat", "a.b"], ANYBODY)


def triggers(blueprint: func.Blueprint) -> dict[str, dict[str, Any]]:
    app = func.FunctionApp()
    app.register_functions(blueprint)
    return {
        str(each.get_function_name()): json.loads(each.get_raw_bindings()[0])
        for each in app.get_functions()
    }


def test_all_that_an_app_needs_is_there_by_default_and_nothing_that_tells_of_it(
    signalr: SignalRFunctions,
) -> None:
    assert set(triggers(signalr.blueprint())) == set(ALL)


@pytest.mark.parametrize("routes", [NEGOTIATE, {**NEGOTIATE, **BROADCAST}, HEALTH, OPENAPI])
def test_an_app_chooses_which_functions_there_are(
    signalr: SignalRFunctions, routes: Mapping[str, str]
) -> None:
    assert set(triggers(signalr.blueprint(routes))) == set(routes)


def test_a_prefix_stands_before_routes_and_names(signalr: SignalRFunctions) -> None:
    found = triggers(signalr.blueprint({**BROADCAST, **CONNECTIONS}, prefix="real-time/v2"))
    assert {name: each["route"] for name, each in found.items()} == {
        "real_time_v2_broadcast": "real-time/v2/broadcast",
        "real_time_v2_connection": "real-time/v2/connections/{connectionId}",
        "real_time_v2_connected_user": "real-time/v2/users/{userId}",
    }


def test_negotiate_takes_the_apps_own_hubs_and_no_other_first_step(
    signalr: SignalRFunctions,
) -> None:
    route = triggers(signalr.blueprint(NEGOTIATE))["negotiate_hub"]["route"]
    assert route == r"{hub:regex(^(a\.b|chat)$)}/negotiate"


def test_negotiate_takes_hubs_by_pattern(service: SignalRServiceClient) -> None:
    signalr = SignalRFunctions(service, ["Tenant_*", "chat"], ANYBODY)
    route = triggers(signalr.blueprint(NEGOTIATE))["negotiate_hub"]["route"]
    assert route == r"{hub:regex(^(chat|tenant_.*)$)}/negotiate"


def test_a_route_of_ones_own_is_taken_as_it_is(signalr: SignalRFunctions) -> None:
    routes = {"negotiate_hub": "sockets/{hub}", "connection": "c/{connectionId}/now"}
    found = triggers(signalr.blueprint(routes))
    assert {name: each["route"] for name, each in found.items()} == routes


def test_who_sends_shows_a_key_of_the_level_that_the_app_chooses(signalr: SignalRFunctions) -> None:
    found = triggers(signalr.blueprint({**ALL, **HEALTH}, auth_level=func.AuthLevel.ADMIN))
    anonymous = {name for name, each in found.items() if each["authLevel"] == "ANONYMOUS"}
    assert anonymous == {*NEGOTIATE, "upstream", "health"}
    assert {each["authLevel"] for name, each in found.items() if name not in anonymous} == {"ADMIN"}


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({"negotiat": "negotiate"}, "has 'negotiat', and the functions are broadcast, connected_"),
        ({"connection": "connections"}, "'connections/{connectionId}'"),
        ({"negotiate": "{hub}/negotiate"}, "the same names have to stand in braces"),
        ({"negotiate": "/negotiate"}, "text before and after each slash, as in 'negotiate'"),
        ({"broadcast": "send//all"}, "the route 'send//all'"),
        ({"health": ""}, "the route ''"),
    ],
)
def test_a_wrong_route_ends_the_start(
    signalr: SignalRFunctions, routes: Mapping[str, str], said: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^routes ") as caught:
        signalr.blueprint(routes)
    assert said in str(caught.value)


@pytest.mark.parametrize("prefix", ["/realtime", "realtime/", "a b", "{hub}", "1st", "a//b"])
def test_a_wrong_prefix_ends_the_start(signalr: SignalRFunctions, prefix: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^prefix is .* such as 'realtime'"):
        signalr.blueprint(prefix=prefix)


def test_the_blocking_client_is_refused() -> None:
    with (
        BlockingClient("http://127.0.0.1:1", CredentialSettings()) as blocking,
        pytest.raises(InvalidArgumentError, match=r"^service must be the awaitable client"),
    ):
        SignalRFunctions(blocking, ["chat"], ANYBODY)  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize("hubs", [[], ["no hub"], "chat"])
async def test_wrong_hubs_end_the_start(service: SignalRServiceClient, hubs: Sequence[str]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^hubs? "):
        SignalRFunctions(service, hubs, ANYBODY)


def test_the_first_hub_is_the_default() -> None:
    assert Hubs.of(["News", "chat"]) == Hubs(frozenset({"news", "chat"}), "news")


def test_a_wrong_setting_ends_the_start_with_its_name() -> None:
    with pytest.raises(SettingsError, match=r"^SIGNALR_HUBS is not set"):
        SignalRFunctions.from_environment({})


async def test_handlers_are_registered_where_they_are_written(signalr: SignalRFunctions) -> None:
    @signalr.events.on_connected("chat")
    async def connected(event: object) -> None: ...

    with pytest.raises(ValueError, match="has a handler already"):
        signalr.events.on_connected("chat")(connected)


async def test_a_handler_of_a_hub_that_is_not_served_ends_the_start(
    service: SignalRServiceClient,
) -> None:
    events = Events()

    @events.on_message("Chta", "say")
    async def say(event: object) -> None: ...

    written = r"^events has the handler .*say \(\S*test_signalr_functions\.py, line \d+\)"
    with pytest.raises(InvalidArgumentError, match=written) as caught:
        SignalRFunctions(service, ["chat"], ANYBODY, events=events)
    assert "SIGNALR_HUBS=chat,chta" in str(caught.value)


async def test_a_handler_for_hubs_by_pattern_is_for_one_of_them(
    service: SignalRServiceClient,
) -> None:
    events = Events()

    @events.on_message("tenant_*", "say")
    async def say(event: object) -> None: ...

    SignalRFunctions(service, ["chat", "tenant_*"], ANYBODY, events=events)
    SignalRFunctions(service, ["tenant_7"], ANYBODY, events=events)
    with pytest.raises(InvalidArgumentError, match=r"Add the hub, .* SIGNALR_HUBS=chat,tenant_\*,"):
        SignalRFunctions(service, ["chat"], ANYBODY, events=events)


async def test_so_does_one_that_is_registered_later(signalr: SignalRFunctions) -> None:
    async def later(event: object) -> None: ...

    signalr.events.on_connected("CHAT")(later)
    with pytest.raises(InvalidArgumentError, match=r"for the hub 'news', which the app does not"):
        signalr.events.on_connected("news")(later)


async def test_the_description_is_of_what_is_registered(signalr: SignalRFunctions) -> None:
    signalr.blueprint(NEGOTIATE, prefix="realtime")
    described = await description(signalr.blueprint(OPENAPI))
    assert set(described["paths"]) == {
        "/realtime/negotiate",
        "/realtime/{hub}/negotiate",
        "/realtime/refresh",
        "/realtime/{hub}/refresh",
        "/openapi.json",
    }


async def test_a_request_that_has_to_name_a_hub_is_described_so(
    service: SignalRServiceClient,
) -> None:
    needed = {}
    for hubs in (["chat"], ["tenant_*"]):
        signalr = SignalRFunctions(service, hubs, ANYBODY)
        signalr.blueprint({**CONNECTIONS, **BROADCAST, **NEGOTIATE})
        described = (await description(signalr.blueprint(OPENAPI)))["paths"]
        needed[hubs[0]] = {
            path
            for path, operations in described.items()
            for operation in operations.values()
            for each in operation.get("parameters", ())
            if (each["name"], each["in"], each["required"]) == ("hub", "query", True)
        }
    # An item may name its hub instead, and a policy may choose one.
    assert needed == {
        "chat": set(),
        "tenant_*": {"/connections/{connectionId}", "/users/{userId}"},
    }


async def test_every_route_of_a_function_with_several_is_described(
    signalr: SignalRFunctions,
) -> None:
    signalr.blueprint({**NEGOTIATE, **CONNECTIONS})
    signalr.blueprint({**NEGOTIATE, **CONNECTIONS}, prefix="real-time/v2")
    described = await description(signalr.blueprint(OPENAPI))
    names = {
        path: {method: operation["operationId"] for method, operation in operations.items()}
        for path, operations in described["paths"].items()
    }
    assert names == {
        "/negotiate": {"post": "negotiate"},
        "/{hub}/negotiate": {"post": "negotiateHub"},
        "/refresh": {"post": "refresh"},
        "/{hub}/refresh": {"post": "refreshHub"},
        "/connections/{connectionId}": {"head": "connectionExists", "delete": "closeConnection"},
        "/users/{userId}": {"head": "userExists"},
        "/real-time/v2/negotiate": {"post": "real_time_v2_negotiate"},
        "/real-time/v2/{hub}/negotiate": {"post": "real_time_v2_negotiateHub"},
        "/real-time/v2/refresh": {"post": "real_time_v2_refresh"},
        "/real-time/v2/{hub}/refresh": {"post": "real_time_v2_refreshHub"},
        "/real-time/v2/connections/{connectionId}": {
            "head": "real_time_v2_connectionExists",
            "delete": "real_time_v2_closeConnection",
        },
        "/real-time/v2/users/{userId}": {"head": "real_time_v2_userExists"},
        "/openapi.json": {"get": "openapi"},
    }


@pytest.mark.parametrize(
    ("routes", "prefix", "path"),
    [
        (OPENAPI, "", "openapi.json"),
        (OPENAPI, "realtime", "realtime/openapi.json"),
        ({"openapi": "docs/api.json"}, "real-time/v2", "real-time/v2/docs/api.json"),
    ],
)
@pytest.mark.parametrize("base", ["http://localhost/api", "https://a.b/rt/v1", "https://a.b"])
async def test_the_server_of_the_description_is_where_the_paths_begin(
    signalr: SignalRFunctions, routes: Mapping[str, str], prefix: str, path: str, base: str
) -> None:
    # A second description has an address of its own.
    signalr.blueprint(OPENAPI, prefix="other/place")
    described = await description(signalr.blueprint(routes, prefix=prefix))
    (server,) = described["servers"]
    assert urljoin(f"{base}/{path}", server["url"]) == f"{base}/"
    assert f"/{path}" in described["paths"]


async def description(blueprint: func.Blueprint) -> Any:  # noqa: ANN401  JSON
    app = func.FunctionApp()
    app.register_functions(blueprint)
    (function,) = app.get_functions()
    request = func.HttpRequest("GET", "http://localhost/anywhere", body=b"")
    answer = await function.get_user_function()(request)
    return json.loads(answer.get_body())
