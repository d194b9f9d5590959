// What somebody should look at before clients notice.

param workspaceId string
param signalRNames string[]
param email string
param location string
param tags object

var actionGroupIds = empty(email) ? [] : [actionGroup.id]

// A key serves for 90 minutes and is replaced after 60.
var ofLogs = [
  {
    name: 'access-key-age'
    displayName: 'SignalR access key is not replaced'
    description: 'A key in use is older than 70 minutes, and serves for 90. Look for failed refreshes in the workbook.'
    query: loadTextContent('../queries/access-key-age.kql')
    column: 'AgeSeconds'
    aggregation: 'Maximum'
    threshold: 4200
    dimensions: ['Endpoint']
    severity: 1
  }
  {
    name: 'access-key-refresh'
    displayName: 'SignalR access key cannot be had'
    description: 'More than two attempts to get an access key failed within 15 minutes. The outcome names the error; the app\'s log says what to mend.'
    query: loadTextContent('../queries/failed-refreshes.kql')
    column: 'Failures'
    aggregation: 'Total'
    threshold: 2
    dimensions: ['Endpoint', 'Outcome']
    severity: 2
  }
]

var ofMetrics = [
  {
    name: 'server-load'
    description: 'Server load is over 70 %, above which messages come late. Add units.'
    metric: 'ServerLoad'
    aggregation: 'Average'
    threshold: 70
  }
  {
    name: 'connection-quota'
    description: 'Over 80 % of the connections that the units allow are in use. At 100 % new clients are refused with 429. Add units.'
    metric: 'ConnectionQuotaUtilization'
    aggregation: 'Maximum'
    threshold: 80
  }
]
var ofResources = flatten(map(signalRNames, name => map(ofMetrics, each => union(each, {
  name: '${each.name}-${name}'
  scope: resourceId('Microsoft.SignalRService/signalR', name)
}))))

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'email'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'signalr'
    enabled: true
    emailReceivers: [
      {
        name: 'email'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for each in ofLogs: {
  name: each.name
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: each.displayName
    description: each.description
    severity: each.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    // A new workspace has nothing to validate the query with.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: each.query
          metricMeasureColumn: each.column
          timeAggregation: each.aggregation
          operator: 'GreaterThan'
          threshold: each.threshold
          dimensions: map(each.dimensions, dimension => {
            name: dimension
            operator: 'Include'
            values: ['*']
          })
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: actionGroupIds
    }
  }
}]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for each in ofResources: {
  name: each.name
  location: 'global'
  tags: tags
  properties: {
    description: each.description
    severity: 2
    enabled: true
    scopes: [each.scope]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'threshold'
          metricName: each.metric
          timeAggregation: each.aggregation
          operator: 'GreaterThan'
          threshold: each.threshold
        }
      ]
    }
    actions: map(actionGroupIds, id => {
      actionGroupId: id
    })
  }
}]
