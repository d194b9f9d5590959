// The page of charts in Application Insights, under Workbooks.

param workspaceId string
param componentId string
param signalRIds string[]
param location string
param tags object

var template = loadTextContent('../workbook.json')
var withWorkspace = replace(template, '__WORKSPACE_ID__', workspaceId)
// A list takes the place of a string, quotes included.
var withSignalR = replace(withWorkspace, '"__SIGNALR_IDS__"', string(signalRIds))

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(componentId, 'keyless-signalr')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Keyless SignalR'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: componentId
    serializedData: withSignalR
  }
}
