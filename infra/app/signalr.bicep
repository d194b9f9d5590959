// One SignalR resource. It has no access keys: apps and users need a role (roles.bicep).

param name string
param sku string
param units int
param allowedOrigins string[]
param messagingLogs bool
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
    // Other applications at the resource are called by other upstreams, or by none.
    hubPattern: empty(application) ? '*' : join(hubNames, ',')
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

resource signalR 'Microsoft.SignalRService/signalR@2024-03-01' = {
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
  properties: {
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
  }
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
