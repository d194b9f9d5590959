"""A sign-in that renews itself, from the client's own bytes to the service and back."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
import requests

from tests.e2e.bearer_login import Login
from tests.e2e.processes import PATIENCE, Emulator, FunctionApp, emulator, function_app
from tests.e2e.recorded_client import TRANSPORTS, Answer, RecordedClient, recorded_client
from tests.issuer import TestIssuer

EXPIRED = {"type": 7, "allowReconnect": True}

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@pytest.fixture(scope="module")
def app(
    service: Emulator, issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    settings = settings_of(service, issuer)
    with function_app(settings, tmp_path_factory.mktemp("app")) as running:
        yield running


def settings_of(service: Emulator, issuer: TestIssuer) -> dict[str, str]:
    return {
        **service.app_settings,
        **issuer.app_settings,
        "NEGOTIATE_IDENTITY": "oidc,anonymous",
        "NEGOTIATE_CLAIMS": "role",
        "NEGOTIATE_CLOSE_ON_EXPIRATION": "true",
    }


@pytest.fixture
def login(issuer: TestIssuer, app: FunctionApp, service: Emulator) -> Login:
    return Login(issuer, app, service)


def hears(app: FunctionApp, client: RecordedClient, text: str) -> None:
    """Show that a connection goes on."""
    answer = app.post(
        "broadcast",
        {"target": "t", "arguments": [text], "connectionId": client.connection_id},
    )
    assert answer.status_code == 202
    assert client.receive() == {"type": 1, "target": "t", "arguments": [text]}


def renewed(answer: Answer) -> int:
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json().keys() == {"accessToken", "tokenLifetimeSeconds"}
    lifetime: int = answer.json()["tokenLifetimeSeconds"]
    return lifetime


@every_transport
def test_a_connection_outlives_two_sign_ins(app: FunctionApp, login: Login, transport: str) -> None:
    with recorded_client(app.url, transport, login.token()) as client:
        assert client.lifetime in {598, 599}
        first = client.token
        for text in ("once", "twice"):
            login.wait(400)
            client.bearer = login.token(role="new")
            assert renewed(client.refresh()) in {598, 599}
            hears(app, client, text)
        if transport != "WebSockets":
            invocation = {"type": 1, "target": "t", "arguments": []}
            statuses = [
                answer.status
                for answer in (
                    client.send(invocation),
                    replace(client, token=first).send(invocation),
                )
                if answer is not None
            ]
            assert statuses == [200, 401]


@every_transport
def test_one_that_nobody_renews_ends_with_its_sign_in(
    app: FunctionApp, login: Login, transport: str
) -> None:
    with recorded_client(app.url, transport, login.token()) as client:
        with client.polling() if transport == "LongPolling" else contextlib.nullcontext():
            # The service has read what was sent before.
            login.wait(0)
            login.wait(0)
            login.wait(601)
        assert client.receive() == EXPIRED
        with pytest.raises(ConnectionError):
            client.receive()


def test_a_session_that_ends_sooner_shortens_the_token_and_not_the_connection(
    app: FunctionApp, login: Login
) -> None:
    with recorded_client(app.url, "WebSockets", login.token()) as client:
        client.bearer = login.token(seconds=60)
        assert renewed(client.refresh()) in {58, 59}
        login.wait(300)
        hears(app, client, "still here")
        login.wait(301)
        assert client.receive() == EXPIRED


def test_what_is_refused_leaves_the_connection_as_it_is(app: FunctionApp, login: Login) -> None:
    with (
        recorded_client(app.url, "WebSockets", login.token(sub="ann")) as ann,
        recorded_client(app.url, "WebSockets", login.token(sub="bob")) as bob,
        recorded_client(f"{app.url}/news", "WebSockets", login.token(sub="ann")) as news,
        recorded_client(app.url, "WebSockets", login.token(sub="ann"), version=0) as old,
        recorded_client(app.url, "WebSockets", "") as nobody,
    ):
        gone = RecordedClient(app.url, "WebSockets", login.token(sub="ann"))
        gone.start()
        gone.end()

        def refused(client: RecordedClient, **headers: str) -> tuple[int, str]:
            answer = client.refresh(**headers)
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert ann.connection_token not in answer.body.decode()
            return answer.status, answer.json()["error"]

        unknown = (404, "connection_not_found")
        token = "X_SignalR_Connection_Token"
        assert refused(ann, **{token: ""}) == (400, "missing_connection_token")
        assert refused(ann, **{token: bob.connection_token}) == (403, "permission_change_rejected")
        assert refused(ann, **{token: nobody.connection_token}) == (
            403,
            "permission_change_rejected",
        )
        assert refused(ann, **{token: news.connection_token}) == unknown
        assert refused(ann, **{token: gone.connection_token}) == unknown
        assert refused(ann, **{token: ann.connection_id}) == unknown
        doubled = f"{ann.connection_token},{ann.connection_token}"
        assert refused(ann, **{token: doubled}) == unknown
        assert refused(old) == unknown
        assert refused(nobody) == (401, "invalid_token")
        assert refused(replace(ann, bearer="x.y.z")) == (401, "invalid_token")
        large = login.token(sub="ann", role="r" * 4000)
        too_large = replace(ann, bearer=large).refresh()
        assert (too_large.status, "role" in too_large.json()["detail"]) == (413, True)
        over = replace(ann, bearer=login.token(sub="ann", seconds=-1))
        assert refused(over) == (401, "invalid_token")
        get = requests.get(f"{app.url}/refresh", timeout=PATIENCE)
        assert (get.status_code, get.headers["Allow"]) == (405, "POST")
        for client in (ann, bob, old, nobody):
            hears(app, client, "still here")
        renewed(ann.refresh())
        assert ann.connection_token not in app.process.output


def test_the_query_of_the_hub_url_goes_along_and_its_id_is_no_connection(
    app: FunctionApp, login: Login
) -> None:
    url = f"{app.url}?hub=news&tenant=a%20b&id=7"
    with recorded_client(url, "WebSockets", login.token()) as client:
        renewed(client.refresh())
        claims = jwt.decode(client.token, options={"verify_signature": False})
        assert claims["aud"].endswith("?hub=news")


def test_two_at_once_are_two_and_the_last_answer_gives_the_token(
    app: FunctionApp, login: Login
) -> None:
    with (
        recorded_client(app.url, "LongPolling", login.token()) as client,
        ThreadPoolExecutor() as threads,
    ):
        asked = [threads.submit(replace(client).refresh) for _ in range(2)]
        for each in asked:
            renewed(each.result())
            client.token = each.result().json()["accessToken"]
            hears(app, client, "still here")


def test_a_service_that_fails_is_asked_again_and_then_told_of(
    app: FunctionApp, login: Login, service: Emulator
) -> None:
    with recorded_client(app.url, "WebSockets", login.token()) as client:
        service.add_fault(operation="refreshAuth", status=500, times=1)
        renewed(client.refresh())
        service.add_fault(operation="refreshAuth", status=503, headers={"Retry-After": "60"})
        try:
            answer = client.refresh()
        finally:
            service.clear_faults()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
        assert answer.json()["error"] == "internal_server_error"
        hears(app, client, "still here")


def test_a_poll_that_asks_for_it_goes_on_after_a_refresh(
    app: FunctionApp, login: Login, service: Emulator
) -> None:
    with recorded_client(app.url, "LongPolling", login.token()) as client:
        service.add_fault(action="refreshRequired", hub="chat", times=1)
        answer = client.poll()
        assert (answer.status, answer.json()) == (409, {"error": "authentication_refresh_required"})
        renewed(client.refresh())
        hears(app, client, "still here")


def test_a_service_without_the_feature_knows_no_connection(
    issuer: TestIssuer, tmp_path: Path
) -> None:
    log = tmp_path / "emulator.log"
    with (
        emulator(log, "--no-authentication-refresh") as service,
        function_app(settings_of(service, issuer), tmp_path) as app,
        recorded_client(app.url, "WebSockets", Login(issuer, app, service).token()) as client,
    ):
        answer = client.refresh()
        assert (answer.status, answer.json()["error"]) == (404, "connection_not_found")
        hears(app, client, "still here")


def test_the_hub_of_an_application_is_renewed_as_its_own(
    service: Emulator, issuer: TestIssuer, tmp_path: Path
) -> None:
    settings = settings_of(service, issuer) | {"SIGNALR_APPLICATION": "alice"}
    with (
        function_app(settings, tmp_path) as app,
        recorded_client(app.url, "WebSockets", Login(issuer, app, service).token()) as client,
    ):
        renewed(client.refresh())
        claims = jwt.decode(client.token, options={"verify_signature": False})
        assert claims["aud"].endswith("?hub=alice_chat")
        hears(app, client, "still here")
