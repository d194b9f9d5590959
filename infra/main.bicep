// Everything that the app needs, in a resource group of its own. docs/deployment.md tells of it.

targetScope = 'subscription'

@description('Name of the azd environment, from which the names of all resources follow.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of everything but the SignalR resources, which name theirs.')
@minLength(1)
param location string

@description('How callers of negotiate prove who they are (NEGOTIATE_IDENTITY): app-service, oidc or anonymous, or several with commas. There is no default, since anonymous lets everybody connect.')
@minLength(1)
param negotiateIdentity string

@description('The hubs that the app serves (SIGNALR_HUBS), with commas.')
@minLength(1)
param hubs string = 'chat'

@description('Name that sets the hubs of this app apart from those of others at the same SignalR resource (SIGNALR_APPLICATION). Empty: they have the resource to themselves.')
param application string = ''

@description('Origins of the web pages whose scripts call the app and connect to SignalR, for example https://www.contoso.com. No wildcard.')
param allowedOrigins string[] = []

@description('Whether the app has an identity that outlives it, or one of its own.')
@allowed(['UserAssigned', 'SystemAssigned'])
param identityType string = 'UserAssigned'

type signalRLocation = {
  // Letters and digits, since it becomes part of the names of settings.
  name: string
  location: string
  // Primary, or Secondary: takes clients only while no primary is healthy.
  type: string
}

@description('The SignalR resources: one endpoint of the app each. Empty: those of other tenants alone.')
param signalRLocations signalRLocation[] = [
  {
    name: 'primary'
    location: location
    type: 'Primary'
  }
]

type otherTenantEndpoint = {
  // Letters and digits, as of the locations, and another name.
  name: string
  serviceUri: string
  // Tenant of the SignalR resource.
  tenantId: string
  // Client id of the app registration that trusts the app's user-assigned identity.
  clientId: string
}

@description('SignalR resources in other tenants that are there already, each an endpoint of the app.')
param otherTenantEndpoints otherTenantEndpoint[] = []

@description('Size of each SignalR resource. Free_F1 takes 20 connections.')
@allowed(['Free_F1', 'Standard_S1', 'Premium_P1', 'Premium_P2'])
param signalRSku string = 'Standard_S1'

@description('Units of each SignalR resource, of 1,000 connections each.')
@minValue(1)
param signalRUnits int = 1

@description('Whether SignalR logs each message, and not connections alone. The app then gives each a name (SIGNALR_MESSAGE_TRACING).')
param messagingLogs bool = false

@description('Seconds after which SignalR takes a client for gone that sends nothing, not even a keep-alive. 0: as SignalR has it, 30.')
@minValue(0)
@maxValue(120)
param signalRConnectionTimeout int = 0

@description('Seconds between the keep-alive messages that SignalR sends to clients. 0: as SignalR has it, 15.')
@minValue(0)
@maxValue(120)
param signalRKeepAliveInterval int = 0

@description('Rules of SignalR\'s application firewall for how many connections may be there at once. Premium only.')
@maxLength(10)
param signalRConnectionCountRules object[] = []

@description('Rules of SignalR\'s application firewall for how much clients may send. Premium only.')
@maxLength(10)
param signalRTrafficControlRules object[] = []

@description('Seconds after which SignalR\'s application firewall ends a connection. Premium only. 0: never.')
@minValue(0)
@maxValue(604800)
param signalRMaxConnectionLifetime int = 0

@description('Audience of the tokens by which SignalR proves its calls of the app: the App ID URI of an app registration. Empty: no upstream.')
param upstreamAudience string = ''

@description('Client id of the app registration that App Service authentication logs users in with. Empty: no App Service authentication.')
param authClientId string = ''

@description('Tenant of that app registration.')
param authTenantId string = subscription().tenantId

@description('Client ids of other applications whose users may call with bearer tokens, for example of a single-page app.')
param authAllowedClients string[] = []

@description('Object id of a user who may use the SignalR resources from a developer\'s machine. Empty: nobody.')
param developerPrincipalId string = ''

@description('Address that alerts go to. Empty: they show in the portal alone.')
param alertEmail string = ''

@description('The most instances that the app scales out to.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 100

@description('Instances that run without load, so that nobody waits for a cold start.')
@minValue(0)
param alwaysReadyInstances int = 0

@description('Other app settings, for example NEGOTIATE_OIDC_ISSUER. They win over those of the template.')
param appSettings object = {}

var tags = { 'azd-env-name': environmentName }
var token = uniqueString(subscription().id, environmentName, location)

// What the paths of all functions begin with, as host.json says: /api, or nothing.
var hostDefaults = { extensions: { http: { routePrefix: 'api' } } }
var host = union(hostDefaults, loadJsonContent('../host.json'))
var prefixSteps = filter(split(host.extensions.http.routePrefix, '/'), step => !empty(step))
var basePath = join(map(prefixSteps, step => '/${step}'), '')
var functionsUrl = 'https://${function.outputs.hostName}${basePath}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module monitoring 'app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    componentName: 'appi-${token}'
    location: location
    tags: tags
  }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
  }
}

module function 'app/function.bicep' = {
  name: 'function'
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    identityName: 'id-${token}'
    identityType: identityType
    packageContainerUri: storage.outputs.packageContainerUri
    allowedOrigins: allowedOrigins
    maximumInstances: maximumInstances
    alwaysReadyInstances: alwaysReadyInstances
    location: location
    tags: tags
  }
}

module signalR 'app/signalr.bicep' = [for each in signalRLocations: {
  name: 'signalr-${each.name}'
  scope: group
  params: {
    name: 'sigr-${each.name}-${token}'
    sku: signalRSku
    units: signalRUnits
    allowedOrigins: union(['https://${function.outputs.hostName}'], allowedOrigins)
    messagingLogs: messagingLogs
    connectionTimeout: signalRConnectionTimeout
    keepAliveInterval: signalRKeepAliveInterval
    connectionCountRules: signalRConnectionCountRules
    trafficControlRules: signalRTrafficControlRules
    maxConnectionLifetime: signalRMaxConnectionLifetime
    upstreamAudience: upstreamAudience
    application: application
    hubs: hubs
    functionsUrl: functionsUrl
    workspaceId: monitoring.outputs.workspaceId
    location: each.location
    tags: tags
  }
}]

module settings 'app/settings.bicep' = {
  name: 'settings'
  scope: group
  params: {
    appName: function.outputs.name
    clientId: function.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    componentName: monitoring.outputs.componentName
    endpoints: [for (each, index) in signalRLocations: {
      name: each.name
      type: each.type
      serviceUri: 'https://${signalR[index].outputs.hostName}'
      principalId: signalR[index].outputs.principalId
    }]
    otherTenantEndpoints: otherTenantEndpoints
    hubs: hubs
    application: application
    messageTracing: messagingLogs
    uniqueTokens: !empty(filter(flatten([signalRConnectionCountRules, signalRTrafficControlRules]), rule => endsWith(rule.type, 'ByJwtSignatureRule')))
    negotiateIdentity: negotiateIdentity
    upstreamAudience: upstreamAudience
    upstreamTenantId: subscription().tenantId
    appSettings: appSettings
  }
}

module authentication 'app/authentication.bicep' = if (!empty(authClientId)) {
  name: 'authentication'
  scope: group
  params: {
    appName: function.outputs.name
    clientId: authClientId
    tenantId: authTenantId
    allowedClients: authAllowedClients
    excludedPath: '${basePath}/upstream/'
  }
}

module roles 'app/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    appPrincipalId: function.outputs.principalId
    developerPrincipalId: developerPrincipalId
    signalRNames: [for (each, index) in signalRLocations: signalR[index].outputs.name]
    storageName: storage.outputs.name
    componentName: monitoring.outputs.componentName
  }
}

module alerts 'app/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    workspaceId: monitoring.outputs.workspaceId
    signalRNames: [for (each, index) in signalRLocations: signalR[index].outputs.name]
    email: alertEmail
    location: location
    tags: tags
  }
}

module workbook 'app/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    workspaceId: monitoring.outputs.workspaceId
    componentId: monitoring.outputs.componentId
    signalRIds: [for (each, index) in signalRLocations: signalR[index].outputs.id]
    location: location
    tags: tags
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = function.outputs.name
output APP_URL string = 'https://${function.outputs.hostName}'
output FUNCTIONS_URL string = functionsUrl
output NEGOTIATE_URL string = '${functionsUrl}/negotiate'
output APP_PRINCIPAL_ID string = function.outputs.principalId
output SIGNALR_NAMES array = [for (each, index) in signalRLocations: signalR[index].outputs.name]
output SIGNALR_HOST_NAMES array = [for (each, index) in signalRLocations: signalR[index].outputs.hostName]
