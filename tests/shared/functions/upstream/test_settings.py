import pytest

from shared.errors import SettingsError
from shared.functions.issuers.bearer import Issuer
from shared.functions.upstream.settings import UpstreamSettings
from shared.settings.connection import EndpointSettings
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.endpoint import Endpoint

TENANT = "7D3E5A90-61bc-4c2f-9f08-a4b7d21e6c83"
IDENTITY = "0c8d9f12-3456-4789-8abc-def012345678"
TOKENS = {"UPSTREAM_TENANT_ID": TENANT, "UPSTREAM_AUDIENCE": "api://my-app"}
ISSUER_V2 = f"https://login.microsoftonline.com/{TENANT.lower()}/v2.0"
ISSUER_V1 = f"https://sts.windows.net/{TENANT.lower()}/"


def read(**environment: str) -> UpstreamSettings:
    return UpstreamSettings.from_environment(environment, [])


def test_nothing_is_accepted_where_nothing_is_set() -> None:
    assert read() == UpstreamSettings((), frozenset(), ())


def test_tokens_of_the_service() -> None:
    audiences = ("api://my-app",)
    keys = "https://login.microsoftonline.com/common/discovery/keys"
    issuers = (Issuer(ISSUER_V1, audiences, keys), Issuer(ISSUER_V2, audiences))
    assert read(**TOKENS) == UpstreamSettings(issuers)


def test_an_app_registration_may_have_several_audiences() -> None:
    settings = read(**TOKENS | {"UPSTREAM_AUDIENCE": f" api://my-app, {IDENTITY} ,"})
    assert [each.audiences for each in settings.issuers] == [("api://my-app", IDENTITY)] * 2


@pytest.mark.parametrize(
    ("host", "version_1", "version_2"),
    [
        ("a.service.signalr.net", "sts.windows.net", "login.microsoftonline.com"),
        ("a.signalr.azure.us", "sts.windows.net", "login.microsoftonline.us"),
        ("a.signalr.azure.cn", "sts.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
    ],
)
def test_tokens_come_from_the_cloud_of_the_service(
    host: str, version_1: str, version_2: str
) -> None:
    endpoint = EndpointSettings(Endpoint(f"https://{host}"), CredentialSettings())
    issuers = UpstreamSettings.from_environment(TOKENS, [endpoint]).issuers
    assert [each.issuer for each in issuers] == [
        f"https://{version_1}/{TENANT.lower()}/",
        f"https://{version_2}/{TENANT.lower()}/v2.0",
    ]
    keys_of_version_1 = f"https://{version_2}/common/discovery/keys"
    assert [each.jwks_uri for each in issuers] == [keys_of_version_1, None]


def test_every_setting() -> None:
    settings = read(
        **TOKENS,
        UPSTREAM_IDENTITIES=f" {IDENTITY.upper()}, {TENANT},",
        UPSTREAM_KEYS_URL="http://127.0.0.1:8889/keys",
    )
    keys_url = "http://127.0.0.1:8889/keys"
    assert {each.jwks_uri for each in settings.issuers} == {keys_url}
    assert settings.identities == {IDENTITY, TENANT.lower()}


def test_keys_of_an_emulator_at_another_host_that_is_named() -> None:
    keys_url = "http://signalr:8889/keys"
    settings = read(**TOKENS, UPSTREAM_KEYS_URL=keys_url, SIGNALR_ALLOW_HTTP_HOSTS="signalr")
    assert {each.jwks_uri for each in settings.issuers} == {keys_url}


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
        (TOKENS | {"UPSTREAM_AUDIENCE": ","}, "UPSTREAM_AUDIENCE", "UPSTREAM_TENANT_ID needs it"),
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
