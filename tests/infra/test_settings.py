"""The app settings: the app can read all that the template sets, and misses none that it needs."""

import re
from collections.abc import Iterator, Mapping

import pytest

import demo
from shared.errors import SettingsError
from shared.functions import OPENAPI_OFFERED, is_offered
from shared.functions.negotiate import settings as negotiate
from shared.functions.negotiate.settings import Identity, NegotiateSettings
from shared.functions.upstream import settings as upstream
from shared.functions.upstream.settings import UpstreamSettings
from shared.settings import environment as client
from shared.settings.connection import PARTS
from shared.settings.credential import CredentialKind, UserAssignedIdentity
from shared.settings.endpoint import EndpointType
from shared.settings.environment import ENDPOINTS, Settings
from tests.infra.bicep import SOURCES
from tests.infra.cases import CASES, LEAST, OTHER_TENANT, REGISTRATION, deployed
from tests.infra.deployment import Deployment, deploy
from tests.infra.expressions import TENANT

SIGNALR = "Microsoft.SignalRService/signalR"
APP_SETTINGS = (
    *client.SETTINGS,
    *negotiate.SETTINGS,
    *upstream.SETTINGS,
    demo.OFFERED,
    OPENAPI_OFFERED,
)
OF_AZURE = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
}
"""Read by the Functions host and by Microsoft's worker."""

NOT_SET = {
    "AzureSignalRConnectionString": "every endpoint has a name of its own, and no key",
    "SIGNALR_DEFAULT_HUB": "the first of the hubs",
    "SIGNALR_CLIENT_TOKENS": "the role allows access keys",
    "NEGOTIATE_REFRESH": "on where callers prove who they are",
    "NEGOTIATE_CLOSE_ON_EXPIRATION": "the deployer's choice, in appSettings",
    "NEGOTIATE_CLAIMS": "the deployer's choice, in appSettings",
    "NEGOTIATE_TOKEN_LIFETIME_MINUTES": "the deployer's choice, in appSettings",
    "NEGOTIATE_OIDC_ISSUER": "the deployer's choice, in appSettings",
    "NEGOTIATE_OIDC_AUDIENCE": "the deployer's choice, in appSettings",
    "NEGOTIATE_OIDC_JWKS_URI": "the deployer's choice, in appSettings",
    "NEGOTIATE_OIDC_USER_ID_CLAIM": "the deployer's choice, in appSettings",
    "UPSTREAM_KEYS_URL": "the tenant's own",
    "SIGNALR_ALLOW_HTTP_HOSTS": "never in Azure",
    "clientSecret": "there are no secrets",
    "clientCertificatePath": "there are no secrets",
    "clientEndpoint": "no gateway stands before the service",
    "serverEndpoint": "no gateway stands before the service",
    "managedIdentityObjectId": "the client id names the identity",
    "managedIdentityResourceId": "the client id names the identity",
    "azureCloud": "the address of the service tells",
    "audience": "the same in every cloud",
    "weight": "the deployer's choice, in appSettings",
}
"""Settings of the app, and parts of an endpoint, that the template leaves alone, and why."""


def settings_of(deployment: Deployment) -> dict[str, str]:
    return deployment.one("Microsoft.Web/sites/config", "appsettings").properties


def environment(deployment: Deployment) -> Mapping[str, str]:
    """Return what the app sees: its settings, and what App Service adds to them."""
    logged_in = [each for each in deployment.resources if each.body["name"] == "authsettingsV2"]
    return settings_of(deployment) | {
        "WEBSITE_SITE_NAME": deployment.outputs["APP_NAME"],
        "WEBSITE_AUTH_ENABLED": str(bool(logged_in)),
        "IDENTITY_ENDPOINT": "http://localhost:8081/msi/token",
    }


def known(names: Mapping[str, str]) -> Iterator[str]:
    """Yield the settings of the app by the names that the app has for them."""
    for name in names:
        part = re.fullmatch(rf"{ENDPOINTS}__[A-Za-z0-9]+__(\w+)", name)
        if part:
            assert part[1].lower() in PARTS, name
            yield part[1]
        elif name not in OF_AZURE:
            assert name in {each.name for each in APP_SETTINGS}, name
            yield name


@pytest.mark.parametrize("case", CASES)
def test_the_app_knows_every_setting(case: str) -> None:
    values = settings_of(deployed(case))
    assert list(known(values))
    assert all(isinstance(value, str) and value for value in values.values())


def test_every_setting_of_the_app_is_set_or_left_alone_for_a_reason() -> None:
    own = deploy(SOURCES, **{**CASES["everything"], "appSettings": {}})
    taken = {*known(settings_of(own)), *known(settings_of(deployed("other-tenant")))}
    names = {each.name for each in APP_SETTINGS if not each.name.startswith("AzureSignalR")}
    every = names | {"AzureSignalRConnectionString", *(part.name for part in PARTS.values())}
    assert taken | set(NOT_SET) == every
    assert not taken & set(NOT_SET)


@pytest.mark.parametrize("case", CASES)
def test_the_app_starts_with_the_settings(case: str) -> None:
    deployment = deployed(case)
    values = environment(deployment)

    settings = Settings.from_environment(values)

    kinds = {each.endpoint.url: each.credential.kind for each in settings.endpoints}
    hosts = [f"https://{host}" for host in deployment.outputs["SIGNALR_HOST_NAMES"]]
    others = [each["serviceUri"] for each in CASES[case].get("otherTenantEndpoints", [])]
    assert kinds == {
        **dict.fromkeys(hosts, CredentialKind.MANAGED_IDENTITY),
        **dict.fromkeys(others, CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY),
    }
    NegotiateSettings.from_environment(values)
    assert not is_offered(demo.OFFERED, values)
    assert not is_offered(OPENAPI_OFFERED, values)


def test_the_client_id_is_that_of_the_user_assigned_identity() -> None:
    def client_ids(case: str) -> set[str | None]:
        endpoints = Settings.from_environment(environment(deployed(case))).endpoints
        return {each.credential.client_id for each in endpoints}

    (client_id,) = client_ids("least")
    values = settings_of(deployed("least"))
    assert values["AzureWebJobsStorage__clientId"] == client_id
    telemetry = values["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    assert telemetry == f"ClientId={client_id};Authorization=AAD"

    assert client_ids("system-assigned") == {None}
    values = settings_of(deployed("system-assigned"))
    assert "AzureWebJobsStorage__clientId" not in values
    assert values["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] == "Authorization=AAD"


def test_the_apps_identity_stands_for_an_app_registration_in_another_tenant() -> None:
    values = environment(deployed("other-tenant"))
    (endpoint,) = Settings.from_environment(values).endpoints
    assert endpoint.endpoint.name == "customer"
    credential = endpoint.credential
    assert (credential.tenant_id, credential.client_id) == (OTHER_TENANT, REGISTRATION)
    assert credential.managed_identity == UserAssignedIdentity(
        "client_id", values["AzureWebJobsStorage__clientId"]
    )


def test_a_system_assigned_identity_ends_the_start_of_an_app_in_another_tenant() -> None:
    case = {**CASES["other-tenant"], "identityType": "SystemAssigned"}
    with pytest.raises(SettingsError, match="customer__managedIdentityClientId is not set"):
        Settings.from_environment(environment(deploy(SOURCES, **case)))


def test_services_of_both_tenants_may_be_endpoints_of_one_app() -> None:
    both = {
        **CASES["everything"],
        "otherTenantEndpoints": CASES["other-tenant"]["otherTenantEndpoints"],
    }
    endpoints = Settings.from_environment(environment(deploy(SOURCES, **both))).endpoints
    assert {each.endpoint.name: each.credential.kind for each in endpoints} == {
        "west": CredentialKind.MANAGED_IDENTITY,
        "north": CredentialKind.MANAGED_IDENTITY,
        "customer": CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY,
    }


def test_each_region_is_an_endpoint_with_its_type() -> None:
    endpoints = Settings.from_environment(environment(deployed("everything"))).endpoints
    assert {each.endpoint.name: each.endpoint.type for each in endpoints} == {
        "west": EndpointType.PRIMARY,
        "north": EndpointType.SECONDARY,
    }


def test_only_the_services_of_the_deployment_may_call_upstream() -> None:
    values = environment(deployed("everything"))

    verified = UpstreamSettings.from_environment(values, [])

    assert [each.issuer for each in verified.issuers] == [
        f"https://sts.windows.net/{TENANT}/",
        f"https://login.microsoftonline.com/{TENANT}/v2.0",
    ]
    assert {each.audiences for each in verified.issuers} == {("api://signalr-upstream",)}
    assert verified.identities == set(values["UPSTREAM_IDENTITIES"].split(","))
    assert len(verified.identities) == len(deployed("everything").of(SIGNALR))


def test_nobody_may_call_upstream_without_an_audience() -> None:
    values = environment(deployed("least"))
    assert UpstreamSettings.from_environment(values, []) == UpstreamSettings()


def test_who_may_connect_is_what_the_deployer_says() -> None:
    for case, identity in (("least", Identity.ANONYMOUS), ("everything", Identity.APP_SERVICE)):
        settings = NegotiateSettings.from_environment(environment(deployed(case)))
        assert settings.identities == (identity,)


@pytest.mark.parametrize(
    ("rules", "differ"),
    [
        ({"signalRConnectionCountRules": [{"type": "ThrottleByJwtSignatureRule"}]}, True),
        ({"signalRTrafficControlRules": [{"type": "TrafficThrottleByJwtSignatureRule"}]}, True),
        ({"signalRConnectionCountRules": [{"type": "ThrottleByUserIdRule"}]}, False),
        ({}, False),
    ],
)
def test_tokens_differ_where_the_firewall_goes_by_their_signatures(
    rules: dict[str, list[dict[str, str]]], *, differ: bool
) -> None:
    values = environment(deploy(SOURCES, **LEAST, **rules))
    assert NegotiateSettings.from_environment(values).unique_tokens is differ


def test_settings_of_the_deployer_win() -> None:
    own = {"NEGOTIATE_CLAIMS": "name", "SIGNALR_DEMO": "true"}
    values = settings_of(deploy(SOURCES, **LEAST, appSettings=own))
    assert values == settings_of(deployed("least")) | own


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SIGNALR_HUBS:", "SIGNALR_HUB:"),
        ("UPSTREAM_AUDIENCE:", "UPSTREAM_AUDIENCES:"),
        ("__credential',", "__credentials',"),
        ("Azure__SignalR__Endpoints__${each.name}__type", "Azure__SignalR__${each.name}__type"),
    ],
)
def test_a_slip_in_a_name_is_found(old: str, new: str) -> None:
    file = "app/settings.bicep"
    assert old in SOURCES[file]
    sources = {**SOURCES, file: SOURCES[file].replace(old, new)}
    with pytest.raises(AssertionError):
        list(known(settings_of(deploy(sources, **CASES["everything"]))))
