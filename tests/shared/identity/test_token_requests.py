"""The real azure-identity, at endpoints that fail over real sockets, and past proxies."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.policies import CustomHookPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity._credentials.imds import PIPELINE_SETTINGS

from shared.endpoints.first_token import first_token
from shared.errors import AuthenticationError
from shared.identity.credential import open_credential
from shared.identity.entra_tokens import EntraTokens
from shared.identity.hooks import RequestHooks
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.endpoint import AUDIENCE
from tests.scripted_service import HANG_UP, Reply, ScriptedService, scripted_service

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
HEADER = "header-of-the-endpoint"
NONE = (
    b'{"statusCode":400,"message":"No User Assigned or Delegated Managed Identity found for'
    b' specified ClientId/ResourceId/PrincipalId."}'
)
PASSES = "This passes by itself, and is tried again"
ELSEWHERE = "A proxy or another server answers in its place"

type Environment = Callable[[str], Mapping[str, str]]


def app_service(url: str) -> Mapping[str, str]:
    return {"IDENTITY_ENDPOINT": f"{url}/msi/token", "IDENTITY_HEADER": HEADER}


def imds(url: str) -> Mapping[str, str]:
    return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": url}


def token() -> Reply:
    until = {"expires_in": "3600", "expires_on": str(int(time.time()) + 3600)}
    body = {"access_token": "given", "resource": "r", **until}
    return Reply(200, JSON, json.dumps(body).encode())


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    # azure-identity waits for the metadata service for 25 seconds.
    monkeypatch.setitem(PIPELINE_SETTINGS, "retry_backoff_factor", 0.0)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has azure-core repeat a request at once."""
    monkeypatch.setattr(RequestsTransport, "sleep", lambda *_: None)


@pytest.fixture(params=["azure-identity", "first"])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Gets a token as all of them are got, and as the first one of App Service is."""

    def ask(environment: Mapping[str, str], client_id: str | None = None) -> str:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = CredentialSettings(
            CredentialKind.MANAGED_IDENTITY, client_id=client_id, timeout=0.3
        )
        opened = partial(open_credential, settings, os.environ)
        if request.param == "azure-identity":
            return EntraTokens(opened).get().value
        first = partial(first_token, settings, os.environ, AUDIENCE)
        return EntraTokens(opened, first=first).get().value

    return ask


@pytest.fixture
def failure(ask: Callable[..., str]) -> Callable[..., str]:
    def failure(environment: Mapping[str, str], client_id: str | None = None) -> str:
        with pytest.raises(AuthenticationError) as caught:
            ask(environment, client_id)
        said = str(caught.value)
        assert said.isprintable()
        assert HEADER not in said
        assert "given" not in said
        assert said.startswith("No Entra token from ManagedIdentityCredential: ")
        return said

    return failure


@pytest.mark.parametrize(
    ("environment", "reply", "answered", "remedy"),
    [
        (app_service, Reply(500, JSON, b'{"message":"bro\\nken"}'), "500 (bro ken)", PASSES),
        (app_service, Reply(500), "500", PASSES),
        (app_service, Reply(500, {}, HEADER.encode()), "500 ([hidden])", PASSES),
        (app_service, Reply(400, JSON, NONE), "400 (No User Assigned or", "identity assign"),
        (app_service, Reply(403, JSON, b'{"message":"no"}'), "403 (no)", "restart the app"),
        (app_service, Reply(404), "404 with nothing", ELSEWHERE),
        (app_service, Reply(429), "429", PASSES),
        (app_service, Reply(200, HTML, b"<title>Log in</title>"), "200 with HTML (Log", ELSEWHERE),
        (app_service, Reply(502, HTML, b"<html></html>"), "502 with HTML", ELSEWHERE),
        (app_service, Reply(200), "200 with nothing", ELSEWHERE),
        (app_service, Reply(200, JSON), "200 with nothing", ELSEWHERE),
        (
            app_service,
            Reply(200, JSON, b'{"access_token":"given","expires_on":"2026-11-29T12:00Z"}'),
            "200 with an expires_on that is no number of seconds",
            ELSEWHERE,
        ),
        (app_service, Reply(200, JSON, b'{"expires_on":"1"}'), "with no access_token", ELSEWHERE),
        (imds, Reply(500, JSON, b'{"error":"e"}'), "500 (e)", PASSES),
        (imds, Reply(500), "500", PASSES),
        (
            imds,
            Reply(400, JSON, b'{"error":"e","error_description":"Identity not found"}'),
            "400 (Identity not found)",
            "identity assign",
        ),
        (imds, Reply(403), "403", "A firewall or a proxy"),
        (imds, Reply(404), "404", PASSES),
        (imds, Reply(429), "429", PASSES),
        (imds, Reply(200, HTML, b"<title>Log in</title>"), "200 with HTML (Log in)", ELSEWHERE),
        (imds, Reply(502, HTML, b"<html></html>"), "502 with HTML", ELSEWHERE),
        (imds, Reply(200), "200 with nothing", ELSEWHERE),
        (
            imds,
            Reply(200, JSON, b'{"access_token":"given","expires_in":"soon"}'),
            "no number of seconds",
            ELSEWHERE,
        ),
        (imds, Reply(200, JSON, b'{"expires_in":"1"}'), "200 with no access_token", ELSEWHERE),
    ],
)
def test_an_answer_that_is_no_token(
    failure: Callable[..., str], environment: Environment, reply: Reply, answered: str, remedy: str
) -> None:
    with scripted_service(lambda _: reply) as endpoint:
        said = failure(environment(endpoint.url))
    assert f"the identity endpoint {endpoint.url}/m" in said
    assert answered in said
    assert remedy in said


def test_the_identity_that_is_not_there_is_named(failure: Callable[..., str]) -> None:
    with scripted_service(lambda _: Reply(400, JSON, NONE)) as endpoint:
        said = failure(app_service(endpoint.url), "c-1")
    assert "Assign the app the identity with the client id c-1" in said
    assert "AzureSignalRConnectionString__clientId" in said


@contextmanager
def closed() -> Iterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("environment", [app_service, imds])
def test_an_endpoint_that_refuses_connections(
    failure: Callable[..., str], environment: Environment
) -> None:
    with closed() as url:
        said = failure(environment(url))
    assert f"nothing answers at the identity endpoint {url}/m" in said
    assert "Connection refused)." in said


@pytest.mark.parametrize("environment", [app_service, imds])
def test_an_endpoint_that_hangs(failure: Callable[..., str], environment: Environment) -> None:
    with silent() as url:
        assert " does not answer in time. " in failure(environment(url))


def test_an_endpoint_that_hangs_up(failure: Callable[..., str]) -> None:
    with scripted_service(lambda _: HANG_UP) as endpoint:
        assert "nothing answers at" in failure(app_service(endpoint.url))


def test_an_answer_of_another_time_is_not_taken_for_this_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replies = [Reply(500), token(), Reply(429)]
    with scripted_service(lambda _: replies.pop(0)) as endpoint:
        for name, value in app_service(endpoint.url).items():
            monkeypatch.setenv(name, value)
        settings = CredentialSettings(CredentialKind.MANAGED_IDENTITY)
        tokens = EntraTokens(lambda: open_credential(settings, os.environ))
        with pytest.raises(AuthenticationError, match="it answered 500"):
            tokens.get()
        given = tokens.get()
        with pytest.raises(AuthenticationError, match="it answered 429"):
            tokens.get(rejected=given)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedService]:
    """A proxy for everything, which has to be asked for nothing."""
    with scripted_service(lambda _: Reply(502, HTML, b"<title>Proxy</title>")) as proxy:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        yield proxy


@pytest.mark.parametrize("environment", [app_service, imds])
def test_an_identity_endpoint_is_not_asked_through_a_proxy(
    proxy: ScriptedService, ask: Callable[..., str], environment: Environment
) -> None:
    before = dict(os.environ)
    with scripted_service(lambda _: token()) as endpoint:
        settings = environment(endpoint.url)
        assert ask(settings) == "given"
    assert len(endpoint.received) == 1
    assert proxy.received == []
    assert dict(os.environ) == before | dict(settings)


def machine_learning(url: str) -> Mapping[str, str]:
    return {"MSI_ENDPOINT": f"{url}/msi/token", "MSI_SECRET": HEADER}


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("environment", [app_service, machine_learning])
def test_an_identity_endpoint_elsewhere_is_not_asked_through_a_proxy(
    proxy: ScriptedService, failure: Callable[..., str], environment: Environment
) -> None:
    said = failure(environment("http://identity.invalid"))
    assert "nothing answers at the identity endpoint http://identity.invalid/msi/token" in said
    assert proxy.received == []


@pytest.mark.parametrize("url", ["http://169.254.169.254/metadata", "http://localhost/msi"])
def test_an_address_that_only_this_machine_reaches_takes_no_proxy(url: str) -> None:
    hooks = RequestHooks(CredentialSettings(), {})
    options = CustomHookPolicy[HttpRequest, HttpResponse](**hooks.options)
    context = PipelineContext(None)
    options.on_request(PipelineRequest(HttpRequest("GET", url), context))
    assert context.options["proxies"] == {"http": None, "https": None, "all": None}


@pytest.mark.usefixtures("no_pauses")
def test_entra_is_asked_through_a_proxy(proxy: ScriptedService) -> None:
    settings = CredentialSettings(CredentialKind.CLIENT_SECRET, "c", "t", "the-secret", timeout=0.3)
    with pytest.raises(AuthenticationError, match=r"Entra ID at https://login\.microsoftonline"):
        EntraTokens(lambda: open_credential(settings, os.environ)).get()
    assert {each.method for each in proxy.received} == {"CONNECT"}
