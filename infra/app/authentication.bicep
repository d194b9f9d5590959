// App Service authentication with Entra ID: who is logged in comes to the app in headers, and the
// app itself refuses who is not. Function keys and upstream calls need no login.

param appName string
param clientId string
param tenantId string
param allowedClients string[]
param excludedPath string

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
      excludedPaths: [excludedPath]
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
      // Off, since the app needs no token of a user: each request would bring it some. What the store
      // is for, GET /.auth/refresh, takes a refresh token, and so a client secret, which this
      // registration does without. A session lasts for 8 hours; then a page goes to
      // /.auth/login/aad again.
      tokenStore: {
        enabled: false
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}
