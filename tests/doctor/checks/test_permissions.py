"""Missing roles, and roles that are not enough."""

from collections.abc import Iterator

import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

from tests.doctor.conftest import PRINCIPAL, Examine

_SCOPE = (
    "/subscriptions/5c9a1f0e-3b7d-4e62-9a58-1d0f6b2c7e34/resourceGroups/local"
    "/providers/Microsoft.SignalRService/SignalR"
)
_SERVICE_OWNER = "7e4f1700-ea5a-4f59-8f37-079cfe29dce3"
_PATIENCE = 10


@pytest.fixture(scope="module")
def without_role() -> Iterator[RunningEmulator]:
    with running_emulator("--role", "none") as emulator:
        yield emulator


@pytest.mark.parametrize("tokens", ["access-key", "service", "auto"])
def test_no_role(without_role: RunningEmulator, examine: Examine, tokens: str) -> None:
    settings = {**without_role.app_settings, "SIGNALR_CLIENT_TOKENS": tokens}
    examined = examine(settings)
    assert examined.status == 1
    assert examined.broken() == {"key", "read", "manage", "send"}
    key = examined.step("key")
    action = "clientToken" if tokens == "service" else "accessKey"
    assert key["summary"].endswith(f"allows auth/{action}/action")
    assert (
        f"az role assignment create --assignee-object-id {PRINCIPAL}"
        ' --assignee-principal-type ServicePrincipal --role "SignalR Service Owner"'
        " --scope /subscriptions/<subscription>/resourceGroups/<resource group>"
    ) in key["fix"]
    narrower = "REST API Owner" if tokens == "service" else "App Server"
    assert f"'SignalR {narrower}'" in key["fix"]
    assert examined.step("client")["status"] == "skipped"
    assert examined.step("client")["summary"] == "skipped: it needs “Access key”"
    read = examined.step("read")
    assert read["details"]["dataActions"] == ["clientConnection/read", "user/read", "group/read"]
    assert "'SignalR REST API Owner'" in read["fix"]


def test_a_role_at_another_resource_does_not_count(
    without_role: RunningEmulator, examine: Examine
) -> None:
    identity = requests.get(
        f"{without_role.control_url}/msi/token",
        params={"api-version": "2019-08-01", "resource": "https://management.azure.com"},
        headers={"X-IDENTITY-HEADER": "local-emulator"},
        timeout=_PATIENCE,
    ).json()
    scope = f"{_SCOPE}/another"
    assigned = requests.put(
        f"{without_role.control_url}{scope}/providers/Microsoft.Authorization/roleAssignments"
        "/0f3f6c2e-7c1b-4a53-9d1e-6a2b8c4d5e6f?api-version=2022-04-01",
        headers={"Authorization": f"Bearer {identity['access_token']}"},
        json={
            "properties": {
                "principalId": PRINCIPAL,
                "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/"
                + _SERVICE_OWNER,
            }
        },
        timeout=_PATIENCE,
    )
    assert assigned.status_code == 201, assigned.text
    key = examine(without_role.app_settings).step("key")
    assert key["status"] == "failed"
    assert f"az role assignment list --assignee {PRINCIPAL} --all" in key["fix"]
    assert "a role at another resource does not count" in key["fix"]


def test_app_server_may_have_keys_and_not_send(examine: Examine) -> None:
    with running_emulator("--role", "SignalR App Server") as emulator:
        examined = examine(emulator.app_settings)
    assert examined.broken() == {"read", "manage", "send"}
    assert examined.step("client")["status"] == "ok"
    # This role may close connections.
    assert examined.step("manage")["details"]["dataActions"] == ["group/write"]


def test_rest_api_owner_may_send_and_not_have_keys(examine: Examine) -> None:
    with running_emulator("--role", "SignalR REST API Owner") as emulator:
        examined = examine(emulator.app_settings)
        auto = examine({**emulator.app_settings, "SIGNALR_CLIENT_TOKENS": "auto"})
    assert examined.broken() == {"key"}
    assert "SignalR App Server" in examined.step("key")["fix"]
    assert auto.status == 0
    key = auto.step("key")
    assert key["status"] == "warning"
    assert "the service makes client tokens" in key["summary"]
    assert auto.step("client")["status"] == "ok"
