"""Deployments that the tests look at."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from tests.infra.bicep import SOURCES
from tests.infra.deployment import Deployment, deploy

DEVELOPER: Final = "5c0d1fd6-4f9a-4f5b-9b0e-6f3c1c1b7a11"
SPA: Final = "2d3f6a0e-5b8c-4e7f-8a9b-0c1d2e3f4a5b"
LOGIN: Final = "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d"
OTHER_TENANT: Final = "4b1e6d0c-9f2a-47d3-8c5b-6a70e1f3d928"
REGISTRATION: Final = "e83c5a17-02bd-4f69-a1d8-7c94b60f2e35"
ORIGIN: Final = "https://www.contoso.com"

LEAST: Final = {
    "environmentName": "dev",
    "location": "westeurope",
    "negotiateIdentity": "anonymous",
}
"""What has no default."""

CASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "least": LEAST,
    "system-assigned": {**LEAST, "identityType": "SystemAssigned"},
    "other-tenant": {
        **LEAST,
        "signalRLocations": [],
        "otherTenantEndpoints": [
            {
                "name": "customer",
                "serviceUri": "https://customer.service.signalr.net",
                "tenantId": OTHER_TENANT,
                "clientId": REGISTRATION,
            }
        ],
        "upstreamAudience": "api://signalr-upstream",
    },
    "everything": {
        **LEAST,
        "negotiateIdentity": "app-service",
        "hubs": "chat,notifications",
        "application": "Alice",
        "allowedOrigins": [ORIGIN],
        "signalRLocations": [
            {"name": "west", "location": "westeurope", "type": "Primary"},
            {"name": "north", "location": "northeurope", "type": "Secondary"},
        ],
        "signalRSku": "Premium_P1",
        "signalRUnits": 2,
        "signalRConnectionTimeout": 60,
        "signalRKeepAliveInterval": 20,
        "signalRConnectionCountRules": [
            {"type": "ThrottleByUserIdRule", "maxCount": 10},
            {"type": "ThrottleByJwtCustomClaimRule", "claimName": "tid", "maxCount": 500},
        ],
        "signalRTrafficControlRules": [
            {
                "type": "TrafficThrottleByJwtSignatureRule",
                "maxInboundMessageBytes": 1048576,
                "aggregationWindowInSeconds": 60,
            },
        ],
        "signalRMaxConnectionLifetime": 86400,
        "messagingLogs": True,
        "upstreamAudience": "api://signalr-upstream",
        "authClientId": LOGIN,
        "authAllowedClients": [SPA],
        "developerPrincipalId": DEVELOPER,
        "alertEmail": "operations@contoso.com",
        "alwaysReadyInstances": 1,
        "appSettings": {"NEGOTIATE_CLAIMS": "name"},
    },
}


@cache
def deployed(case: str) -> Deployment:
    """Return the deployment of a case."""
    return deploy(SOURCES, **CASES[case])
