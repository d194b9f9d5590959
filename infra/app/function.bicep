// The Function App: its plan, its identity, and how it can be reached. settings.bicep has its settings.

param name string
param planName string
param identityName string
param identityType string
param packageContainerUri string
param allowedOrigins string[]
param maximumInstances int
param alwaysReadyInstances int
param location string
param tags object

var isUserAssigned = identityType == 'UserAssigned'
var userAssigned = {
  type: 'UserAssigned'
  userAssignedIdentities: {
    '${identity.id}': {}
  }
}
var systemAssigned = {
  type: 'SystemAssigned'
}
var packageByUserAssigned = {
  type: 'UserAssignedIdentity'
  userAssignedIdentityResourceId: identity.id
}
var packageBySystemAssigned = {
  type: 'SystemAssignedIdentity'
}
var alwaysReady = [
  {
    name: 'http'
    instanceCount: alwaysReadyInstances
  }
]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = if (isUserAssigned) {
  name: identityName
  location: location
  tags: tags
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds by this tag where to deploy the service of azure.yaml.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: isUserAssigned ? userAssigned : systemAssigned
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: isUserAssigned ? packageByUserAssigned : packageBySystemAssigned
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReadyInstances > 0 ? alwaysReady : []
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: {
        allowedOrigins: allowedOrigins
        // SignalR clients in browsers send credentials with negotiate unless told otherwise.
        supportCredentials: !empty(allowedOrigins)
      }
    }
  }
}

resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
output principalId string = isUserAssigned ? identity!.properties.principalId : app.identity.principalId
@description('Empty for a system-assigned identity, which needs none.')
output clientId string = isUserAssigned ? identity!.properties.clientId : ''
