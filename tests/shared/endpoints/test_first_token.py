"""The first token of App Service's identity comes without azure-identity, and later ones by it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import pytest
from azure.core.credentials import TokenCredential

from shared.endpoints.first_token import first_token
from shared.identity.credential import open_credential
from shared.identity.entra_tokens import EntraTokens
from shared.settings.credential import CredentialKind, CredentialSettings, UserAssignedIdentity
from shared.settings.endpoint import AUDIENCE
from tests.scripted_service import Received, Reply, ScriptedService, scripted_service

IDENTITY = CredentialKind.MANAGED_IDENTITY
RESOURCE_ID = (
    "/subscriptions/0c3e6f1a-7d25-4b98-a0f4-2f6f5c1b9e77/resourcegroups/rg/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/orders"
)


@pytest.fixture
def app_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedService]:
    numbers = iter(range(1, 100))

    def answer(_: Received) -> Reply:
        token = {
            "access_token": f"token-{next(numbers)}",
            "expires_on": str(int(time.time()) + 86400),
        }
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(token).encode())

    with scripted_service(answer) as running:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{running.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        yield running


def asked(request: Received) -> tuple[str, str, Mapping[str, str], str | None]:
    parts = urlsplit(request.path)
    return (
        request.method,
        parts.path,
        dict(parse_qsl(parts.query)),
        request.headers.get("X-IDENTITY-HEADER"),
    )


@pytest.mark.parametrize(
    "settings",
    [
        CredentialSettings(IDENTITY),
        CredentialSettings(IDENTITY, client_id="9d40c1b7-5e2f-4c88-a6d3-07f1be924a65"),
        CredentialSettings(
            IDENTITY,
            managed_identity=UserAssignedIdentity(
                "object_id", "1b6e0c52-9a3f-4d71-8c24-5f90ab37de18"
            ),
        ),
        CredentialSettings(
            IDENTITY, managed_identity=UserAssignedIdentity("resource_id", RESOURCE_ID)
        ),
    ],
    ids=["system-assigned", "client id", "object id", "resource id"],
)
def test_it_asks_what_azure_identity_asks(
    app_service: ScriptedService, settings: CredentialSettings
) -> None:
    first = first_token(settings, os.environ, AUDIENCE)
    assert first is not None
    assert first.value == "token-1"
    assert first.expires_at == pytest.approx(time.time() + 86400, abs=60)
    assert EntraTokens(partial(open_credential, settings, os.environ)).get().value == "token-2"
    ours, theirs = map(asked, app_service.received)
    assert ours == theirs


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        (CredentialSettings(CredentialKind.DEFAULT), {}),
        (CredentialSettings(CredentialKind.WORKLOAD_IDENTITY), {}),
        (CredentialSettings(IDENTITY), {"IDENTITY_HEADER": None}),
        (CredentialSettings(IDENTITY), {"IDENTITY_ENDPOINT": None}),
        (CredentialSettings(IDENTITY), {"IDENTITY_SERVER_THUMBPRINT": "00"}),
        (CredentialSettings(IDENTITY), {"IDENTITY_ENDPOINT": "http://identity.invalid/token"}),
    ],
)
def test_other_credentials_and_other_endpoints_are_left_to_azure_identity(
    app_service: ScriptedService,
    settings: CredentialSettings,
    environment: Mapping[str, str | None],
) -> None:
    changed = {**os.environ, **environment}
    given = {name: value for name, value in changed.items() if value is not None}
    assert first_token(settings, given, AUDIENCE) is None
    assert app_service.received == []


@pytest.mark.usefixtures("app_service")
def test_later_tokens_come_by_azure_identity() -> None:
    now = time.time()
    settings = CredentialSettings(IDENTITY)
    opened: list[TokenCredential] = []

    def open_one() -> TokenCredential:
        opened.append(open_credential(settings, os.environ))
        return opened[-1]

    tokens = EntraTokens(
        open_one,
        first=partial(first_token, settings, os.environ, AUDIENCE),
        clock=lambda: now,
        spawn=lambda work: work(),
    )
    first = tokens.get()
    assert (first.value, len(opened)) == ("token-1", 0)
    assert tokens.get() == first
    rejected = tokens.get(rejected=first)
    assert (rejected.value, len(opened)) == ("token-2", 1)


PROGRAM = """
import os, sys, time
from shared import Settings
from shared.endpoints.credentials import EntraTokenSources
[endpoint] = Settings.from_environment(os.environ).endpoints
now = [time.time()]
tokens = EntraTokenSources(lambda: now[0]).of(endpoint.credential, endpoint.endpoint)
print(tokens.get().value, "azure.identity" in sys.modules)
now[0] += 90_000
print(tokens.get().value, "azure.identity" in sys.modules)
"""


@pytest.mark.usefixtures("app_service")
def test_azure_identity_is_imported_when_it_is_asked() -> None:
    environment = {
        **os.environ,
        "SIGNALR_HUBS": "chat",
        "AzureSignalRConnectionString__serviceUri": "https://contoso.service.signalr.net",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["token-1 False", "token-2 True"], done.stderr
