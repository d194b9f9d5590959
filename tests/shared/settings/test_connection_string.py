"""Connection strings: the grammar of the SDK for .NET and of the service's documentation."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.settings.connection_string import read_connection_string
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.endpoint import Endpoint, EndpointType

SETTING: Final = "AzureSignalRConnectionString"
URL: Final = "https://contoso.service.signalr.net"
LOCAL: Final = "http://localhost:8888"
DEFAULT = CredentialSettings(CredentialKind.DEFAULT)
SYSTEM = CredentialSettings(CredentialKind.MANAGED_IDENTITY)
USER_ASSIGNED = CredentialSettings(CredentialKind.MANAGED_IDENTITY, client_id="c")
SECRET = CredentialSettings(CredentialKind.CLIENT_SECRET, "c", "t", "s")
CERTIFICATE = CredentialSettings(
    CredentialKind.CLIENT_CERTIFICATE, "c", "t", certificate_path="/cert.pem"
)
KEY = CredentialSettings(CredentialKind.ACCESS_KEY, access_key="k=")


@pytest.mark.parametrize(
    ("identity", "credential"),
    [
        ("AuthType=azure", DEFAULT),
        ("AuthType=azure;ClientId=c;TenantId=t;ClientSecret=s", DEFAULT),
        ("AuthType=azure;AccessKey=k", DEFAULT),
        ("AuthType=AZURE.MSI", SYSTEM),
        ("AuthType=azure.msi;ClientId=c", USER_ASSIGNED),
        ("AuthType=azure.app;ClientId=c;TenantId=t;ClientSecret=s", SECRET),
        ("AuthType=azure.app;ClientId=c;TenantId=t;ClientSecret=s;ClientCert=/cert.pem", SECRET),
        ("AuthType=azure.app;ClientId=c;TenantId=t;ClientCert=/cert.pem", CERTIFICATE),
        ("AuthType=azure.app;ClientId=c;TenantId=t;ClientCertPath=/cert.pem", CERTIFICATE),
        ("AuthType=aad", SYSTEM),
        ("AuthType=aad;TenantId=t;ClientSecret=s", SYSTEM),
        ("AuthType=aad;ClientId=c", USER_ASSIGNED),
        ("AuthType=aad;ClientId=c;ClientSecret=s", USER_ASSIGNED),
        ("AuthType=aad;ClientId=c;TenantId=t;ClientSecret=s", SECRET),
        ("AuthType=aad;ClientId=c;TenantId=t;ClientCert=/cert.pem", CERTIFICATE),
    ],
)
def test_who_the_app_is(identity: str, credential: CredentialSettings) -> None:
    assert (
        read_connection_string(SETTING, f"Endpoint={URL};{identity}", {}).credential == credential
    )


@pytest.mark.parametrize(
    ("identity", "because"),
    [
        ("AuthType=azure.msi", "AuthType=azure.msi"),
        ("AccessKey=k", "an AccessKey"),
        ("AuthType=AccessKey=hidden;AccessKey=k", "an AccessKey"),
    ],
)
def test_why_the_app_is_this(identity: str, because: str) -> None:
    credential = read_connection_string(SETTING, f"Endpoint={LOCAL};{identity}", {}).credential
    assert credential.because == f"{SETTING} has {because}"


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        (f"Endpoint={URL}", Endpoint(URL)),
        (f"Endpoint={URL}/", Endpoint(URL)),
        (f"Endpoint={URL};Version=1.0;", Endpoint(URL)),
        (f"Endpoint={URL};Version=1.1-preview", Endpoint(URL)),
        (f"Endpoint={URL};Version=", Endpoint(URL)),
        (f";;Endpoint={URL}; ;;", Endpoint(URL)),
        (f" eNDPOINT = {URL} ", Endpoint(URL)),
        ("Endpoint=HTTPS://a.bc", Endpoint("https://a.bc")),
        ("Endpoint=https://a.bc:500;Port=400", Endpoint("https://a.bc:400")),
        ("Endpoint=https://a.bc/prefix;Port=1", Endpoint("https://a.bc:1/prefix")),
        ("Port=65535;Endpoint=https://a.bc", Endpoint("https://a.bc:65535")),
        ("Endpoint=http://[::1];Port=8888", Endpoint("http://[::1]:8888")),
        ("Endpoint=http://[::1]:1;Port=8888", Endpoint("http://[::1]:8888")),
        (
            f"Endpoint={URL};Port=400;ClientEndpoint=https://c.bc:1/;ServerEndpoint=https://s.bc:2/",
            Endpoint(f"{URL}:400", "https://c.bc:1", "https://s.bc:2"),
        ),
    ],
)
def test_where_the_service_is(text: str, endpoint: Endpoint) -> None:
    assert read_connection_string(SETTING, f"AuthType=azure;{text}", {}).endpoint == endpoint


def test_the_emulators_own_connection_string() -> None:
    text = "Endpoint=http://localhost;Port=8888;AccessKey=k=;Version=1.0;"
    found = read_connection_string(SETTING, text, {})
    assert found.endpoint == Endpoint(LOCAL)
    assert found.credential == KEY


@pytest.mark.parametrize("auth_type", ["", "AuthType=;", "AuthType=other;"])
def test_without_a_known_kind_of_login_the_access_key_is_used(auth_type: str) -> None:
    found = read_connection_string(SETTING, f"Endpoint={LOCAL};{auth_type}AccessKey=k=", {})
    assert found.credential == KEY


def test_an_endpoint_gets_the_name_and_type_that_its_setting_tells() -> None:
    endpoint = read_connection_string(
        SETTING, f"Endpoint={URL};AuthType=azure", {}, name="east", type=EndpointType.SECONDARY
    ).endpoint
    assert (endpoint.name, endpoint.type) == ("east", EndpointType.SECONDARY)


NO_ADDRESS: Final = "which is no service address"
NO_PORT: Final = "has a Port that is not from 1 to 65535"
NO_VERSION: Final = "has a Version that is not supported"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no Endpoint"),
        ("XXX", "has a part without '='"),
        ("Endpoint=https://aaa;AuthType azure.msi", "has a part without '='"),
        ("Endpoint=https://aaa;AuthType=azure;hidden", "has a part without '='"),
        ("XXX=yyy", "has a part that is not known, and may have Endpoint, AccessKey, "),
        ("Endpoint=https://aaa;AuthType=azure;hiddenKey==", "has a part that is not known"),
        (
            "Endpoint=https://aaa;ClinetEndpoint=https://bbb;AuthType=azure",
            "has 'ClinetEndpoint', which is not known; the nearest name is ClientEndpoint",
        ),
        ("Endpoint=https://aaa;Auth Type=azure", "the nearest name is AuthType"),
        ("Endpont=https://aaa;AuthType=azure", "the nearest name is Endpoint"),
        ("Endpoint=https://aaa;ClientCertificatePath=/c.pem", "the nearest name is ClientCertPath"),
        ("AccessKey=hidden", "names no Endpoint"),
        ("Endpoint=;AccessKey=hidden", "names no Endpoint"),
        ("Endpoint=xxx", f"has Endpoint, {NO_ADDRESS}"),
        ("Endpoint=aaa;AccessKey=hidden;", f"has Endpoint, {NO_ADDRESS}"),
        ("Endpoint=endpoint=aaa;AccessKey=hidden;", f"has Endpoint, {NO_ADDRESS}"),
        ("Endpoint=ftp://aaa;AccessKey=hidden;", f"has Endpoint, {NO_ADDRESS}"),
        ("Endpoint=https://a.bc:0;AccessKey=hidden;", f"has Endpoint, {NO_ADDRESS}"),
        (
            "endpoint=https://aaa;clientEndpoint=aaa;AccessKey=hidden;",
            f"has ClientEndpoint, {NO_ADDRESS}",
        ),
        (
            "endpoint=https://aaa;serverEndpoint=aaa;AccessKey=hidden;",
            f"has ServerEndpoint, {NO_ADDRESS}",
        ),
        ("Endpoint=http://aaa:500;AuthType=azure", "has Endpoint, which is http"),
        (
            "Endpoint=https://aaa;ClientEndpoint=http://bbb;AuthType=azure",
            "has ClientEndpoint, which is http",
        ),
        ("Endpoint=https://aaa;AuthType=azure;endpoint=https://aaa", "has 'endpoint' twice"),
        ("Endpoint=https://aaa;AccessKey=hidden;ACCESSKEY =hidden", "has 'accesskey' twice"),
        (
            "Endpoint=https://aaa;AuthType=azure.app;ClientCert=/c.pem;ClientCertPath=/d.pem",
            "has 'clientcertpath' twice",
        ),
        ("Endpoint=https://aaa;AuthType=azure;Port=2.3", NO_PORT),
        ("Endpoint=https://aaa;AuthType=azure;Port=1000000", NO_PORT),
        ("Endpoint=https://aaa;AuthType=azure;Port=0", NO_PORT),
        ("Endpoint=https://aaa;AuthType=azure;Port=-1", NO_PORT),
        ("Endpoint=https://aaa;AuthType=azure;Port=²", NO_PORT),
        pytest.param(
            f"Endpoint=https://aaa;AuthType=azure;Port={'1' * 5000}", NO_PORT, id="a long port"
        ),
        ("Endpoint=https://aaa;AuthType=azure;Version=abc", NO_VERSION),
        ("Endpoint=https://aaa;AuthType=azure;Version=1.x", NO_VERSION),
        ("Endpoint=https://aaa;AuthType=azure;Version=2.0", NO_VERSION),
        ("Endpoint=https://aaa", "neither AuthType=azure, azure.msi or azure.app nor an AccessKey"),
        ("Endpoint=https://aaa;AuthType=azure.mis", "has neither AuthType=azure, azure.msi or"),
        ("Endpoint=https://aaa;AuthType=azure.app;TenantId=t;ClientSecret=hidden", "no ClientId"),
        ("Endpoint=https://aaa;AuthType=azure.app;ClientId=c;ClientSecret=hidden", "no TenantId"),
        (
            "Endpoint=https://aaa;AuthType=azure.app;ClientId=c;TenantId=t",
            "no ClientSecret or ClientCertPath",
        ),
        (
            "Endpoint=https://aaa;AuthType=aad;ClientId=c;TenantId=t",
            "no ClientSecret or ClientCertPath",
        ),
        ("Endpoint=https://aaa;AccessKey=hidden", "this app works without one"),
        ("Endpoint=https://localhost.aaa;AccessKey=hidden", "this app works without one"),
        # Parts with wrong marks between them must not carry a secret into a log.
        ("Endpoint=https://aaa,AccessKey=hidden", f"has Endpoint, {NO_ADDRESS}"),
        ("Endpoint=https://aaa AccessKey=hidden", f"has Endpoint, {NO_ADDRESS}"),
        ("Endpoint=https://x:hidden@aaa;AuthType=azure", f"has Endpoint, {NO_ADDRESS}"),
        ("Endpoint=http://aaa/AccessKey=hidden", "has Endpoint, which is http"),
        ("Endpoint=https://aaa;Version=1.0,AccessKey=hidden", NO_VERSION),
        ("Endpoint=https://aaa;Port=1,AccessKey=hidden", NO_PORT),
    ],
)
def test_what_is_wrong_is_told_and_nothing_secret(text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_connection_string(SETTING, text, {})
    assert caught.value.setting == SETTING
    assert str(caught.value).startswith(f"{SETTING} ")
    assert problem in str(caught.value)
    assert f". Example: {SETTING}=Endpoint=https://contoso.service.signalr.net;" in str(
        caught.value
    )
    assert "hidden" not in str(caught.value)


def test_secrets_do_not_show() -> None:
    assert "k=" not in repr(read_connection_string(SETTING, f"Endpoint={LOCAL};AccessKey=k=", {}))
    app = f"Endpoint={URL};AuthType=azure.app;ClientId=c;TenantId=t;ClientSecret=hidden"
    assert "hidden" not in repr(read_connection_string(SETTING, app, {}))


KEYS: Final = (
    "Endpoint", "AccessKey", "AuthType", "ClientId", "TenantId", "ClientSecret", "ClientCert",
    "ClientCertPath", "ClientEndpoint", "ServerEndpoint", "Version", "Port",
)  # fmt: skip
WORDS = st.text("abcXYZ019-_=/+.", min_size=1, max_size=12)
HOSTS = st.from_regex(r"[a-z0-9]{1,9}(\.[a-z0-9-]{1,9}){0,2}", fullmatch=True)
VALUES = st.one_of(
    st.text(max_size=12),
    WORDS,
    st.sampled_from([URL, LOCAL, "http://[::1]", "azure", "azure.msi", "azure.app", "aad", "1.0"]),
    st.integers().map(str),
    HOSTS.map("https://{}".format),
)
NEARLY_RIGHT = st.lists(
    st.tuples(st.sampled_from(KEYS), VALUES).map("=".join) | st.text(max_size=9), max_size=7
).map(";".join)


@given(st.text() | NEARLY_RIGHT)
def test_any_text_is_read_or_refused_by_name_with_an_example(text: str) -> None:
    try:
        found = read_connection_string(SETTING, text, {})
    except SettingsError as error:
        assert error.setting == SETTING
        assert f". Example: {SETTING}=Endpoint=https://" in str(error)
    else:
        assert found.endpoint.url.startswith(("https://", "http://localhost", "http://[::1]"))
        assert found.credential.kind is not CredentialKind.WORKLOAD_IDENTITY


@st.composite
def addresses(draw: st.DrawFn) -> Endpoint:
    urls = HOSTS.map("https://{}".format) | st.sampled_from([LOCAL, "http://[::1]:8888"])
    others = st.just("") | HOSTS.map("https://{}/path".format)
    return Endpoint(draw(urls), draw(others), draw(others))


def written(endpoint: Endpoint, credential: CredentialSettings) -> dict[str, str]:
    parts = {
        CredentialKind.DEFAULT: {"AuthType": "azure"},
        CredentialKind.MANAGED_IDENTITY: {"AuthType": "azure.msi"},
        CredentialKind.CLIENT_SECRET: {"AuthType": "azure.app"},
        CredentialKind.CLIENT_CERTIFICATE: {"AuthType": "azure.app"},
    }[credential.kind]
    optional = {
        "ClientId": credential.client_id,
        "TenantId": credential.tenant_id,
        "ClientSecret": credential.client_secret,
        "ClientCertPath": credential.certificate_path,
    }
    urls = {
        "Endpoint": endpoint.url,
        "ClientEndpoint": endpoint.client_url,
        "ServerEndpoint": endpoint.server_url,
    }
    return urls | parts | {name: value for name, value in optional.items() if value is not None}


@given(
    addresses(),
    st.one_of(
        st.just(DEFAULT),
        st.builds(
            CredentialSettings,
            st.just(CredentialKind.MANAGED_IDENTITY),
            client_id=st.none() | WORDS,
        ),
        st.builds(CredentialSettings, st.just(CredentialKind.CLIENT_SECRET), WORDS, WORDS, WORDS),
        st.builds(
            CredentialSettings,
            st.just(CredentialKind.CLIENT_CERTIFICATE),
            client_id=WORDS,
            tenant_id=WORDS,
            certificate_path=WORDS,
        ),
    ),
    st.data(),
)
def test_order_case_and_spacing_do_not_count(
    endpoint: Endpoint, credential: CredentialSettings, data: st.DataObject
) -> None:
    parts = data.draw(st.permutations(list(written(endpoint, credential).items())))
    text = ";".join(
        data.draw(st.from_regex(rf"(?i:[ \t]?{key}[ \t]?)=[ \t]?", fullmatch=True)) + value
        for key, value in parts
    )
    found = read_connection_string(SETTING, text, {})
    assert found.endpoint == endpoint
    assert found.credential == credential
