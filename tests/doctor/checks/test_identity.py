"""No token, or one that the service does not accept."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

from tests.doctor.conftest import Examine
from tests.scripted_service import Received, Reply, scripted_service

CONNECTION = "AzureSignalRConnectionString"
TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
UNKNOWN = "00000000-0000-0000-0000-000000000001"
APP = "9d40c1b7-5e2f-4c88-a6d3-07f1be924a65"
IDENTITY = "64e1b8d3-0a7f-4925-9c6b-d30f52a8e719"
IDENTITY_PRINCIPAL = "f27c0d85-93ae-4b16-8d40-5be9a61f7c32"
ACROSS_TENANTS = {
    f"{CONNECTION}__credential": "managedidentityasfederatedidentity",
    f"{CONNECTION}__tenantId": TENANT,
    f"{CONNECTION}__clientId": APP,
    f"{CONNECTION}__managedIdentityClientId": IDENTITY,
}
CLOSED = "http://127.0.0.1:9/msi/token"


def test_an_unknown_user_assigned_identity(emulator: RunningEmulator, examine: Examine) -> None:
    examined = examine({**emulator.app_settings, f"{CONNECTION}__clientId": UNKNOWN})
    assert examined.status == 1
    assert examined.broken() == {"token"}
    token = examined.step("token")
    assert token["summary"].endswith(f"no user-assigned identity with the client id {UNKNOWN}")
    assert "az functionapp identity show" in token["fix"]
    for name in ("key", "client", "read", "send", "upstream"):
        assert examined.step(name)["status"] == "skipped"


def test_no_system_assigned_identity(examine: Examine, tmp_path: Path) -> None:
    identity = {
        "kind": "user",
        "principalId": UNKNOWN,
        "clientId": "00000000-0000-0000-0000-000000000002",
        "resourceId": "/subscriptions/s/identity",
    }
    config = tmp_path / "emulator.json"
    config.write_text(json.dumps({"identities": [identity]}))
    with running_emulator("--config", str(config)) as emulator:
        token = examine(emulator.app_settings).step("token")
    assert token["summary"] == "the app has no system-assigned identity"
    assert token["fix"].startswith("az functionapp identity assign ")


@pytest.mark.parametrize(
    ("changed", "summary", "fix"),
    [
        (
            {"IDENTITY_ENDPOINT": CLOSED},
            f"nothing answers at the identity endpoint {CLOSED}",
            "make start",
        ),
        (
            {"IDENTITY_HEADER": "wrong"},
            "refuses IDENTITY_HEADER",
            "IDENTITY_HEADER=local-emulator",
        ),
    ],
)
def test_an_identity_endpoint_that_gives_none(
    emulator: RunningEmulator,
    examine: Examine,
    changed: dict[str, str],
    summary: str,
    fix: str,
) -> None:
    token = examine({**emulator.app_settings, **changed}).step("token")
    assert token["status"] == "failed"
    assert summary in token["summary"]
    assert fix in token["fix"]
    assert "az login --scope https://signalr.azure.com/.default" in token["fix"]


def test_an_identity_endpoint_with_a_fault(emulator: RunningEmulator, examine: Examine) -> None:
    emulator.add_fault(operation="identity", status=500)
    token = examine(emulator.app_settings).step("token")
    assert token["summary"].startswith("the identity endpoint ")
    assert "gives no token" in token["summary"]
    assert "az functionapp restart" in token["fix"]


def test_a_frozen_identity_endpoint(
    emulator: RunningEmulator, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doctor.checks.endpoint._IDENTITY_TIMEOUT", 0.2)
    emulator.add_fault(operation="identity", action="freeze")
    token = examine(emulator.app_settings).step("token")
    assert token["summary"].endswith(" does not answer in time")


@pytest.fixture
def no_identity(emulator: RunningEmulator) -> Iterator[dict[str, str]]:
    """Settings of a machine whose metadata service knows no identity."""

    def answer(_request: Received) -> Reply:
        return Reply(400, {}, b'{"error": "invalid_request"}')

    with scripted_service(answer) as metadata:
        yield {
            f"{CONNECTION}__serviceUri": emulator.service_url,
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": metadata.url,
        }


def test_managed_identity_where_there_is_none(
    no_identity: dict[str, str], examine: Examine
) -> None:
    settings = {**no_identity, f"{CONNECTION}__credential": "managedidentity"}
    token = examine(settings).step("token")
    assert token["summary"].startswith("there is no managed identity here")


def test_nobody_has_logged_in(no_identity: dict[str, str], examine: Examine) -> None:
    examined = examine({**no_identity, "PATH": ""})
    assert examined.step("credential")["summary"].startswith("DefaultAzureCredential, since ")
    token = examined.step("token")
    assert token["summary"].startswith("DefaultAzureCredential finds no login")
    assert "az login" in token["fix"]
    assert "az functionapp identity assign" in token["fix"]


@pytest.fixture
def at_authority(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of an app beside an emulator whose authority it trusts."""
    config = tmp_path / "emulator.json"
    files = {"caFile": "ca.pem", "federatedTokenFile": "token"}
    config.write_text(json.dumps(files))
    with running_emulator("--config", str(config)) as emulator:
        discovery = f"{emulator.control_url}/{TENANT}/v2.0/.well-known/openid-configuration"
        authority = requests.get(discovery, timeout=10).json()["token_endpoint"]
        yield {
            **emulator.app_settings,
            "AZURE_AUTHORITY_HOST": re.sub(r"(https://[^/]+)/.*", r"\1", authority),
            "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
        }


def test_an_app_registration_that_trusts_the_managed_identity(
    at_authority: dict[str, str], examine: Examine
) -> None:
    settings = {**at_authority, **ACROSS_TENANTS}
    examined = examine(settings)
    assert examined.broken() == set()
    credential = examined.step("credential")
    assert credential["summary"] == (
        f"managed identity of the client id {IDENTITY} in place of a secret of the app"
        f" registration {APP}, in the tenant {TENANT}, since {CONNECTION}__credential says so"
    )
    assert credential["details"]["managedIdentity"] == IDENTITY
    token = examined.step("token")
    assert token["summary"].startswith(
        f"principal c3a91e58-7f06-4b2d-9c74-e85d20b1f396, tenant {TENANT}"
    )
    assert token["summary"].endswith(
        f", exchanged for the token of the managed identity {IDENTITY_PRINCIPAL}"
    )
    assert token["details"]["exchangedFor"] == IDENTITY_PRINCIPAL


@pytest.mark.parametrize(
    ("changed", "summary", "fix"),
    [
        (
            {"managedIdentityClientId": UNKNOWN},
            f"the app has no user-assigned identity with the client id {UNKNOWN}",
            "Set …__managedIdentityClientId to the clientId (not principalId) of one",
        ),
        (
            {"managedIdentityClientId": "", "managedIdentityObjectId": UNKNOWN},
            f"the app has no user-assigned identity with the object id {UNKNOWN}",
            "Set …__managedIdentityObjectId to the principalId of one",
        ),
        (
            {"managedIdentityClientId": "", "managedIdentityResourceId": "/none"},
            "the app has no user-assigned identity with the resource id /none",
            "Set …__managedIdentityResourceId to the resource id of one",
        ),
        (
            {"clientId": UNKNOWN},
            "the managed identity's token is not exchanged: AADSTS700016: ",
            f"az ad sp create --id {UNKNOWN}",
        ),
        (
            {"tenantId": UNKNOWN},
            "the managed identity's token is not exchanged: AADSTS90002: ",
            "__tenantId to the tenant of the SignalR resource",
        ),
    ],
)
def test_which_of_two_requests_gives_no_token(
    at_authority: dict[str, str],
    examine: Examine,
    changed: dict[str, str],
    summary: str,
    fix: str,
) -> None:
    parts = {f"{CONNECTION}__{name}": value for name, value in changed.items()}
    token = examine({**at_authority, **ACROSS_TENANTS, **parts}).step("token")
    assert token["status"] == "failed"
    assert token["summary"].startswith(summary)
    assert fix in token["fix"]


def test_an_identity_endpoint_that_gives_nothing_to_exchange(
    at_authority: dict[str, str], examine: Examine
) -> None:
    settings = {**at_authority, **ACROSS_TENANTS, "IDENTITY_ENDPOINT": CLOSED}
    token = examine(settings).step("token")
    assert token["summary"].startswith(
        f"the managed identity gives no token to exchange: nothing answers at the identity endpoint"
        f" {CLOSED}"
    )


def test_entra_refuses_a_workload_identity(
    at_authority: dict[str, str], examine: Examine, tmp_path: Path
) -> None:
    settings = {
        **at_authority,
        f"{CONNECTION}__credential": "workloadidentity",
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": APP,
    }
    assert examine(settings).step("token")["status"] == "ok"
    other_app = examine({**settings, "AZURE_CLIENT_ID": UNKNOWN}).step("token")
    other_tenant = examine({**settings, "AZURE_TENANT_ID": UNKNOWN}).step("token")
    assert other_app["summary"].startswith("AADSTS700016: ")
    assert "az ad app list" in other_app["fix"]
    assert other_tenant["summary"].startswith("AADSTS90002: ")
    assert "az account show --query tenantId" in other_tenant["fix"]


@pytest.mark.parametrize(
    ("parts", "summary", "fix"),
    [
        (
            {"clientCertificatePath": "/nowhere/app.pem"},
            "the certificate file is not there",
            "…__clientCertificatePath",
        ),
        ({"clientSecret": "hidden", "tenantId": "no tenant"}, "is no tenant", "az account show"),
    ],
)
def test_an_app_registration_that_cannot_be_right(
    emulator: RunningEmulator,
    examine: Examine,
    parts: dict[str, str],
    summary: str,
    fix: str,
) -> None:
    given = {"serviceUri": emulator.service_url, "clientId": UNKNOWN, "tenantId": UNKNOWN, **parts}
    token = examine({f"{CONNECTION}__{name}": value for name, value in given.items()}).step("token")
    assert token["status"] == "failed"
    assert summary in token["summary"]
    assert fix in token["fix"]


def test_a_token_for_another_audience(emulator: RunningEmulator, examine: Examine) -> None:
    settings = {**emulator.app_settings, f"{CONNECTION}__audience": "https://contoso.com"}
    examined = examine(settings)
    assert examined.broken() == {"key", "read", "manage", "send"}
    key = examined.step("key")
    assert key["summary"].startswith("401: the token is for the audience https://contoso.com")
    assert f"{CONNECTION}__audience=https://signalr.azure.com" in key["fix"]


def test_an_identity_of_another_tenant(
    emulator: RunningEmulator, examine: Examine, tmp_path: Path
) -> None:
    config = tmp_path / "emulator.json"
    config.write_text(json.dumps({"tenantId": UNKNOWN}))
    with running_emulator("--config", str(config)) as elsewhere:
        settings = {
            **elsewhere.app_settings,
            f"{CONNECTION}__serviceUri": emulator.service_url,
        }
        key = examine(settings).step("key")
    assert key["summary"] == (
        f"401: the service does not accept the token, which is of the tenant {UNKNOWN}"
    )
    assert "az account show" in key["fix"]
    assert "az login --tenant" in key["fix"]
