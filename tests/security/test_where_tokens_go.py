"""Tokens, keys and secrets go to whom they are for, and nobody can have them sent elsewhere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.e2e.processes import PATIENCE, FunctionApp, function_app, start_functions
from tests.scripted_service import Received, Reply, ScriptedService, scripted_service

REDIRECTS = (301, 302, 303, 307, 308)
TOKEN = "e30.eyJvaWQiOiIxIn0.entra-signature"
IDENTITY_HEADER = "the-identity-header"
TOKEN_REPLY = Reply(
    200, body=json.dumps({"access_token": TOKEN, "expires_on": "99999999999"}).encode()
)
KEY_REPLY = Reply(200, body=b'{"AccessKey": "%s", "KeyId": "1"}' % (b"k" * 40))


class Misleading:
    """A service that leads whoever calls it to the attacker, as soon as it is told how."""

    def __init__(self, attacker: ScriptedService) -> None:
        self._attacker = attacker
        self.status = 307
        self.identity_redirects = False

    def answer(self, request: Received) -> Reply:
        redirect = Reply(self.status, {"Location": f"{self._attacker.url}{request.path}"})
        if request.path.startswith("/msi/token"):
            return redirect if self.identity_redirects else TOKEN_REPLY
        if request.path.endswith("/accessKey"):
            return redirect
        if request.method == "GET" and "/groups/linked/" in request.path:
            link = f"{self._attacker.url}/next?continuationToken=x"
            more = "continuationToken" not in request.path
            page: dict[str, object] = {"value": [], "nextLink": link if more else None}
            return Reply(200, body=json.dumps(page).encode())
        return redirect


@pytest.fixture(scope="module")
def attacker() -> Iterator[ScriptedService]:
    """Takes whatever comes, and would answer as the real thing does."""

    def answer(request: Received) -> Reply:
        if request.path.startswith("/msi/token"):
            return TOKEN_REPLY
        return KEY_REPLY if request.path.endswith("/accessKey") else Reply(202)

    with scripted_service(answer) as running:
        yield running


@contextmanager
def led_app(leading: Misleading, folder: Path) -> Iterator[FunctionApp]:
    with scripted_service(leading.answer) as service:
        settings = {
            "AzureSignalRConnectionString__serviceUri": service.url,
            "IDENTITY_ENDPOINT": f"{service.url}/msi/token",
            "IDENTITY_HEADER": IDENTITY_HEADER,
        }
        with function_app(settings, folder) as running:
            yield running


@pytest.fixture(scope="module")
def leading(attacker: ScriptedService) -> Misleading:
    return Misleading(attacker)


@pytest.fixture(scope="module")
def app(leading: Misleading, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionApp]:
    with led_app(leading, tmp_path_factory.mktemp("led")) as running:
        yield running


def test_no_token_follows_a_redirect_of_the_service(
    app: FunctionApp, leading: Misleading, attacker: ScriptedService
) -> None:
    for status in REDIRECTS:
        leading.status = status
        message = app.post("broadcast", {"target": "t", "userId": "ann"})
        assert message.json()["results"][0]["status"] == "refused"
        assert app.post("groups", {"action": "removeAll", "userId": "ann"}).status_code == 502
        for method in ("HEAD", "DELETE"):
            url = f"{app.url}/connections/c"
            assert requests.request(method, url, timeout=PATIENCE).status_code == 502
    assert attacker.received == []


def test_no_token_follows_a_link_to_the_next_page(
    app: FunctionApp, attacker: ScriptedService
) -> None:
    answer = requests.get(f"{app.url}/groups/linked/connections", timeout=PATIENCE)
    assert answer.status_code == 200
    assert attacker.received == []


def test_no_token_follows_a_redirect_of_the_auth_api(
    app: FunctionApp, attacker: ScriptedService
) -> None:
    assert app.post("negotiate").status_code in {502, 503}
    assert attacker.received == []


def test_no_secret_follows_a_redirect_of_the_identity_endpoint(
    attacker: ScriptedService, tmp_path: Path
) -> None:
    leading = Misleading(attacker)
    leading.identity_redirects = True
    with led_app(leading, tmp_path) as app:
        assert app.post("negotiate").status_code in {502, 503}
    assert IDENTITY_HEADER not in str(attacker.received)


@pytest.mark.parametrize(
    "settings",
    [
        {"AzureSignalRConnectionString__serviceUri": "http://169.254.169.254"},
        {
            "AzureSignalRConnectionString__serviceUri": "http://signalr:8888",
            "SIGNALR_ALLOW_HTTP_HOSTS": "signalr",
            "WEBSITE_INSTANCE_ID": "0123456789abcdef",
        },
        {
            "AzureSignalRConnectionString__serviceUri": "https://contoso.service.signalr.net",
            "UPSTREAM_TENANT_ID": "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83",
            "UPSTREAM_AUDIENCE": "a",
            "UPSTREAM_KEYS_URL": "http://evil.example/keys",
        },
        {
            "AzureSignalRConnectionString__serviceUri": "https://contoso.service.signalr.net",
            "NEGOTIATE_IDENTITY": "oidc",
            "NEGOTIATE_OIDC_ISSUER": "http://evil.example",
            "NEGOTIATE_OIDC_AUDIENCE": "a",
        },
        {
            "AzureSignalRConnectionString": (
                "Endpoint=https://contoso.service.signalr.net;Version=1.0;AccessKey=" + "k" * 44
            ),
        },
    ],
    ids=lambda settings: str(list(settings.values())[-1]),
)
def test_an_address_that_would_lay_secrets_open_ends_the_start(
    settings: dict[str, str], tmp_path: Path
) -> None:
    process = start_functions(settings, tmp_path)
    assert process.process.wait(PATIENCE) == 1
    assert "Example: " in process.output
    assert "k" * 44 not in process.output
