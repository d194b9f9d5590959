"""A managed identity that stands for an app registration: the real azure-identity and emulator."""

import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.identity._credentials.imds import PIPELINE_SETTINGS
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import Settings, SignalRServiceClient
from shared.errors import AuthenticationError
from shared.identity.answers import Assertion
from shared.identity.credential import open_credential, presented_assertion
from shared.identity.entra_tokens import EntraTokens
from shared.identity.exchange import explain_exchange
from shared.identity.failures import Cause, TokenFailure
from shared.identity.permissions import token_claims
from shared.settings.credential import CredentialKind, CredentialSettings, UserAssignedIdentity

PREFIX = "AzureSignalRConnectionString"
TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
UNKNOWN = "00000000-0000-0000-0000-000000000001"
APP = "9d40c1b7-5e2f-4c88-a6d3-07f1be924a65"
APP_PRINCIPAL = "c3a91e58-7f06-4b2d-9c74-e85d20b1f396"
IDENTITY = "f27c0d85-93ae-4b16-8d40-5be9a61f7c32"
IDENTITY_CLIENT = "64e1b8d3-0a7f-4925-9c6b-d30f52a8e719"
IDENTITY_RESOURCE = (
    "/subscriptions/5c9a1f0e-3b7d-4e62-9a58-1d0f6b2c7e34/resourceGroups/local/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/local-identity"
)
OTHER = {
    "kind": "user",
    "principalId": "00000000-0000-0000-0000-00000000000a",
    "clientId": "00000000-0000-0000-0000-00000000000b",
    "resourceId": "/subscriptions/s/other",
}
PARTS = {
    "credential": "managedidentityasfederatedidentity",
    "tenantId": TENANT,
    "clientId": APP,
    "managedIdentityClientId": IDENTITY_CLIENT,
}

type Configure = Callable[..., Mapping[str, str]]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningEmulator, Path]]:
    folder = tmp_path_factory.mktemp("emulator")
    config = folder / "emulator.json"
    own = {
        "kind": "user",
        "principalId": IDENTITY,
        "clientId": IDENTITY_CLIENT,
        "resourceId": IDENTITY_RESOURCE,
    }
    config.write_text(json.dumps({"caFile": "ca.pem", "identities": [own, OTHER]}))
    with running_emulator("--config", str(config)) as running:
        yield running, folder / "ca.pem"


@pytest.fixture(params=["App Service", "IMDS"])
def configure(
    request: pytest.FixtureRequest,
    emulator: tuple[RunningEmulator, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Configure]:
    """Sets the environment of an app at one of the identity endpoints, and gives it."""
    running, ca_file = emulator
    discovery = f"{running.control_url}/{TENANT}/v2.0/.well-known/openid-configuration"
    token_url = urlsplit(requests.get(discovery, timeout=10).json()["token_endpoint"])
    at_endpoint = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": running.control_url}
    if request.param == "App Service":
        at_endpoint = {
            name: running.app_settings[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")
        }
    # azure-identity waits for the metadata service for 25 seconds.
    monkeypatch.setitem(PIPELINE_SETTINGS, "retry_backoff_factor", 0.0)

    def configure(prefix: str = PREFIX, **parts: str) -> Mapping[str, str]:
        given = {"serviceUri": running.service_url, **PARTS, **parts}
        environment = {
            **at_endpoint,
            **{f"{prefix}__{name}": value for name, value in given.items() if value},
            "AZURE_AUTHORITY_HOST": f"https://{token_url.netloc}",
            "REQUESTS_CA_BUNDLE": str(ca_file),
            "SIGNALR_HUBS": "chat",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return environment

    yield configure
    running.clear_faults()


def tokens_of(environment: Mapping[str, str]) -> EntraTokens:
    (endpoint,) = Settings.from_environment(environment).endpoints
    return EntraTokens(lambda: open_credential(endpoint.credential, os.environ))


def refusal(environment: Mapping[str, str]) -> str:
    with pytest.raises(AuthenticationError) as caught:
        tokens_of(environment).get()
    said = str(caught.value)
    assert said.isprintable()
    assert "eyJ" not in said
    return said


@pytest.mark.parametrize(
    "identity",
    [
        {"managedIdentityClientId": IDENTITY_CLIENT},
        {"managedIdentityObjectId": IDENTITY},
        {"managedIdentityResourceId": IDENTITY_RESOURCE},
    ],
)
@pytest.mark.parametrize("prefix", [PREFIX, "Azure__SignalR__Endpoints__east"])
def test_the_app_calls_the_service_as_its_app_registration(
    configure: Configure, prefix: str, identity: dict[str, str]
) -> None:
    environment = configure(prefix, **({"managedIdentityClientId": ""} | identity))
    assert token_claims(tokens_of(environment).get().value)["oid"] == APP_PRINCIPAL
    with SignalRServiceClient.from_environment(environment) as client:
        assert not client.user_exists("chat", "ann")


def test_which_identity_has_stood_for_it(configure: Configure) -> None:
    (endpoint,) = Settings.from_environment(configure()).endpoints
    credential = open_credential(endpoint.credential, os.environ)
    assert presented_assertion(credential) is None
    EntraTokens(lambda: credential).get()
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert presented_assertion(credential) == Assertion(
        issuer, IDENTITY, "api://AzureADTokenExchange"
    )


def test_an_identity_that_the_app_does_not_have(configure: Configure) -> None:
    for part, id_, what in (
        ("managedIdentityClientId", UNKNOWN, "client id"),
        ("managedIdentityObjectId", UNKNOWN, "object id"),
        ("managedIdentityResourceId", "/subscriptions/s/none", "resource id"),
    ):
        said = refusal(configure(**({"managedIdentityClientId": ""} | {part: id_})))
        assert "the managed identity gives no token to exchange: the identity endpoint " in said
        assert f"Assign the app the identity with the {what} {id_} " in said
        assert f"or correct {PREFIX}__{part}: a" in said


def test_an_identity_that_the_app_registration_does_not_trust(configure: Configure) -> None:
    said = refusal(configure(managedIdentityClientId=OTHER["clientId"]))
    assert "the managed identity's token is not exchanged: AADSTS700213: " in said
    command = re.search(
        r": az ad app federated-credential create --id (\S+) --parameters '(.*)'$", said
    )
    assert command is not None
    assert command[1] == APP
    assert json.loads(command[2]) == {
        "name": "keyless-signalr",
        "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "subject": OTHER["principalId"],
        "audiences": ["api://AzureADTokenExchange"],
    }


def test_an_app_registration_that_the_tenant_does_not_know(configure: Configure) -> None:
    said = refusal(configure(clientId=UNKNOWN))
    assert "the managed identity's token is not exchanged: AADSTS700016: " in said
    assert f"az login --tenant {TENANT} && az ad sp create --id {UNKNOWN}. " in said


def test_a_tenant_that_is_not_there(configure: Configure) -> None:
    said = refusal(configure(tenantId=UNKNOWN))
    assert "the managed identity's token is not exchanged: AADSTS90002: " in said
    assert said.endswith(f"Set {PREFIX}__tenantId to the tenant of the SignalR resource")


@pytest.mark.parametrize("configure", ["App Service"], indirect=True)
def test_app_service_is_asked_once(
    configure: Configure, emulator: tuple[RunningEmulator, Path]
) -> None:
    running, _ = emulator
    running.add_fault(operation="identity", status=500, times=1)
    environment = configure()
    said = refusal(environment)
    assert "the managed identity gives no token to exchange: the identity endpoint " in said
    assert "it answered 500" in said
    assert tokens_of(environment).get()


def test_an_authority_that_is_out_of_reach(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = configure()
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://127.0.0.1:9")
    monkeypatch.setattr("azure.core.pipeline.transport.RequestsTransport.sleep", lambda *_: None)
    said = refusal(environment)
    assert "the managed identity's token is not exchanged: nothing answers at Entra ID" in said


class Clouds:
    """Stands for all of the network: an identity endpoint and Entra ID that give tokens."""

    def __init__(self) -> None:
        self.resources: list[str] = []
        self.exchanges: list[str] = []

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        url = urlsplit(request.url or "")
        if request.method == "GET":
            self.resources += parse_qs(url.query)["resource"]
        else:
            self.exchanges.append(f"https://{url.netloc}{url.path}")
            assert parse_qs(str(request.body))["client_assertion"] == ["given"]
        answer = {"access_token": "given", "expires_in": 3600, "token_type": "Bearer"}
        answer |= {"expires_on": str(int(time.time()) + 3600), "resource": "r"}
        response = requests.Response()
        response.status_code, response.request = 200, request
        response.headers["Content-Type"] = "application/json"
        response.raw = io.BytesIO(json.dumps(answer).encode())
        return response


PUBLIC = ("https://login.microsoftonline.com", "api://AzureADTokenExchange")
US_GOV = ("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov")
CHINA = ("https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina")


@pytest.mark.parametrize(
    ("service", "cloud", "authority", "expected"),
    [
        ("https://a.service.signalr.net", "", "", PUBLIC),
        ("https://a.signalr.azure.us", "", "", US_GOV),
        ("https://a.signalr.azure.cn", "", "", CHINA),
        ("https://signalr.contoso.us", "usgov", "", US_GOV),
        ("https://signalr.contoso.cn", "China", "", CHINA),
        ("https://a.signalr.azure.us", "public", "", PUBLIC),
        ("https://a.b", "", "login.microsoftonline.us", US_GOV),
        (
            "https://a.b",
            "",
            "https://login.partner.microsoftonline.cn/",
            ("https://login.partner.microsoftonline.cn", CHINA[1]),
        ),
        ("https://a.b", "", "https://127.0.0.1:1", ("https://127.0.0.1:1", PUBLIC[1])),
        ("https://a.b", "usgov", "https://127.0.0.1:1", ("https://127.0.0.1:1", US_GOV[1])),
    ],
)
def test_each_cloud_has_an_audience_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    cloud: str,
    authority: str,
    expected: tuple[str, str],
) -> None:
    clouds = Clouds()
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda _, request, **__: clouds.send(request)
    )
    environment = {"IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token", "IDENTITY_HEADER": "h"}
    if authority:
        environment["AZURE_AUTHORITY_HOST"] = authority
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    parts = {"serviceUri": service, **PARTS, "azureCloud": cloud}
    (found,) = Settings.from_environment(
        {f"{PREFIX}__{name}": value for name, value in parts.items()} | {"SIGNALR_HUBS": "chat"}
    ).endpoints
    settings = found.credential.at_authority(found.endpoint.authority_host)
    EntraTokens(lambda: open_credential(settings, environment)).get()
    host, audience = expected
    assert clouds.resources == [audience]
    assert clouds.exchanges == [f"{host}/{TENANT}/oauth2/v2.0/token"]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("70021", "az ad app federated-credential create --id app --parameters"),
        ("700211", "az ad app federated-credential create --id app --parameters"),
        ("700213", '"subject": "s", "audiences": ["api://AzureADTokenExchangeUSGov"]'),
        ("700212", "the audience api://AzureADTokenExchangeUSGov and no other"),
        ("700016", "az login --tenant tenant && az ad sp create --id app"),
        ("7000229", "az ad sp create --id app"),
        ("700222", "must be user-assigned"),
        ("700226", "must be user-assigned"),
        ("700236", "of the identity's own tenant, for several tenants"),
        ("90002", "__tenantId to the tenant of the SignalR resource"),
        ("1", "what it means"),
    ],
)
def test_what_to_do_when_the_exchange_is_refused(code: str, remedy: str) -> None:
    settings = CredentialSettings(
        CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY,
        "app",
        "tenant",
        managed_identity=UserAssignedIdentity("client_id", "identity"),
    )
    url = "https://login.microsoftonline.us/tenant/oauth2/v2.0/token"
    failure = TokenFailure(Cause.ENTRA, f"AADSTS{code}: No", "what it means", url, code)
    assertion = Assertion("i", "s", "api://AzureADTokenExchangeUSGov")
    explained = explain_exchange(failure, settings, assertion)
    assert explained.said == f"the managed identity's token is not exchanged: AADSTS{code}: No"
    assert remedy in explained.remedy
    assert (explained.cause, explained.code) == (Cause.ENTRA, code)
