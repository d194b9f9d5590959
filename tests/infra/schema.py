"""What infra/ may say of each type of resource, in which version.

The names are those of Microsoft's type definitions (Azure/bicep-types-az), which `bicep build`
knows and the tests do not: a property that is new here has to be looked up there.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tests.infra.deployment import Resource
from tests.infra.expressions import Value

_COMMON: Final = "name location tags kind"
_OPEN: Final = frozenset({"tags", "userAssignedIdentities"})
"""Objects whose keys are ours to choose."""

SCHEMA: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset((_COMMON + " " + properties).split())
    for name, properties in {
        "Microsoft.Resources/resourceGroups@2025-04-01": "",
        "Microsoft.OperationalInsights/workspaces@2025-07-01": """
            properties.features.disableLocalAuth properties.retentionInDays properties.sku.name
        """,
        "Microsoft.Insights/components@2020-02-02": """
            properties.Application_Type properties.DisableLocalAuth properties.WorkspaceResourceId
        """,
        "Microsoft.Storage/storageAccounts@2025-06-01": """
            sku.name properties.allowBlobPublicAccess properties.allowCrossTenantReplication
            properties.allowSharedKeyAccess properties.defaultToOAuthAuthentication
            properties.minimumTlsVersion properties.supportsHttpsTrafficOnly
        """,
        "Microsoft.Storage/storageAccounts/blobServices@2025-06-01": "",
        "Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01": """
            properties.publicAccess
        """,
        "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30": "",
        "Microsoft.Web/serverfarms@2025-03-01": "sku.name sku.tier properties.reserved",
        "Microsoft.Web/sites@2025-03-01": """
            identity.type identity.userAssignedIdentities properties.serverFarmId
            properties.httpsOnly properties.siteConfig.cors.allowedOrigins
            properties.siteConfig.cors.supportCredentials properties.siteConfig.ftpsState
            properties.siteConfig.http20Enabled properties.siteConfig.minTlsVersion
            properties.siteConfig.scmMinTlsVersion
            properties.functionAppConfig.runtime.name properties.functionAppConfig.runtime.version
            properties.functionAppConfig.deployment.storage.type
            properties.functionAppConfig.deployment.storage.value
            properties.functionAppConfig.deployment.storage.authentication.type
            properties.functionAppConfig.deployment.storage.authentication.userAssignedIdentityResourceId
            properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB
            properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount
            properties.functionAppConfig.scaleAndConcurrency.alwaysReady.name
            properties.functionAppConfig.scaleAndConcurrency.alwaysReady.instanceCount
        """,
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01": "properties.allow",
        "Microsoft.Web/sites/config@2025-03-01": """
            properties.platform.enabled properties.globalValidation.requireAuthentication
            properties.globalValidation.unauthenticatedClientAction
            properties.globalValidation.excludedPaths properties.httpSettings.requireHttps
            properties.login.tokenStore.enabled
            properties.identityProviders.azureActiveDirectory.enabled
            properties.identityProviders.azureActiveDirectory.registration.clientId
            properties.identityProviders.azureActiveDirectory.registration.openIdIssuer
            properties.identityProviders.azureActiveDirectory.validation.allowedAudiences
            properties.identityProviders.azureActiveDirectory.validation.defaultAuthorizationPolicy.allowedApplications
        """,
        "Microsoft.SignalRService/signalR@2025-01-01-preview": """
            sku.name sku.capacity identity.type properties.disableAadAuth
            properties.disableLocalAuth properties.cors.allowedOrigins
            properties.features.flag properties.features.value
            properties.upstream.templates.hubPattern properties.upstream.templates.categoryPattern
            properties.upstream.templates.eventPattern properties.upstream.templates.urlTemplate
            properties.upstream.templates.auth.type
            properties.upstream.templates.auth.managedIdentity.resource
            properties.serverless.connectionTimeoutInSeconds
            properties.serverless.keepAliveIntervalInSeconds
            properties.applicationFirewall.clientConnectionCountRules.type
            properties.applicationFirewall.clientConnectionCountRules.maxCount
            properties.applicationFirewall.clientConnectionCountRules.claimName
            properties.applicationFirewall.clientTrafficControlRules.type
            properties.applicationFirewall.clientTrafficControlRules.maxInboundMessageBytes
            properties.applicationFirewall.clientTrafficControlRules.aggregationWindowInSeconds
            properties.applicationFirewall.clientTrafficControlRules.claimName
            properties.applicationFirewall.maxClientConnectionLifetimeInSeconds
        """,
        "Microsoft.Authorization/roleAssignments@2022-04-01": """
            properties.principalId properties.principalType properties.roleDefinitionId
        """,
        "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": """
            properties.workspaceId properties.logs.categoryGroup properties.logs.enabled
        """,
        "Microsoft.Insights/actionGroups@2023-01-01": """
            properties.enabled properties.groupShortName properties.emailReceivers.name
            properties.emailReceivers.emailAddress properties.emailReceivers.useCommonAlertSchema
        """,
        "Microsoft.Insights/scheduledQueryRules@2023-12-01": """
            properties.displayName properties.description properties.enabled properties.severity
            properties.scopes properties.evaluationFrequency properties.windowSize
            properties.skipQueryValidation properties.actions.actionGroups
            properties.criteria.allOf.query properties.criteria.allOf.metricMeasureColumn
            properties.criteria.allOf.timeAggregation properties.criteria.allOf.operator
            properties.criteria.allOf.threshold properties.criteria.allOf.dimensions.name
            properties.criteria.allOf.dimensions.operator
            properties.criteria.allOf.dimensions.values
            properties.criteria.allOf.failingPeriods.numberOfEvaluationPeriods
            properties.criteria.allOf.failingPeriods.minFailingPeriodsToAlert
        """,
        "Microsoft.Insights/metricAlerts@2018-03-01": """
            properties.description properties.enabled properties.severity properties.scopes
            properties.evaluationFrequency properties.windowSize properties.actions.actionGroupId
            properties.criteria.odata.type properties.criteria.allOf.criterionType
            properties.criteria.allOf.name properties.criteria.allOf.metricName
            properties.criteria.allOf.timeAggregation properties.criteria.allOf.operator
            properties.criteria.allOf.threshold
        """,
        "Microsoft.Insights/workbooks@2023-06-01": """
            properties.category properties.displayName properties.serializedData
            properties.sourceId properties.version
        """,
    }.items()
}  # fmt: skip


def unknown(resource: Resource) -> set[str]:
    """Return what is said of a resource and not in its schema."""
    known = SCHEMA.get(f"{resource.type}@{resource.api_version}")
    if known is None:
        return {f"{resource.type}@{resource.api_version}"}
    if resource.body["name"] == "appsettings":
        return set()
    return set(_paths(resource.body)) - known


def _paths(value: Value, path: str = "") -> Iterator[str]:
    """Yield the names of properties with dots between; those in lists as if there were no list."""
    if isinstance(value, list):
        for each in value:
            yield from _paths(each, path)
    elif isinstance(value, dict) and path.rpartition(".")[2] not in _OPEN:
        for name, each in value.items():
            yield from _paths(each, f"{path}.{name}" if path else name)
    else:
        yield path
