// Every role that is assigned, each at the resource it is for.

param appPrincipalId string
param developerPrincipalId string
param signalRNames string[]
param storageName string
param componentName string

var signalRServiceOwner = '7e4f1700-ea5a-4f59-8f37-079cfe29dce3'
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

// Nobody has no resources to get a role at.
var developerSignalRNames = empty(developerPrincipalId) ? [] : signalRNames

resource signalR 'Microsoft.SignalRService/signalR@2024-03-01' existing = [for name in signalRNames: {
  name: name
}]

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// Access keys, client tokens, messages, groups and connections.
resource appSignalR 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in signalRNames: {
  name: guid(signalR[index].id, appPrincipalId, signalRServiceOwner)
  scope: signalR[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', signalRServiceOwner)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}]

// The same from a developer's machine, for `make start` and the doctor against the real service.
resource developerSignalR 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in developerSignalRNames: {
  name: guid(signalR[index].id, developerPrincipalId, signalRServiceOwner)
  scope: signalR[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', signalRServiceOwner)
    principalId: developerPrincipalId
    principalType: 'User'
  }
}]

// The host's blobs: the app's package, function keys, leases.
resource appStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, appPrincipalId, storageBlobDataOwner)
  scope: storage
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// Telemetry of the host and of the app.
resource appTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, appPrincipalId, monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}
