"""docs/other-tenant.md shows settings and a federated credential that are right."""

import json
import re
from pathlib import Path

from shared import Settings
from shared.settings.credential import AzureCloud, CredentialKind, UserAssignedIdentity

TEXT = (Path(__file__).parents[2] / "docs" / "other-tenant.md").read_text()


def test_the_settings_are_read_as_the_page_tells() -> None:
    (block,) = re.findall(r"```text\n((?:\w+=.*\n)+)```", TEXT)
    environment = dict(line.split("=", 1) for line in block.splitlines())
    (endpoint,) = Settings.from_environment(environment | {"SIGNALR_HUBS": "chat"}).endpoints
    credential = endpoint.credential
    assert credential.kind is CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY
    assert (credential.tenant_id, credential.client_id) == (
        "11111111-1111-1111-1111-111111111111",
        "22222222-2222-2222-2222-222222222222",
    )
    assert credential.managed_identity == UserAssignedIdentity(
        "client_id", "33333333-3333-3333-3333-333333333333"
    )


def test_the_audiences_are_those_that_the_app_asks_for() -> None:
    (parameters,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    credential = json.loads(parameters)
    assert credential["audiences"] == [AzureCloud.PUBLIC.token_exchange]
    for each in AzureCloud:
        assert f"`{each.token_exchange}`" in TEXT
        assert f"`{each.value}`" in TEXT
