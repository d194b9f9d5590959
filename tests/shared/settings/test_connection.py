"""The parts of one connection, read as an app's settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.settings.connection import EndpointSettings
from shared.settings.credential import (
    AzureCloud,
    CredentialKind,
    CredentialSettings,
    UserAssignedIdentity,
)
from shared.settings.endpoint import EndpointType
from shared.settings.environment import Settings

PREFIX = "Azure__SignalR__Endpoints__east__"
APP = {"clientId": "c", "tenantId": "t"}
FEDERATED = {"credential": "managedidentityasfederatedidentity"} | APP


def read(parts: dict[str, str]) -> EndpointSettings:
    given = {"serviceUri": "https://a.bc"} | parts
    environment = {f"{PREFIX}{name}": value for name, value in given.items()}
    return Settings.from_environment(environment | {"SIGNALR_HUBS": "chat"}).endpoints[0]


@pytest.mark.parametrize(
    ("parts", "credential"),
    [
        ({}, CredentialSettings(CredentialKind.DEFAULT)),
        ({"clientId": "c"}, CredentialSettings(CredentialKind.DEFAULT, "c")),
        ({"credential": "default"}, CredentialSettings(CredentialKind.DEFAULT)),
        (
            {"credential": "ManagedIdentity", "clientId": "c"},
            CredentialSettings(CredentialKind.MANAGED_IDENTITY, "c"),
        ),
        (
            {"credential": "managedidentity", "managedIdentityResourceId": "/r"},
            CredentialSettings(
                CredentialKind.MANAGED_IDENTITY,
                managed_identity=UserAssignedIdentity("resource_id", "/r"),
            ),
        ),
        (
            FEDERATED
            | {"credential": "ManagedIdentityAsFederatedIdentity", "managedIdentityClientId": "i"},
            CredentialSettings(
                CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY,
                "c",
                "t",
                managed_identity=UserAssignedIdentity("client_id", "i"),
            ),
        ),
        (
            FEDERATED | {"managedIdentityObjectId": "o", "azureCloud": "UsGov"},
            CredentialSettings(
                CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY,
                "c",
                "t",
                managed_identity=UserAssignedIdentity("object_id", "o"),
                cloud=AzureCloud.US_GOVERNMENT,
                authority_host="https://login.microsoftonline.us",
            ),
        ),
        (
            {"credential": "WorkloadIdentity"} | APP,
            CredentialSettings(CredentialKind.WORKLOAD_IDENTITY, "c", "t"),
        ),
        (
            {"clientSecret": "s"} | APP,
            CredentialSettings(CredentialKind.CLIENT_SECRET, "c", "t", "s"),
        ),
        (
            {"clientCertificatePath": "/cert.pem"} | APP,
            CredentialSettings(
                CredentialKind.CLIENT_CERTIFICATE, "c", "t", certificate_path="/cert.pem"
            ),
        ),
    ],
)
def test_who_the_app_is(parts: dict[str, str], credential: CredentialSettings) -> None:
    assert read(parts).credential == credential


@pytest.mark.parametrize(
    ("parts", "because"),
    [
        ({}, f"IDENTITY_ENDPOINT, {PREFIX}credential and {PREFIX}clientSecret are not set"),
        ({"credential": "managedidentity"}, f"{PREFIX}credential says so"),
        ({"clientSecret": "hidden"} | APP, f"{PREFIX}clientSecret is set"),
        ({"clientCertificatePath": "/p"} | APP, f"{PREFIX}clientCertificatePath is set"),
    ],
)
def test_why_the_app_is_this(parts: dict[str, str], because: str) -> None:
    assert read(parts).credential.because == because


def test_where_the_service_is() -> None:
    endpoint = read(
        {"serviceUri": "HTTPS://a.bc/", "clientEndpoint": "https://c.bc/", "weight": "2.5"}
    ).endpoint
    assert (endpoint.url, endpoint.client_url, endpoint.server_url) == (
        "https://a.bc",
        "https://c.bc",
        "https://a.bc",
    )
    assert (endpoint.name, endpoint.type, endpoint.weight) == ("east", EndpointType.PRIMARY, 2.5)
    assert read({"type": "SECONDARY"}).endpoint.type is EndpointType.SECONDARY


@pytest.mark.parametrize(
    ("value", "audience"),
    [
        ("", "https://signalr.azure.com"),
        ("https://signalr.azure.com/.default", "https://signalr.azure.com"),
        ("https://signalr.azure.com/", "https://signalr.azure.com"),
        (
            "api://00000000-0000-0000-0000-000000000000",
            "api://00000000-0000-0000-0000-000000000000",
        ),
    ],
)
def test_what_the_entra_token_is_for(value: str, audience: str) -> None:
    assert read({"audience": value}).endpoint.audience == audience


@pytest.mark.parametrize(
    ("parts", "part", "problem"),
    [
        ({"serviceUri": "", "type": "primary"}, "serviceUri", "is not set"),
        ({"clientEndpoint": "c.bc"}, "clientEndpoint", "is no service address"),
        ({"serverEndpoint": "http://s.bc"}, "serverEndpoint", "this machine only"),
        ({"type": "third"}, "type", "is 'third', and it is primary or secondary"),
        ({"weight": "0"}, "weight", "is '0', no positive number"),
        ({"weight": "-1"}, "weight", "no positive number"),
        ({"weight": "nan"}, "weight", "no positive number"),
        ({"weight": "inf"}, "weight", "no positive number"),
        ({"weight": "many"}, "weight", "no positive number"),
        ({"audience": "two words"}, "audience", "is 'two words', no audience"),
        ({"audience": "/.default"}, "audience", "no audience"),
        ({"credential": "clientsecret"}, "credential", "managedidentity, managedidentityas"),
        ({"clientSecret": "hidden", "tenantId": "t"}, "clientId", "clientSecret needs it"),
        ({"clientSecret": "hidden", "clientId": "c"}, "tenantId", "clientSecret needs it"),
        ({"clientCertificatePath": "/x", "clientId": "c"}, "tenantId", "CertificatePath needs it"),
        (
            {"credential": FEDERATED["credential"], "tenantId": "t"},
            "clientId",
            f"is not set, and {PREFIX}credential={FEDERATED['credential']} needs it",
        ),
        ({"credential": FEDERATED["credential"], "clientId": "c"}, "tenantId", "needs it"),
        (
            FEDERATED,
            "managedIdentityClientId",
            f"needs it, or {PREFIX}managedIdentityObjectId or {PREFIX}managedIdentityResourceId",
        ),
        (
            FEDERATED | {"managedIdentityClientId": "i", "managedIdentityObjectId": "o"},
            "managedIdentityClientId",
            f"and {PREFIX}managedIdentityObjectId are both set",
        ),
        (
            {"credential": "managedidentity", "managedIdentityObjectId": "o", "clientId": "c"},
            "managedIdentityObjectId",
            f"and {PREFIX}clientId are both set",
        ),
        ({"managedIdentityObjectId": "o"}, "managedIdentityObjectId", "nothing but"),
        (
            {"clientSecret": "hidden", "managedIdentityClientId": "i"} | APP,
            "managedIdentityClientId",
            f"nothing but {PREFIX}credential=managedidentity and managedidentityasfederated",
        ),
        (
            FEDERATED | {"managedIdentityClientId": "i", "azureCloud": "germany"},
            "azureCloud",
            "is 'germany', and it is one of public, usgov, china",
        ),
        ({"credential": "managedidentity", "azureCloud": "usgov"}, "azureCloud", "nothing but"),
        ({"clientCertificate": "thumbprint"}, "clientCertificate", "is not known"),
        ({"serviceUri__x": "https://a.bc"}, "serviceUri__x", "is not known"),
    ],
)
def test_a_wrong_part_is_named_with_a_right_one(
    parts: dict[str, str], part: str, problem: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read(parts)
    assert caught.value.setting == PREFIX + part
    assert problem in str(caught.value)
    assert f". Example: {PREFIX}" in str(caught.value)
    assert "hidden" not in str(caught.value)


@given(st.text(max_size=9) | st.floats().map(str))
def test_any_weight_is_a_positive_number_or_refused_by_name(value: str) -> None:
    try:
        weight = read({"weight": value}).endpoint.weight
    except SettingsError as error:
        assert error.setting == f"{PREFIX}weight"
    else:
        assert 0 < weight < float("inf")
