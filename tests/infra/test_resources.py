"""What is asked of Azure, above all who may do what where."""

import json
import re
from collections.abc import Callable

import pytest

from funchost.settings import parse_host_settings
from tests.infra.bicep import BICEP, SOURCES
from tests.infra.cases import CASES, DEVELOPER, LEAST, LOGIN, ORIGIN, SPA, deployed
from tests.infra.deployment import Deployment, deploy
from tests.infra.schema import SCHEMA, unknown

SITES = "Microsoft.Web/sites"
SIGNALR = "Microsoft.SignalRService/signalR"
STORAGE = "Microsoft.Storage/storageAccounts"
COMPONENTS = "Microsoft.Insights/components"
# Azure's built-in roles.
ROLES = {
    "7e4f1700-ea5a-4f59-8f37-079cfe29dce3": "SignalR Service Owner",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
UNTAGGED = {
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
}
every_case = pytest.mark.parametrize("case", CASES)


def check_properties(deployment: Deployment) -> None:
    for each in deployment.resources:
        assert not unknown(each), f"{each.file}: {unknown(each)}"


def check_signalr(deployment: Deployment) -> None:
    for each in deployment.of(SIGNALR):
        features = {feature["flag"]: feature["value"] for feature in each.properties["features"]}
        assert features["ServiceMode"] == "Serverless"
        assert each.properties["disableLocalAuth"] is True
        assert each.properties["disableAadAuth"] is False
        assert "*" not in each.properties["cors"]["allowedOrigins"]
        assert each.body["identity"] == {"type": "SystemAssigned"}
        for template in each.properties["upstream"]["templates"]:
            assert template["auth"]["type"] == "ManagedIdentity"
            assert template["urlTemplate"].startswith("https://")


def check_roles(deployment: Deployment) -> None:
    types = {each.id: each.type for each in deployment.resources}
    assigned = [
        (
            ROLES[each.properties["roleDefinitionId"].rpartition("/")[2]],
            types[each.scope],
            each.properties["principalId"],
            each.properties["principalType"],
        )
        for each in deployment.of("Microsoft.Authorization/roleAssignments")
    ]
    app = deployment.outputs["APP_PRINCIPAL_ID"]
    regions = len(deployment.of(SIGNALR))
    expected = [
        *[("SignalR Service Owner", SIGNALR, app, "ServicePrincipal")] * regions,
        ("Storage Blob Data Owner", STORAGE, app, "ServicePrincipal"),
        ("Monitoring Metrics Publisher", COMPONENTS, app, "ServicePrincipal"),
    ]
    if any(principal == DEVELOPER for _, _, principal, _ in assigned):
        expected += [("SignalR Service Owner", SIGNALR, DEVELOPER, "User")] * regions
    assert sorted(assigned) == sorted(expected)
    ids = [each.id for each in deployment.of("Microsoft.Authorization/roleAssignments")]
    assert len(set(ids)) == len(ids)


def check_site(deployment: Deployment) -> None:
    site = deployment.one(SITES)
    assert site.properties["httpsOnly"] is True
    config = site.properties["siteConfig"]
    assert {config["minTlsVersion"], config["scmMinTlsVersion"]} == {"1.2"}
    assert config["ftpsState"] == "Disabled"
    assert "*" not in config["cors"]["allowedOrigins"]
    app = site.properties["functionAppConfig"]
    assert app["runtime"] == {"name": "python", "version": "3.13"}
    policies = deployment.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {each.body["name"]: each.properties["allow"] for each in policies} == {
        "ftp": False,
        "scm": False,
    }
    plan = deployment.one("Microsoft.Web/serverfarms")
    assert plan.body["sku"] == {"name": "FC1", "tier": "FlexConsumption"}


def check_storage(deployment: Deployment) -> None:
    account = deployment.one(STORAGE).properties
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["supportsHttpsTrafficOnly"] is True
    container = deployment.one(f"{STORAGE}/blobServices/containers")
    assert container.properties["publicAccess"] == "None"
    package = deployment.one(SITES).properties["functionAppConfig"]["deployment"]["storage"]
    assert package["value"].endswith(f".blob.core.windows.net/{container.body['name']}")


def check_telemetry(deployment: Deployment) -> None:
    workspace = deployment.one("Microsoft.OperationalInsights/workspaces")
    component = deployment.one(COMPONENTS)
    assert workspace.properties["features"]["disableLocalAuth"] is True
    assert component.properties["DisableLocalAuth"] is True
    assert component.properties["WorkspaceResourceId"] == workspace.id
    logs = deployment.of("Microsoft.Insights/diagnosticSettings")
    assert [each.scope for each in logs] == [each.id for each in deployment.of(SIGNALR)]
    assert all(each.properties["workspaceId"] == workspace.id for each in logs)


CHECKS = [
    check_properties,
    check_signalr,
    check_roles,
    check_site,
    check_storage,
    check_telemetry,
]


@every_case
@pytest.mark.parametrize("check", CHECKS)
def test_resources(check: Callable[[Deployment], None], case: str) -> None:
    check(deployed(case))


@pytest.mark.parametrize(
    ("check", "file", "old", "new"),
    [
        (check_properties, "signalr", "disableLocalAuth:", "disableLocalAuthentication:"),
        (check_properties, "signalr", "signalR@2025-01-01-preview", "signalR@2024-03-01"),
        (check_signalr, "signalr", "disableLocalAuth: true", "disableLocalAuth: false"),
        (check_signalr, "signalr", "'Serverless'", "'Default'"),
        (check_roles, "roles", "7e4f1700-ea5a-4f59-8f37-079cfe29dce3", CONTRIBUTOR),
        (check_roles, "roles", "  scope: storage\n", ""),
        (check_roles, "roles", "  scope: signalR[index]\n", ""),
        (check_roles, "roles", "principalType: 'ServicePrincipal'", "principalType: 'User'"),
        (check_site, "function", "httpsOnly: true", "httpsOnly: false"),
        (check_site, "function", "minTlsVersion: '1.2'", "minTlsVersion: '1.0'"),
        (check_site, "function", "allow: false", "allow: true"),
        (check_storage, "storage", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
        (check_storage, "storage", "publicAccess: 'None'", "publicAccess: 'Blob'"),
        (check_telemetry, "monitoring", "DisableLocalAuth: true", "DisableLocalAuth: false"),
        (check_telemetry, "signalr", "workspaceId: workspaceId", "workspaceId: '${workspaceId}-2'"),
    ],
)  # fmt: skip
def test_the_checks_find_what_they_are_for(
    check: Callable[[Deployment], None], file: str, old: str, new: str
) -> None:
    name = f"app/{file}.bicep"
    assert old in SOURCES[name]
    changed = deploy({**SOURCES, name: SOURCES[name].replace(old, new, 1)}, **LEAST)
    with pytest.raises((AssertionError, KeyError)):
        check(changed)


def test_nothing_is_in_the_schema_for_nothing() -> None:
    used = {
        f"{each.type}@{each.api_version}" for case in CASES for each in deployed(case).resources
    }
    assert used == set(SCHEMA)


@every_case
def test_everything_is_in_one_group_with_the_tag_of_the_environment(case: str) -> None:
    deployment = deployed(case)
    group = deployment.one("Microsoft.Resources/resourceGroups")
    for each in deployment.resources:
        assert each.id.startswith(group.id)
        if each.type not in UNTAGGED:
            assert each.body["tags"]["azd-env-name"] == "dev"
            if each.type != SIGNALR:
                assert each.body["location"] in {"westeurope", "global"}


def test_a_user_assigned_identity_gets_the_package_and_the_roles() -> None:
    deployment = deployed("least")
    identity = deployment.one("Microsoft.ManagedIdentity/userAssignedIdentities")
    site = deployment.one(SITES)
    assert site.body["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {identity.id: {}},
    }
    package = site.properties["functionAppConfig"]["deployment"]["storage"]["authentication"]
    assert package == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": identity.id,
    }


def test_a_system_assigned_identity_does_too() -> None:
    deployment = deployed("system-assigned")
    assert not deployment.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    site = deployment.one(SITES)
    assert site.body["identity"] == {"type": "SystemAssigned"}
    package = site.properties["functionAppConfig"]["deployment"]["storage"]["authentication"]
    assert package == {"type": "SystemAssignedIdentity"}
    user_assigned = deployed("least").outputs["APP_PRINCIPAL_ID"]
    assert deployment.outputs["APP_PRINCIPAL_ID"] != user_assigned


def test_each_region_has_a_service() -> None:
    services = deployed("everything").of(SIGNALR)
    assert [each.body["location"] for each in services] == ["westeurope", "northeurope"]
    assert [each.body["sku"] for each in services] == [{"name": "Premium_P1", "capacity": 2}] * 2


def test_browsers_may_come_from_the_app_itself_and_from_the_origins_given() -> None:
    for case, origins in (("least", []), ("everything", [ORIGIN])):
        deployment = deployed(case)
        own = deployment.outputs["APP_URL"]
        for service in deployment.of(SIGNALR):
            assert service.properties["cors"]["allowedOrigins"] == [own, *origins]
        assert deployment.one(SITES).properties["siteConfig"]["cors"] == {
            "allowedOrigins": origins,
            "supportCredentials": bool(origins),
        }


def test_upstream_calls_go_to_the_app_with_a_token_for_its_audience() -> None:
    assert deployed("least").one(SIGNALR).properties["upstream"] == {"templates": []}
    deployment = deployed("everything")
    for service in deployment.of(SIGNALR):
        (template,) = service.properties["upstream"]["templates"]
        route = "/api/upstream/{hub}/{category}/{event}"
        assert template["urlTemplate"] == deployment.outputs["APP_URL"] + route
        assert template["auth"]["managedIdentity"] == {"resource": "api://signalr-upstream"}


def test_an_application_gets_the_calls_of_its_own_hubs_alone() -> None:
    alone = deploy(SOURCES, **LEAST, upstreamAudience="api://x")
    others = deploy(
        SOURCES, **LEAST, upstreamAudience="api://x", application="Alice", hubs="Chat, news,"
    )
    # SignalR has "*" for all hubs and no other star.
    by_pattern = deploy(
        SOURCES, **LEAST, upstreamAudience="api://x", application="Alice", hubs="chat,tenant_*"
    )
    patterns = [
        template["hubPattern"]
        for each in (alone, others, by_pattern)
        for template in each.one(SIGNALR).properties["upstream"]["templates"]
    ]
    # "hub1,hub2" means either of them (reference of SignalRUpstreamTemplate).
    assert patterns == ["*", "alice_chat,alice_news", "*"]


def test_connections_are_as_signalr_has_them_unless_the_deployer_says_more() -> None:
    least = deployed("least").one(SIGNALR).properties
    assert not least.keys() & {"serverless", "applicationFirewall"}
    for service in deployed("everything").of(SIGNALR):
        assert service.properties["serverless"] == {
            "connectionTimeoutInSeconds": 60,
            "keepAliveIntervalInSeconds": 20,
        }
        given = CASES["everything"]
        assert service.properties["applicationFirewall"] == {
            "clientConnectionCountRules": given["signalRConnectionCountRules"],
            "clientTrafficControlRules": given["signalRTrafficControlRules"],
            "maxClientConnectionLifetimeInSeconds": 86400,
        }


@pytest.mark.parametrize(
    ("parameter", "part", "value"),
    [
        ("signalRConnectionTimeout", "serverless", {"connectionTimeoutInSeconds": 60}),
        ("signalRKeepAliveInterval", "serverless", {"keepAliveIntervalInSeconds": 60}),
        (
            "signalRMaxConnectionLifetime",
            "applicationFirewall",
            {"maxClientConnectionLifetimeInSeconds": 60},
        ),
    ],
)
def test_one_of_them_brings_no_other(parameter: str, part: str, value: dict[str, int]) -> None:
    plain = deployed("least").one(SIGNALR).properties
    changed = deploy(SOURCES, **LEAST, **{parameter: 60}).one(SIGNALR).properties
    assert changed == {**plain, part: value}


def test_app_service_authentication_lets_the_app_decide() -> None:
    assert not [
        each for each in deployed("least").of(f"{SITES}/config") if "platform" in each.properties
    ]
    settings = deployed("everything").one(f"{SITES}/config", "authsettingsV2").properties
    assert settings["platform"]["enabled"] is True
    validation = settings["globalValidation"]
    assert validation["unauthenticatedClientAction"] == "AllowAnonymous"
    assert validation["requireAuthentication"] is False
    assert validation["excludedPaths"] == ["/api/upstream/"]
    entra = settings["identityProviders"]["azureActiveDirectory"]
    assert entra["registration"]["clientId"] == LOGIN
    assert "clientSecretSettingName" not in entra["registration"]
    # Without a secret there is no refresh token for it to keep, and no other token is wanted.
    assert settings["login"] == {"tokenStore": {"enabled": False}}
    policy = entra["validation"]["defaultAuthorizationPolicy"]
    assert policy["allowedApplications"] == [LOGIN, SPA]


@pytest.mark.parametrize(
    "extensions",
    [
        {},
        {"extensions": {}},
        {"extensions": {"http": {"maxConcurrentRequests": 100}}},
        *(
            {"extensions": {"http": {"routePrefix": prefix}}}
            for prefix in ("", "rt", "rt/v1", "/rt/v1")
        ),
    ],
)
def test_all_addresses_follow_the_route_prefix_of_host_json(extensions: dict[str, object]) -> None:
    host = json.dumps({"version": "2.0", **extensions})
    deployment = deploy({**SOURCES, "../host.json": host}, **CASES["everything"])
    path = parse_host_settings(host).base_path
    url = f"{deployment.outputs['APP_URL']}{path}"
    assert deployment.outputs["FUNCTIONS_URL"] == url
    assert deployment.outputs["NEGOTIATE_URL"] == f"{url}/negotiate"
    for service in deployment.of(SIGNALR):
        (template,) = service.properties["upstream"]["templates"]
        assert template["urlTemplate"] == f"{url}/upstream/{{hub}}/{{category}}/{{event}}"
    settings = deployment.one(f"{SITES}/config", "authsettingsV2").properties
    assert settings["globalValidation"]["excludedPaths"] == [f"{path}/upstream/"]


@every_case
def test_outputs_are_names_and_addresses(case: str) -> None:
    outputs = deployed(case).outputs
    assert set(outputs) == {
        "AZURE_RESOURCE_GROUP",
        "APP_NAME",
        "APP_URL",
        "FUNCTIONS_URL",
        "NEGOTIATE_URL",
        "APP_PRINCIPAL_ID",
        "SIGNALR_NAMES",
        "SIGNALR_HOST_NAMES",
    }
    assert outputs["FUNCTIONS_URL"] == f"{outputs['APP_URL']}/api"
    assert outputs["NEGOTIATE_URL"] == f"{outputs['APP_URL']}/api/negotiate"
    assert len(outputs["SIGNALR_HOST_NAMES"]) == len(CASES[case].get("signalRLocations", [1]))


@every_case
def test_there_is_no_secret_anywhere(case: str) -> None:
    deployment = deployed(case)
    said = json.dumps([deployment.outputs, *(each.body for each in deployment.resources)])
    assert not re.search(r"AccessKey|AccountKey|SharedAccess|secret|password", said, re.IGNORECASE)
    for name in BICEP:
        assert not re.search(r"\blist\w*\(|getSecret|@secure", SOURCES[name]), name
