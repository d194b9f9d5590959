// All app settings. None is a secret: identities take the place of keys.

type endpoint = {
  name: string
  type: string
  serviceUri: string
  principalId: string
}

type otherTenantEndpoint = {
  name: string
  serviceUri: string
  tenantId: string
  clientId: string
}

param appName string
param clientId string
param blobEndpoint string
param componentName string
param endpoints endpoint[]
param otherTenantEndpoints otherTenantEndpoint[]
param hubs string
param application string
param messageTracing bool
param uniqueTokens bool
param negotiateIdentity string
param upstreamAudience string
param upstreamTenantId string
param appSettings object

var hasClientId = !empty(clientId)

var host = {
  AzureWebJobsStorage__credential: 'managedidentity'
  // Blobs only: functions with HTTP triggers use neither queues nor tables.
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
}
var hostClientId = {
  AzureWebJobsStorage__clientId: clientId
}

var telemetry = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: hasClientId ? 'ClientId=${clientId};Authorization=AAD' : 'Authorization=AAD'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
}

// Each endpoint has a name, even a single one, so that another can be added without renaming it.
var addresses = toObject(endpoints, each => 'Azure__SignalR__Endpoints__${each.name}__serviceUri', each => each.serviceUri)
var types = toObject(endpoints, each => 'Azure__SignalR__Endpoints__${each.name}__type', each => each.type)
var credentials = toObject(endpoints, each => 'Azure__SignalR__Endpoints__${each.name}__credential', each => 'managedidentity')
var clientIds = toObject(endpoints, each => 'Azure__SignalR__Endpoints__${each.name}__clientId', each => clientId)

// The app's identity has no tokens of another tenant, and stands there for an app registration.
var otherAddresses = toObject(otherTenantEndpoints, each => 'Azure__SignalR__Endpoints__${each.name}__serviceUri', each => each.serviceUri)
var otherCredentials = toObject(otherTenantEndpoints, each => 'Azure__SignalR__Endpoints__${each.name}__credential', each => 'managedidentityasfederatedidentity')
var otherTenantIds = toObject(otherTenantEndpoints, each => 'Azure__SignalR__Endpoints__${each.name}__tenantId', each => each.tenantId)
var otherClientIds = toObject(otherTenantEndpoints, each => 'Azure__SignalR__Endpoints__${each.name}__clientId', each => each.clientId)
var otherIdentities = toObject(otherTenantEndpoints, each => 'Azure__SignalR__Endpoints__${each.name}__managedIdentityClientId', each => clientId)

var app = {
  SIGNALR_HUBS: hubs
  SIGNALR_DEMO: 'false'
  SIGNALR_OPENAPI: 'false'
  NEGOTIATE_IDENTITY: negotiateIdentity
}

var ofApplication = {
  SIGNALR_APPLICATION: application
}

// What SignalR's messaging logs call a message, the app's own say as well.
var tracing = {
  SIGNALR_MESSAGE_TRACING: 'true'
}

// A firewall's rule by signature would count clients as one that got the same token in a second.
var unique = {
  NEGOTIATE_UNIQUE_TOKENS: 'true'
}

var upstream = {
  UPSTREAM_TENANT_ID: upstreamTenantId
  UPSTREAM_AUDIENCE: upstreamAudience
  // No identity but those of the SignalR resources may call.
  UPSTREAM_IDENTITIES: join(map(endpoints, each => each.principalId), ',')
}

resource functionApp 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: functionApp
  name: 'appsettings'
  properties: union(
    host,
    hasClientId ? hostClientId : {},
    telemetry,
    addresses,
    types,
    credentials,
    hasClientId ? clientIds : {},
    otherAddresses,
    otherCredentials,
    otherTenantIds,
    otherClientIds,
    hasClientId ? otherIdentities : {},
    app,
    empty(application) ? {} : ofApplication,
    messageTracing ? tracing : {},
    uniqueTokens ? unique : {},
    empty(upstreamAudience) ? {} : empty(endpoints) ? {} : upstream,
    appSettings
  )
}
