import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import azure.identity
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.credential import CredentialKind, CredentialSettings, EntraTokens, open_credential
from shared.errors import AuthenticationError
from tests.scripted_service import Received, Reply, scripted_service


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
    tokens = EntraTokens(lambda: credential, clock=clock)
    tokens.get()
    clock.now = 9_699
    assert tokens.get().value == "token-1"
    clock.now = 9_700
    assert tokens.get().value == "token-2"


def test_a_failed_renewal_keeps_the_token_until_its_end() -> None:
    credential, clock = Credential(), Clock()
    tokens = EntraTokens(lambda: credential, clock=clock)
    tokens.get()
    credential.error = ClientAuthenticationError("down")
    clock.now = 9_999
    assert tokens.get().value == "token-1"
    clock.now = 10_000
    with pytest.raises(AuthenticationError, match="No Entra token from Credential: down"):
        tokens.get()


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
