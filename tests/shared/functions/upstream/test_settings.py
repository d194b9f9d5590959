import pytest

from shared.errors import SettingsError
from shared.functions.bearer import Issuer
from shared.functions.upstream.settings import UpstreamSettings
from shared.settings.connection import EndpointSettings
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.endpoint import Endpoint

TENANT = "7D3E5A90-61bc-4c2f-9f08-a4b7d21e6c83"
IDENTITY = "0c8d9f12-3456-4789-8abc-def012345678"
TOKENS = {"UPSTREAM_TENANT_ID": TENANT, "UPSTREAM_AUDIENCE": "api://my-app"}
ISSUER = f"https://sts.windows.net/{TENANT.lower()}/"


def read(**environment: str) -> UpstreamSettings:
    return UpstreamSettings.from_environment(environment, [])


def test_nothing_is_accepted_where_nothing_is_set() -> None:
    assert read() == UpstreamSettings(None, frozenset(), ())


def test_tokens_of_the_service() -> None:
    assert read(**TOKENS) == UpstreamSettings(Issuer(ISSUER, ("api://my-app",)))


def test_every_setting() -> None:
    settings = read(
        **TOKENS,
        UPSTREAM_IDENTITIES=f" {IDENTITY.upper()}, {TENANT},",
        UPSTREAM_KEYS_URL="http://127.0.0.1:8889/keys",
    )
    assert settings.issuer == Issuer(ISSUER, ("api://my-app",), "http://127.0.0.1:8889/keys")
    assert settings.identities == {IDENTITY, TENANT.lower()}


def test_access_keys_are_those_of_connection_strings_and_are_never_shown() -> None:
    endpoint = Endpoint("http://127.0.0.1:8888")
    with_key = CredentialSettings(CredentialKind.ACCESS_KEY, access_key="k" * 44)
    settings = UpstreamSettings.from_environment(
        {},
        [EndpointSettings(endpoint, CredentialSettings()), EndpointSettings(endpoint, with_key)],
    )
    assert settings.access_keys == (b"k" * 44,)
    assert "kkk" not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "setting", "said"),
    [
        ({"UPSTREAM_TENANT_ID": TENANT}, "UPSTREAM_AUDIENCE", "UPSTREAM_TENANT_ID needs it"),
        ({"UPSTREAM_AUDIENCE": "a"}, "UPSTREAM_TENANT_ID", "UPSTREAM_AUDIENCE needs it"),
        ({"UPSTREAM_IDENTITIES": IDENTITY}, "UPSTREAM_TENANT_ID", "UPSTREAM_IDENTITIES needs it"),
        ({"UPSTREAM_KEYS_URL": "https://a.bc"}, "UPSTREAM_TENANT_ID", "UPSTREAM_KEYS_URL needs it"),
        (TOKENS | {"UPSTREAM_TENANT_ID": "common"}, "UPSTREAM_TENANT_ID", "no id of a tenant"),
        (TOKENS | {"UPSTREAM_IDENTITIES": "my-service"}, "UPSTREAM_IDENTITIES", "'my-service'"),
        (TOKENS | {"UPSTREAM_KEYS_URL": "http://a.bc/keys"}, "UPSTREAM_KEYS_URL", "this machine"),
        (TOKENS | {"UPSTREAM_KEYS_URL": "file:///keys"}, "UPSTREAM_KEYS_URL", "no service address"),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], setting: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**environment)
    assert caught.value.setting == setting
    assert said in str(caught.value)
