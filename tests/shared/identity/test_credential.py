import io
import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.identity
import jwt
import pytest
import requests
import trustme
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared import SignalRServiceClient
from shared.errors import AuthenticationError
from shared.identity.credential import open_credential
from shared.identity.entra_tokens import EntraTokens
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.transport.flow import Response
from shared.transport.http import Transport
from tests.scripted_service import Received, Reply, scripted_service


def at_once(work: Callable[[], None]) -> None:
    """Ask in the caller's own thread, so that a test sees what came of it."""
    work()


class Credential:
    """Counts; the real ones are tried against the emulator."""

    def __init__(self) -> None:
        self.calls = 0
        self.expires_on = 10_000
        self.error: Exception | None = None

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        assert scopes == ("https://signalr.azure.com/.default",)
        self.calls += 1
        time.sleep(0)
        if self.error is not None:
            raise self.error
        return AccessToken(f"token-{self.calls}", self.expires_on)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_token_serves_all_callers() -> None:
    credential, barrier = Credential(), threading.Barrier(20)
    tokens = EntraTokens(lambda: credential, clock=Clock())

    def get() -> str:
        barrier.wait()
        return tokens.get().value

    with ThreadPoolExecutor(20) as threads:
        values = {each.result() for each in [threads.submit(get) for _ in range(20)]}
    assert values == {"token-1"}
    assert credential.calls == 1


def test_a_token_is_renewed_five_minutes_before_its_end() -> None:
    credential, clock = Credential(), Clock()
    tokens = EntraTokens(lambda: credential, clock=clock, spawn=at_once)
    tokens.get()
    clock.now = 9_699
    assert tokens.get().value == "token-1"
    clock.now = 9_700
    assert tokens.get().value == "token-2"


def test_a_failed_renewal_keeps_the_token_until_its_end() -> None:
    credential, clock = Credential(), Clock()
    tokens = EntraTokens(lambda: credential, clock=clock, spawn=at_once)
    tokens.get()
    credential.error = ClientAuthenticationError("down")
    clock.now = 9_999
    assert tokens.get().value == "token-1"
    clock.now = 10_000
    with pytest.raises(AuthenticationError, match="No Entra token from Credential: down"):
        tokens.get()


def test_a_failed_renewal_is_not_tried_again_for_half_a_minute() -> None:
    credential, clock = Credential(), Clock()
    tokens = EntraTokens(lambda: credential, clock=clock, spawn=at_once)
    tokens.get()
    credential.error = ClientAuthenticationError("down")
    asked = []
    for clock.now in (9_700, 9_700.5, 9_729.9, 9_730, 9_731):
        assert tokens.get().value == "token-1"
        asked.append(credential.calls)
    assert asked == [2, 2, 2, 3, 3]
    credential.error, clock.now = None, 9_760
    assert tokens.get().value == "token-4"


def test_a_renewal_that_brings_no_later_token_is_not_repeated_at_once() -> None:
    credential, clock = Credential(), Clock()
    tokens = EntraTokens(lambda: credential, clock=clock, spawn=at_once)
    asked = []
    for clock.now in (0, 9_800, 9_801, 9_829, 9_830):
        tokens.get()
        asked.append(credential.calls)
    assert asked == [1, 2, 2, 2, 3]


def test_a_failed_renewal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    credential, clock = Credential(), Clock()
    tokens = EntraTokens(lambda: credential, clock=clock, spawn=at_once)
    tokens.get()
    credential.error = ClientAuthenticationError("down")
    clock.now = 9_700
    tokens.get()
    assert "The Entra token at hand is used until it ends: " in caplog.text
    assert "token-1" not in caplog.text


def test_while_one_renews_the_others_use_the_token_at_hand() -> None:
    class Slow(Credential):
        asked, answer = threading.Event(), threading.Event()

        def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401  as above
            if self.calls:
                self.asked.set()
                assert self.answer.wait(10)
            return super().get_token(*scopes, **options)

    credential, clock = Slow(), Clock()
    tokens = EntraTokens(lambda: credential, clock=clock, spawn=at_once)
    tokens.get()
    clock.now = 9_700
    with ThreadPoolExecutor(1) as threads:
        renewing = threads.submit(tokens.get)
        assert credential.asked.wait(10)
        assert [tokens.get().value for _ in range(3)] == ["token-1"] * 3
        credential.answer.set()
        assert renewing.result(10).value == "token-2"
    assert tokens.get().value == "token-2"
    assert credential.calls == 2


def test_a_rejected_token_is_replaced_by_one_of_a_new_credential() -> None:
    opened: list[Credential] = []

    def open_one() -> Credential:
        opened.append(Credential())
        # azure-identity answers from memory, and a new credential has none.
        opened[-1].calls = 10 * len(opened)
        return opened[-1]

    tokens = EntraTokens(open_one, clock=Clock())
    first = tokens.get()
    second = tokens.get("https://contoso.service.signalr.net", first)
    assert (first.value, second.value) == ("token-11", "token-21")
    # Another caller, whose request was under way with the first one.
    assert tokens.get(rejected=first) is second
    assert tokens.get() is second
    assert len(opened) == 2


def test_a_credential_that_fails_is_replaced_by_a_new_one() -> None:
    broken, good = Credential(), Credential()
    broken.error = ClientAuthenticationError("down")
    credentials = iter([broken, good])
    tokens = EntraTokens(lambda: next(credentials), clock=Clock())
    with pytest.raises(AuthenticationError, match="down"):
        tokens.get()
    assert tokens.get().value == "token-1"


def test_a_child_process_keeps_the_token_and_opens_a_credential_of_its_own() -> None:
    parents, childs = Credential(), Credential()
    credentials, clock = iter([parents, childs]), Clock()
    tokens = EntraTokens(lambda: next(credentials), clock=clock, spawn=at_once)
    first = tokens.get()
    tokens.after_fork()
    assert tokens.get() is first
    clock.now = 9_700
    assert tokens.get() is not first
    assert (parents.calls, childs.calls) == (1, 1)


def test_tokens_do_not_show() -> None:
    assert "token-1" not in repr(EntraTokens(Credential).get())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (CredentialSettings(), azure.identity.DefaultAzureCredential),
        (
            CredentialSettings(CredentialKind.MANAGED_IDENTITY, client_id="c"),
            azure.identity.ManagedIdentityCredential,
        ),
        (
            CredentialSettings(CredentialKind.CLIENT_SECRET, "c", "t", "s"),
            azure.identity.ClientSecretCredential,
        ),
    ],
)
def test_kinds_of_credentials(settings: CredentialSettings, expected: type) -> None:
    credential = open_credential(settings, {})
    assert type(credential) is expected
    credential.close()  # type: ignore[attr-defined]  # every one of azure-identity has it


def test_azure_identity_asks_app_service_once_and_its_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [Reply(500, {"Content-Type": "application/json"}, b'{"message": "broken"}')]

    def answer(_: Received) -> Reply:
        body = {"access_token": "t", "expires_on": str(int(time.time()) + 3600), "resource": "r"}
        ok = Reply(200, {"Content-Type": "application/json"}, json.dumps(body).encode())
        return answers.pop() if answers else ok

    with scripted_service(answer) as app_service:
        environment = {"IDENTITY_ENDPOINT": f"{app_service.url}/msi/token", "IDENTITY_HEADER": "h"}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = CredentialSettings(CredentialKind.MANAGED_IDENTITY)
        tokens = EntraTokens(lambda: open_credential(settings, environment))
        with pytest.raises(AuthenticationError, match="ManagedIdentityCredential"):
            tokens.get()
        assert len(app_service.received) == 1
        assert tokens.get().value == "t"
    assert app_service.received[0].headers["X-IDENTITY-HEADER"] == "h"


class Entra:
    """Stands for all of the network: Entra ID gives tokens, and the service knows every user."""

    def __init__(self) -> None:
        self.forms: list[tuple[str, dict[str, list[str]]]] = []
        self.refusal: dict[str, object] | None = None

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        url = urlsplit(request.url or "")
        base = f"https://{url.netloc}/t/oauth2/v2.0"
        answer: dict[str, object] = {"authorization_endpoint": f"{base}/authorize"}
        answer |= {"token_endpoint": f"{base}/token", "issuer": f"https://{url.netloc}/t/v2.0"}
        answer["metadata"] = []
        if request.method == "POST":
            self.forms.append((request.url or "", parse_qs(str(request.body))))
            answer = {"access_token": "entra", "expires_in": 3600, "token_type": "Bearer"}
        refused = request.method == "POST" and self.refusal is not None
        response = requests.Response()
        response.status_code, response.request = 401 if refused else 200, request
        response.headers["Content-Type"] = "application/json"
        response.raw = io.BytesIO(json.dumps(self.refusal if refused else answer).encode())
        return response

    @property
    def hosts(self) -> list[str | None]:
        return [urlsplit(url).hostname for url, _ in self.forms]


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> Entra:
    entra = Entra()
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda _, request, **__: entra.send(request)
    )
    monkeypatch.setattr(Transport, "send", lambda *_: Response(200, {}))
    return entra


APP = CredentialSettings(CredentialKind.CLIENT_SECRET, "c", "t", "s")


@pytest.mark.parametrize(
    ("service", "host"),
    [
        ("https://contoso.service.signalr.net", "login.microsoftonline.com"),
        ("https://contoso.signalr.azure.cn", "login.chinacloudapi.cn"),
        ("https://contoso.signalr.azure.us", "login.microsoftonline.us"),
        ("https://CONTOSO.SIGNALR.AZURE.US:443/prefix", "login.microsoftonline.us"),
        ("https://signalr.azure.us.example", "login.microsoftonline.com"),
    ],
)
def test_the_services_cloud_tells_where_tokens_come_from(
    entra: Entra, service: str, host: str
) -> None:
    with SignalRServiceClient(service, APP) as client:
        assert client.user_exists("chat", "ann")
    assert entra.hosts == [host]


@pytest.mark.parametrize("service", ["contoso.signalr.azure.cn", "contoso.service.signalr.net"])
def test_the_environment_goes_before_the_services_cloud(
    entra: Entra, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us")
    with SignalRServiceClient(f"https://{service}", APP) as client:
        assert client.user_exists("chat", "ann")
    assert entra.hosts == ["login.microsoftonline.us"]


def test_a_workload_identity_shows_the_token_of_its_file(
    entra: Entra, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("kubernetes")
    environment = {
        "AZURE_FEDERATED_TOKEN_FILE": str(file),
        "AZURE_CLIENT_ID": "other",
        "AZURE_TENANT_ID": "t",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = CredentialSettings(CredentialKind.WORKLOAD_IDENTITY, client_id="c")
    tokens = EntraTokens(lambda: open_credential(settings, environment))
    assert tokens.get().value == "entra"
    ((url, form),) = entra.forms
    assert url == "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    assert form["client_assertion"] == ["kubernetes"]
    assert form["client_id"] == ["c"]
    assert form["scope"] == ["https://signalr.azure.com/.default"]


def test_a_workload_identity_without_its_environment_is_told() -> None:
    settings = CredentialSettings(CredentialKind.WORKLOAD_IDENTITY)
    with pytest.raises(AuthenticationError, match=r"^azure-identity: "):
        EntraTokens(lambda: open_credential(settings, {})).get()


def test_a_workload_identity_whose_file_is_gone_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "gone"))
    settings = CredentialSettings(CredentialKind.WORKLOAD_IDENTITY, "c", "t")
    with pytest.raises(AuthenticationError, match=r"WorkloadIdentityCredential: .*gone"):
        EntraTokens(lambda: open_credential(settings, {})).get()


def test_a_certificate_signs_for_the_app(entra: Entra, tmp_path: Path) -> None:
    file = tmp_path / "app.pem"
    certificate = trustme.CA().issue_cert("app.example", key_type=trustme.KeyType.RSA)
    certificate.private_key_and_cert_chain_pem.write_to_path(str(file))
    settings = CredentialSettings(
        CredentialKind.CLIENT_CERTIFICATE, "c", "t", certificate_path=str(file)
    )
    tokens = EntraTokens(lambda: open_credential(settings, {}))
    assert tokens.get().value == "entra"
    ((_, form),) = entra.forms
    assert "client_secret" not in form
    (assertion,) = form["client_assertion"]
    claims = jwt.decode(assertion, options={"verify_signature": False})
    assert (claims["iss"], claims["sub"]) == ("c", "c")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_certificate_that_is_none_is_told(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "app.pem"
    if content is not None:
        file.write_text(content)
    settings = CredentialSettings(
        CredentialKind.CLIENT_CERTIFICATE, "c", "t", certificate_path=str(file)
    )
    with pytest.raises(AuthenticationError, match=r"^azure-identity: "):
        EntraTokens(lambda: open_credential(settings, {})).get()


def test_a_secret_goes_to_entra_and_nowhere_else(entra: Entra) -> None:
    assert EntraTokens(lambda: open_credential(APP, {})).get().value == "entra"
    assert [form["client_secret"] for _, form in entra.forms] == [["s"]]
    assert "'s'" not in repr(APP)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            {
                "error": "invalid_client",
                "error_description": "AADSTS7000215: Invalid client secret provided. Ensure the"
                " secret is its value.\r\nTrace ID: 1\r\nTimestamp: 2026-11-29 12:00:00Z",
            },
            ": AADSTS7000215: Invalid client secret provided. What the code means: https://login.",
        ),
        (
            {"error": "temporarily_unavailable"},
            "Authentication failed: temporarily_unavailable",
        ),
    ],
)
@pytest.mark.parametrize("kind", [CredentialKind.CLIENT_SECRET, CredentialKind.CLIENT_CERTIFICATE])
def test_a_refusal_of_entra_is_told_in_one_line(
    entra: Entra, tmp_path: Path, kind: CredentialKind, refusal: dict[str, object], said: str
) -> None:
    entra.refusal = refusal
    file = tmp_path / "app.pem"
    certificate = trustme.CA().issue_cert("app.example", key_type=trustme.KeyType.RSA)
    certificate.private_key_and_cert_chain_pem.write_to_path(str(file))
    settings = CredentialSettings(kind, "c", "t", "the-secret", certificate_path=str(file))
    with pytest.raises(AuthenticationError) as caught:
        EntraTokens(lambda: open_credential(settings, {})).get()
    assert re.match("No Entra token from [A-Za-z]+Credential: ", str(caught.value))
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_access_key_gets_no_entra_token() -> None:
    settings = CredentialSettings(CredentialKind.ACCESS_KEY, access_key="hidden")
    with pytest.raises(AuthenticationError, match="gets no Entra token"):
        open_credential(settings, {})
    assert "hidden" not in repr(settings)
