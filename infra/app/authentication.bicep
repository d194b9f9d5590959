// App Service authentication with Entra ID: who is logged in comes to the app in headers, and the
// app itself refuses who is not. Function keys and upstream calls need no login.

param appName string
param clientId string
param tenantId string
param allowedClients string[]

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
      // The app itself verifies the tokens of SignalR, which are not meant for users.
      excludedPaths: ['/api/upstream/']
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [clientId, 'api://${clientId}']
          // Without this list every valid token is refused.
          defaultAuthorizationPolicy: {
            allowedApplications: union([clientId], allowedClients)
          }
        }
      }
    }
    login: {
      // Tokens of users are nothing that the app needs.
      tokenStore: {
        enabled: false
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}
