"""docs/configuration.md tells what the app reads, and every example in it is right."""

import re
from collections import ChainMap
from collections.abc import Mapping

import pytest

import demo
from docs.configuration import PAGE, TABLES, current
from shared import Settings, SettingsError
from shared.functions import OPENAPI_OFFERED, is_offered
from shared.functions.negotiate import settings as negotiate
from shared.functions.negotiate.settings import NegotiateSettings
from shared.functions.upstream import settings as upstream
from shared.functions.upstream.settings import UpstreamSettings
from shared.settings import environment as client
from shared.settings.connection import PARTS
from shared.settings.description import Setting
from shared.settings.environment import CONNECTION, ENDPOINTS

TEXT = PAGE.read_text()
SERVICE = "https://contoso.service.signalr.net"
GUID = "00000000-0000-0000-0000-000000000000"
LEAST = {
    f"{CONNECTION}__serviceUri": SERVICE,
    "SIGNALR_HUBS": "chat",
    "WEBSITE_AUTH_ENABLED": "true",
}
ALL = (
    *client.SETTINGS,
    *negotiate.SETTINGS,
    *upstream.SETTINGS,
    demo.OFFERED,
    OPENAPI_OFFERED,
)
NEEDED_BESIDE: Mapping[str, Mapping[str, str]] = {
    f"{CONNECTION}__client": {f"{CONNECTION}__clientId": GUID, f"{CONNECTION}__tenantId": GUID},
    f"{CONNECTION}__managedIdentity": {f"{CONNECTION}__credential": "managedidentity"},
    f"{CONNECTION}__azureCloud": {
        f"{CONNECTION}__credential": "managedidentityasfederatedidentity",
        f"{CONNECTION}__clientId": GUID,
        f"{CONNECTION}__tenantId": GUID,
        f"{CONNECTION}__managedIdentityClientId": GUID,
    },
    "NEGOTIATE_OIDC_": {
        "NEGOTIATE_IDENTITY": "oidc",
        "NEGOTIATE_OIDC_ISSUER": "https://issuer.example",
        "NEGOTIATE_OIDC_AUDIENCE": "api://app",
    },
    "UPSTREAM_": {"UPSTREAM_TENANT_ID": GUID, "UPSTREAM_AUDIENCE": "api://app"},
}
"""What settings make no sense without, by what their names begin with."""


def read(environment: Mapping[str, str]) -> Settings:
    """Read an app's settings as it does at its start."""
    settings = Settings.from_environment(environment)
    NegotiateSettings.from_environment(environment)
    UpstreamSettings.from_environment(environment, settings.endpoints)
    for each in (demo.OFFERED, OPENAPI_OFFERED):
        is_offered(each, environment)
    return settings


def test_the_page_is_current() -> None:
    assert all(f"<!-- table: {name} -->" in TEXT for name in TABLES)
    assert current(TEXT) == TEXT, "Run: python -m docs.configuration"


def test_every_setting_stands_in_a_table() -> None:
    connection = {f"{CONNECTION}__{part.name}" for part in PARTS.values()}
    others = {each.name for settings in TABLES.values() for each in settings}
    assert {each.name for each in ALL} - connection - others == {CONNECTION}


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.name)
def test_every_example_is_a_right_value(setting: Setting) -> None:
    beside = [each for begin, each in NEEDED_BESIDE.items() if setting.name.startswith(begin)]
    read(dict(ChainMap({setting.name: setting.example}, *map(dict, beside), LEAST)))


def test_the_error_looks_as_the_page_shows_it() -> None:
    with pytest.raises(SettingsError) as caught:
        read(LEAST | {"SIGNALR_HUBS": ""})
    assert f"```text\n{caught.value}\n```" in TEXT


def settings_blocks() -> list[dict[str, str]]:
    blocks = re.findall(r"```text\n((?:\w+=.*\n)+)```", TEXT)
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]


def test_the_settings_that_the_page_shows_are_right() -> None:
    least, parts, strings = settings_blocks()
    read(least | {"WEBSITE_AUTH_ENABLED": "true"})
    for shown in (parts, strings):
        assert all(name.startswith(ENDPOINTS) for name in shown)
        read(LEAST | shown)
    endpoints = {each.endpoint.name: each.endpoint for each in read(LEAST | parts).endpoints}
    assert endpoints["east"].weight == 2
    assert endpoints["spare"].type.value == "secondary"


@pytest.mark.parametrize("text", re.findall(r"^\| `(Endpoint=.*?)` \|", TEXT, re.MULTILINE))
def test_the_connection_strings_that_the_page_shows_are_right(text: str) -> None:
    settings = read(LEAST | {CONNECTION: text})
    assert settings.endpoints[0].endpoint.url == SERVICE
