import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.credential import CredentialKind
from shared.errors import SettingsError, UnknownHubError
from shared.settings import Settings

URI = "AzureSignalRConnectionString__serviceUri"
MINIMAL = {URI: "https://contoso.service.signalr.net/", "SIGNALR_HUBS": "chat"}


def test_minimal_settings() -> None:
    settings = Settings.from_environment(MINIMAL)
    (found,) = settings.endpoints
    assert found.endpoint.url == "https://contoso.service.signalr.net"
    assert found.credential.kind is CredentialKind.DEFAULT
    assert settings.hubs == {"chat"}
    assert settings.default_hub == "chat"


def test_all_settings() -> None:
    settings = Settings.from_environment(
        {
            "AZURESIGNALRCONNECTIONSTRING__SERVICEURI": "https://a.bc",
            "AzureSignalRConnectionString:clientEndpoint": "https://client.example/",
            "AzureSignalRConnectionString__serverEndpoint": "https://server.example",
            "AzureSignalRConnectionString__credential": "ManagedIdentity",
            "AzureSignalRConnectionString__clientId": "client-1",
            "SIGNALR_HUBS": " Chat, notifications ,",
            "SIGNALR_DEFAULT_HUB": "Notifications",
        }
    )
    (found,) = settings.endpoints
    assert found.endpoint.client_url == "https://client.example"
    assert found.endpoint.server_url == "https://server.example"
    assert found.credential.kind is CredentialKind.MANAGED_IDENTITY
    assert found.credential.client_id == "client-1"
    assert settings.hubs == {"chat", "notifications"}
    assert settings.default_hub == "notifications"


def test_an_identity_endpoint_means_managed_identity() -> None:
    settings = Settings.from_environment(MINIMAL | {"IDENTITY_ENDPOINT": "http://127.0.0.1:1"})
    assert settings.endpoints[0].credential.kind is CredentialKind.MANAGED_IDENTITY


def test_a_client_secret_is_used_and_never_shown() -> None:
    prefix = "AzureSignalRConnectionString__"
    settings = Settings.from_environment(
        MINIMAL
        | {f"{prefix}clientId": "c", f"{prefix}tenantId": "t", f"{prefix}clientSecret": "hidden"}
    )
    assert settings.endpoints[0].credential.kind is CredentialKind.CLIENT_SECRET
    assert settings.endpoints[0].credential.client_secret == "hidden"
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize("name", [None, "chat", "CHAT"])
def test_known_hubs(name: str | None) -> None:
    assert Settings.from_environment(MINIMAL).hub(name) == "chat"


@pytest.mark.parametrize("name", ["", "other", "chat/", "ch at"])
def test_unknown_hubs(name: str) -> None:
    with pytest.raises(UnknownHubError):
        Settings.from_environment(MINIMAL).hub(name)


@pytest.mark.parametrize(
    ("change", "setting", "said"),
    [
        ({URI: ""}, URI, "is not set"),
        ({URI: "contoso.service.signalr.net"}, URI, "no service address"),
        ({URI: "ftp://contoso"}, URI, "no service address"),
        ({URI: "https://"}, URI, "no service address"),
        ({URI: "https://a:x"}, URI, "no service address"),
        ({URI: "https://a?x=1"}, URI, "no service address"),
        ({URI: "http://contoso.service.signalr.net"}, URI, "this machine only"),
        ({"SIGNALR_HUBS": ""}, "SIGNALR_HUBS", "is not set"),
        ({"SIGNALR_HUBS": "chat,1x"}, "SIGNALR_HUBS", "'1x'"),
        ({"SIGNALR_DEFAULT_HUB": "other"}, "SIGNALR_DEFAULT_HUB", "not in SIGNALR_HUBS"),
        (
            {"AzureSignalRConnectionString__credential": "key"},
            "AzureSignalRConnectionString__credential",
            "managedidentity",
        ),
        (
            {"AzureSignalRConnectionString__serviceUrl": "x"},
            "AzureSignalRConnectionString__serviceUrl",
            "not known",
        ),
        (
            {"AzureSignalRConnectionString__clientSecret": "hidden"},
            "AzureSignalRConnectionString__clientId",
            "is not set",
        ),
        (
            {URI: "", "AzureSignalRConnectionString": "Endpoint=https://a;AccessKey=hidden"},
            "AzureSignalRConnectionString",
            "works without one",
        ),
    ],
)
def test_wrong_settings_are_named_with_a_right_one(
    change: dict[str, str], setting: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(MINIMAL | change)
    assert caught.value.setting == setting
    assert said in str(caught.value)
    assert "Example: " in str(caught.value)
    assert "hidden" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_as_service_uri_is_read_or_refused_by_name(value: str) -> None:
    try:
        settings = Settings.from_environment(MINIMAL | {URI: value})
    except SettingsError as error:
        assert error.setting == URI
    else:
        assert settings.endpoints[0].endpoint.url.startswith(("http://", "https://"))
