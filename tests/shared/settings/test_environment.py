from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError, UnknownHubError
from shared.settings.credential import CredentialKind
from shared.settings.endpoint import Endpoint, EndpointType
from shared.settings.environment import Settings
from shared.settings.hubs import Hubs
from shared.settings.token_origin import TokenOrigin

URI = "AzureSignalRConnectionString__serviceUri"
MINIMAL = {URI: "https://contoso.service.signalr.net/", "SIGNALR_HUBS": "chat"}
HUBS = {"SIGNALR_HUBS": "chat"}
STRING = "Endpoint=https://string.example;AuthType=azure.msi;Version=1.0;"
EAST = "Azure__SignalR__Endpoints__east"


def test_minimal_settings() -> None:
    settings = Settings.from_environment(MINIMAL)
    (found,) = settings.endpoints
    assert found.endpoint.url == "https://contoso.service.signalr.net"
    assert found.credential.kind is CredentialKind.DEFAULT
    assert settings.hubs == Hubs(frozenset({"chat"}), "chat")
    assert not settings.message_tracing


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
            "SIGNALR_APPLICATION": " Alice ",
            "SIGNALR_MESSAGE_TRACING": "True",
        }
    )
    (found,) = settings.endpoints
    assert found.endpoint.client_url == "https://client.example"
    assert found.endpoint.server_url == "https://server.example"
    assert found.credential.kind is CredentialKind.MANAGED_IDENTITY
    assert found.credential.client_id == "client-1"
    assert settings.hubs == Hubs(frozenset({"chat", "notifications"}), "notifications")
    assert settings.application == "alice"
    assert settings.message_tracing


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
    assert Settings.from_environment(MINIMAL).hubs.find(name) == "chat"


@pytest.mark.parametrize(
    ("hubs", "named", "default"),
    [
        ("tenant_*", "", ""),
        ("tenant_*,Chat", "", "chat"),
        ("tenant_*,chat", "Tenant_Main", "tenant_main"),
    ],
)
def test_hubs_by_pattern(hubs: str, named: str, default: str) -> None:
    found = Settings.from_environment(
        MINIMAL | {"SIGNALR_HUBS": hubs, "SIGNALR_DEFAULT_HUB": named}
    ).hubs
    assert (found.default, found.patterns) == (default, ("tenant_*",))
    assert found.find("tenant_7") == "tenant_7"


@pytest.mark.parametrize("name", ["", "other", "chat/", "ch at"])
def test_unknown_hubs(name: str) -> None:
    with pytest.raises(UnknownHubError):
        Settings.from_environment(MINIMAL).hubs.find(name)


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
        ({"SIGNALR_DEFAULT_HUB": "tenant_*"}, "SIGNALR_DEFAULT_HUB", "one hub alone can be the"),
        (
            {"SIGNALR_HUBS": "tenant_*", "SIGNALR_DEFAULT_HUB": "chat"},
            "SIGNALR_DEFAULT_HUB",
            "is not in SIGNALR_HUBS. Example: SIGNALR_DEFAULT_HUB=tenant_main",
        ),
        ({"SIGNALR_HUBS": "ten*ant"}, "SIGNALR_HUBS", "one * ends it, after what the names begin"),
        ({"SIGNALR_HUBS": "*"}, "SIGNALR_HUBS", "'*' is no pattern of hubs"),
        ({"SIGNALR_HUBS": "tenant_*", "SIGNALR_APPLICATION": "a*"}, "SIGNALR_APPLICATION", "'a*'"),
        (
            {"SIGNALR_HUBS": "tenant_*", "SIGNALR_APPLICATION": "a" * 124},
            "SIGNALR_APPLICATION",
            "with the hub 'tenant_*' of SIGNALR_HUBS and a _ between them it may have 128",
        ),
        ({"SIGNALR_MESSAGE_TRACING": "on"}, "SIGNALR_MESSAGE_TRACING", "'true' or 'false'"),
        ({"SIGNALR_APPLICATION": "1x"}, "SIGNALR_APPLICATION", "'1x' is not an application name"),
        (
            {"SIGNALR_APPLICATION": "a" * 124},
            "SIGNALR_APPLICATION",
            "with the hub 'chat' of SIGNALR_HUBS and a _ between them it may have 128 characters",
        ),
        (
            {"AzureSignalRConnectionString__credential": "key"},
            "AzureSignalRConnectionString__credential",
            "managedidentity",
        ),
        (
            {"AzureSignalRConnectionString__serviceUrl": "x"},
            "AzureSignalRConnectionString__serviceUrl",
            "not known; the nearest name is serviceUri; ",
        ),
        (
            {"AzureSignalRConnectionString__clientEndpiont": "https://b.bc"},
            "AzureSignalRConnectionString__clientEndpiont",
            "Example: AzureSignalRConnectionString__clientEndpoint=https://",
        ),
        (
            {"AzureSignalRConnectionString__foo": "x"},
            "AzureSignalRConnectionString__foo",
            "not known; AzureSignalRConnectionString has audience, ",
        ),
        (
            {
                "AzureSignalRConnectionString": STRING,
                "AzureSignalRConnectionString__clientEndpiont": "https://b.bc",
            },
            "AzureSignalRConnectionString__clientEndpiont",
            "the nearest name is clientEndpoint; ",
        ),
        (
            {f"{EAST}__servceUri": "https://b.bc"},
            f"{EAST}__servceUri",
            f"Example: {EAST}__serviceUri=https://",
        ),
        (
            {"Azure__SignalR__Endpoint__east__serviceUri": "https://b.bc"},
            "Azure__SignalR__Endpoint__east__serviceUri",
            "the nearest name is Azure__SignalR__Endpoints",
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
        ({URI: "Endpoint=https://a;AccessKey=hidden"}, URI, "no service address"),
        ({URI: "https://a b"}, URI, "no service address"),
        ({URI: "https://a\nb"}, URI, "no service address"),
        ({URI: "https://a?"}, URI, "no service address"),
        ({URI: "https://a..b"}, URI, "no service address"),
        ({URI: f"https://{'a' * 64}.bc"}, URI, "no service address"),
        ({URI: "https://ann:hidden@a.bc"}, URI, "no service address"),
        ({"SIGNALR_CLIENT_TOKENS": "mine"}, "SIGNALR_CLIENT_TOKENS", "access-key, service, auto"),
        ({"Azure__SignalR__Endpoints": STRING}, "Azure__SignalR__Endpoints", "names no endpoint"),
        (
            {"Azure__SignalR__Endpoints____serviceUri": "https://a.bc"},
            "Azure__SignalR__Endpoints____serviceUri",
            "names no endpoint",
        ),
        ({f"{EAST}__type": "secondary"}, f"{EAST}__serviceUri", "is not set"),
        ({f"{EAST}__tertiary": STRING}, f"{EAST}__tertiary", "is not known"),
        ({f"{EAST}__secondary__x": STRING}, f"{EAST}__secondary__x", "is not known"),
        ({EAST: "Endpoint=https://a;AccessKey=hidden"}, EAST, "works without one"),
        ({f"{EAST}__secondary": "Endpoint=a"}, f"{EAST}__secondary", "no service address"),
        (
            {f"{EAST}__primary": STRING, f"{EAST}__secondary": STRING},
            "Azure__SignalR__Endpoints",
            "'east' twice",
        ),
        (
            {EAST: STRING, f"{EAST}__serviceUri": "https://a.bc"},
            "Azure__SignalR__Endpoints",
            "'east' twice",
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


def endpoints(environment: dict[str, str]) -> list[tuple[str, str, EndpointType]]:
    found = Settings.from_environment(HUBS | environment).endpoints
    return [(each.endpoint.name, each.endpoint.url, each.endpoint.type) for each in found]


PRIMARY, SECONDARY = EndpointType.PRIMARY, EndpointType.SECONDARY


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({f"{EAST}__serviceUri": "https://a.bc"}, [("east", "https://a.bc", PRIMARY)]),
        (
            {f"{EAST}__serviceUri": "https://a.bc", f"{EAST}__type": "Secondary"},
            [("east", "https://a.bc", SECONDARY)],
        ),
        ({EAST: STRING}, [("east", "https://string.example", PRIMARY)]),
        ({f"{EAST}__primary": STRING}, [("east", "https://string.example", PRIMARY)]),
        ({f"{EAST}__secondary": STRING}, [("east", "https://string.example", SECONDARY)]),
        ({f"{EAST}:Secondary": STRING}, [("east", "https://string.example", SECONDARY)]),
        (
            {"AZURE:SIGNALR:ENDPOINTS:EAST:SERVICEURI": "https://a.bc"},
            [("east", "https://a.bc", PRIMARY)],
        ),
        (
            {
                EAST: STRING,
                "Azure:SignalR:Endpoints:west:serviceUri": "https://west.example",
                "Azure__SignalR__Endpoints__west__type": "secondary",
                URI: "https://a.bc:8443",
            },
            [
                ("a.bc:8443", "https://a.bc:8443", PRIMARY),
                ("east", "https://string.example", PRIMARY),
                ("west", "https://west.example", SECONDARY),
            ],
        ),
        (
            {"AzureSignalRConnectionString": STRING},
            [("string.example", "https://string.example", PRIMARY)],
        ),
        (
            {"ConnectionStrings__AzureSignalRConnectionString": STRING},
            [("string.example", "https://string.example", PRIMARY)],
        ),
        (
            {"ConnectionStrings:AzureSignalRConnectionString": STRING},
            [("string.example", "https://string.example", PRIMARY)],
        ),
    ],
)
def test_endpoints(
    environment: dict[str, str], expected: list[tuple[str, str, EndpointType]]
) -> None:
    assert endpoints(environment) == expected


@pytest.mark.parametrize(
    "name", ["AzureSignalRConnectionString", "ConnectionStrings:AzureSignalRConnectionString"]
)
def test_a_connection_string_goes_before_its_parts(name: str) -> None:
    parts = {URI: "https://a.bc", "AzureSignalRConnectionString__clientId": "x"}
    assert endpoints({name: STRING} | parts) == [
        ("string.example", "https://string.example", PRIMARY)
    ]


EMULATOR: Final = "http://signalr:8888"


@pytest.mark.parametrize(
    "environment",
    [
        {URI: EMULATOR},
        {f"{EAST}__serviceUri": EMULATOR},
        {"AzureSignalRConnectionString": "Endpoint=http://signalr;Port=8888;AuthType=azure.msi"},
        {EAST: "Endpoint=http://signalr:8888/;AuthType=azure"},
        {URI: "https://a.bc", "AzureSignalRConnectionString__clientEndpoint": EMULATOR},
        {URI: "https://a.bc", "AzureSignalRConnectionString__serverEndpoint": EMULATOR},
    ],
)
def test_http_reaches_another_machine_where_a_setting_names_it(environment: dict[str, str]) -> None:
    def read(hosts: str) -> Endpoint:
        allowed = {"SIGNALR_ALLOW_HTTP_HOSTS": hosts}
        return Settings.from_environment(HUBS | environment | allowed).endpoints[0].endpoint

    endpoint = read(" other.example, SignalR ")
    assert EMULATOR in {endpoint.url, endpoint.client_url, endpoint.server_url}
    for others in ("", "signal", "signalr.example", "other.example"):
        with pytest.raises(SettingsError, match=r"this machine only.* SIGNALR_ALLOW_HTTP_HOSTS"):
            read(others)


@pytest.mark.parametrize(
    ("host", "url"), [("172.18.0.2", "http://172.18.0.2:8888"), ("[FD00::2]", "http://[fd00::2]")]
)
def test_a_host_that_http_reaches_may_be_an_address(host: str, url: str) -> None:
    allowed = {URI: url, "SIGNALR_ALLOW_HTTP_HOSTS": host}
    assert Settings.from_environment(HUBS | allowed).endpoints[0].endpoint.url == url


def test_an_access_key_is_for_an_emulator_on_this_machine_all_the_same() -> None:
    text = "Endpoint=http://signalr;AccessKey=hidden"
    with pytest.raises(SettingsError, match="works without one"):
        Settings.from_environment(
            HUBS | {"AzureSignalRConnectionString": text, "SIGNALR_ALLOW_HTTP_HOSTS": "signalr"}
        )


@pytest.mark.parametrize("host", ["http://signalr", "signalr:8888", "*", "sig nalr", "a/b", "a..b"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(MINIMAL | {"SIGNALR_ALLOW_HTTP_HOSTS": f"signalr,{host}"})
    assert str(caught.value) == (
        f"SIGNALR_ALLOW_HTTP_HOSTS has {host!r}, and a host is a name or an address without scheme"
        " and port. Example: SIGNALR_ALLOW_HTTP_HOSTS=signalr"
    )


def test_in_azure_no_host_may_be_reached_by_http() -> None:
    azure = {"WEBSITE_INSTANCE_ID": "0123456789abcdef"}
    assert Settings.from_environment(MINIMAL | azure).endpoints
    # Also where nothing is reached by http yet.
    with pytest.raises(
        SettingsError, match=r"^SIGNALR_ALLOW_HTTP_HOSTS is set in Azure, .* remove"
    ):
        Settings.from_environment(MINIMAL | azure | {"SIGNALR_ALLOW_HTTP_HOSTS": "signalr"})


def test_two_spellings_of_one_setting_agree() -> None:
    other = "azuresignalrconnectionstring:serviceuri"
    assert endpoints({URI: "https://a.bc", other: "https://a.bc"}) == [
        ("a.bc", "https://a.bc", PRIMARY)
    ]
    with pytest.raises(SettingsError, match=f"^{other} and {URI} are one setting with two values"):
        endpoints({URI: "https://a.bc", other: "https://b.bc"})


def test_settings_of_others_are_left_alone() -> None:
    others = {
        "AzureSignalRConnectionString2__serviceUri": "https://b.bc",
        "AzureSignalRServiceTransportType": "Transient",
        "Azure__SignalR__HubProtocol": "NewtonsoftJson",
        "Azure__SignalR__HubProtocol__NewtonsoftJson__CamelCase": "true",
        "Azure__SignalR__ConnectionString": "Endpoint=https://b.bc;AuthType=azure",
        "Azure:SignalR:ApplicationName": "shop",
    }
    assert endpoints({URI: "https://a.bc"} | others) == [("a.bc", "https://a.bc", PRIMARY)]


def test_an_endpoint_without_a_value_is_none() -> None:
    assert endpoints({EAST: " ", URI: "https://a.bc"}) == [("a.bc", "https://a.bc", PRIMARY)]


def test_each_endpoint_has_an_identity_of_its_own() -> None:
    east, west = Settings.from_environment(
        HUBS
        | {
            f"{EAST}__serviceUri": "https://a.bc",
            f"{EAST}__credential": "managedidentity",
            f"{EAST}__clientId": "c",
            "Azure__SignalR__Endpoints__west": "Endpoint=https://b.bc;AuthType=azure",
        }
    ).endpoints
    assert (east.credential.kind, east.credential.client_id) == (
        CredentialKind.MANAGED_IDENTITY,
        "c",
    )
    assert (west.credential.kind, west.credential.client_id) == (CredentialKind.DEFAULT, None)


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("", TokenOrigin.ACCESS_KEY),
        ("access-key", TokenOrigin.ACCESS_KEY),
        (" Service ", TokenOrigin.SERVICE),
        ("AUTO", TokenOrigin.AUTO),
    ],
)
def test_who_makes_client_tokens(value: str, origin: TokenOrigin) -> None:
    settings = Settings.from_environment(MINIMAL | {"SIGNALR_CLIENT_TOKENS": value})
    assert settings.token_origin is origin


@given(st.text(max_size=60))
def test_any_text_as_service_uri_is_read_or_refused_by_name(value: str) -> None:
    try:
        settings = Settings.from_environment(MINIMAL | {URI: value})
    except SettingsError as error:
        assert error.setting == URI
    else:
        assert settings.endpoints[0].endpoint.url.startswith(("http://", "https://"))


STARTS = ("AzureSignalRConnectionString", "Azure__SignalR__Endpoints", "ConnectionStrings")
NAMES = st.lists(
    st.sampled_from(
        [
            *STARTS, "east", "", "serviceUri", "clientEndpoint", "serverEndpoint", "type", "weight",
            "audience", "credential", "clientId", "tenantId", "clientSecret", "primary",
            "secondary", "clientCertificatePath", "clientCertificate", "ServiceURI",
        ]
    ),
    max_size=3,
)  # fmt: skip
SETTINGS = st.builds(
    lambda start, names, separator: separator.join([start, *names]),
    st.sampled_from(STARTS),
    NAMES,
    st.sampled_from(["__", ":"]),
) | st.sampled_from(
    ["SIGNALR_HUBS", "SIGNALR_DEFAULT_HUB", "SIGNALR_APPLICATION", "SIGNALR_CLIENT_TOKENS"]
)
VALUES = st.text(max_size=9) | st.sampled_from(
    [STRING, "https://a.bc", "http://localhost:1", "secondary", "2", "managedidentity", "chat"]
)


@given(st.dictionaries(SETTINGS | st.text(max_size=9), VALUES, max_size=8))
def test_any_settings_are_read_or_refused_by_name_with_an_example(
    environment: dict[str, str],
) -> None:
    try:
        settings = Settings.from_environment(HUBS | environment)
    except SettingsError as error:
        assert str(error).startswith(f"{error.setting} ")
        assert ". Example: " in str(error)
        assert error.setting.lower().startswith(
            ("azuresignalr", "azure__signalr", "azure:signalr", "connectionstrings", "signalr_")
        )
    else:
        names = [each.endpoint.name for each in settings.endpoints]
        assert 1 <= len(names) == len(set(names))
        assert not settings.hubs.default or settings.hubs.serves(settings.hubs.default)
