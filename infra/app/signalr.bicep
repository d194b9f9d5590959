// One SignalR resource. It has no access keys: apps and users need a role (roles.bicep).

param name string
param sku string
param units int
param allowedOrigins string[]
param messagingLogs bool
param connectionTimeout int
param keepAliveInterval int
param connectionCountRules object[]
param trafficControlRules object[]
param maxConnectionLifetime int
param upstreamAudience string
param application string
param hubs string
param functionsUrl string
param workspaceId string
param location string
param tags object

// Names of the app's hubs as SignalR knows them.
var hubNames = map(filter(split(hubs, ','), hub => !empty(trim(hub))), hub => toLower('${application}_${trim(hub)}'))

var upstream = [
  {
    // Other applications at the resource are called by other upstreams, or by none. SignalR knows no
    // pattern like 'alice_tenant_*': with one all calls come, and the app refuses those of others.
    hubPattern: empty(application) || contains(hubs, '*') ? '*' : join(hubNames, ',')
    categoryPattern: '*'
    eventPattern: '*'
    // SignalR replaces the names in braces.
    urlTemplate: '${functionsUrl}/upstream/{hub}/{category}/{event}'
    auth: {
      type: 'ManagedIdentity'
      managedIdentity: {
        resource: upstreamAudience
      }
    }
  }
]

// What nobody asks for is left out, so that SignalR's own defaults hold.
var serverless = union(
  connectionTimeout > 0 ? { connectionTimeoutInSeconds: connectionTimeout } : {},
  keepAliveInterval > 0 ? { keepAliveIntervalInSeconds: keepAliveInterval } : {}
)
var firewall = union(
  empty(connectionCountRules) ? {} : { clientConnectionCountRules: connectionCountRules },
  empty(trafficControlRules) ? {} : { clientTrafficControlRules: trafficControlRules },
  maxConnectionLifetime > 0 ? { maxClientConnectionLifetimeInSeconds: maxConnectionLifetime } : {}
)

// The first version with all of them. connectionTimeoutInSeconds alone is in 2024-03-01 too.
resource signalR 'Microsoft.SignalRService/signalR@2025-01-01-preview' = {
  name: name
  location: location
  tags: tags
  kind: 'SignalR'
  sku: {
    name: sku
    capacity: units
  }
  // The identity that proves calls of the app.
  identity: {
    type: 'SystemAssigned'
  }
  properties: union({
    disableLocalAuth: true
    disableAadAuth: false
    features: [
      {
        flag: 'ServiceMode'
        value: 'Serverless'
      }
      {
        flag: 'EnableConnectivityLogs'
        value: 'true'
      }
      {
        flag: 'EnableMessagingLogs'
        value: string(messagingLogs)
      }
    ]
    cors: {
      allowedOrigins: allowedOrigins
    }
    upstream: {
      templates: empty(upstreamAudience) ? [] : upstream
    }
  }, empty(serverless) ? {} : { serverless: serverless }, empty(firewall) ? {} : { applicationFirewall: firewall })
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: signalR
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

output id string = signalR.id
output name string = signalR.name
output hostName string = signalR.properties.hostName
output principalId string = signalR.identity.principalId
