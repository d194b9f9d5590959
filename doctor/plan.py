"""All checks in their order."""

from collections.abc import Sequence
from typing import Final

from .checks.app import (
    AppUnderTest,
    check_app,
    check_app_cors,
    check_app_refresh,
    check_negotiate,
    check_unsigned,
)
from .checks.client import check_client, check_mode, check_upstream
from .checks.cors import NEGOTIATION, preflight
from .checks.endpoint import EndpointUnderTest
from .checks.identity import check_credential, check_token
from .checks.permissions import check_manage, check_read, check_send
from .checks.refresh import check_refresh
from .checks.service import check_clock, check_key, check_reach
from .diagnoses.commands import emulator_option, signalr
from .diagnoses.cors import Host
from .finding import Finding
from .runner import Check

__all__ = ["APP_CHECKS", "ENDPOINT_CHECKS"]


def _check_cors(tested: EndpointUnderTest) -> Finding:
    """Ask whether browsers let a page negotiate with the service."""
    if not tested.origin:
        return Finding.skipped("no --origin is given")
    endpoint = tested.endpoint
    url = f"{endpoint.client_url}/client/negotiate?hub={tested.service_hub}&negotiateVersion=1"
    add = signalr("cors add", endpoint, "--allowed-origins {origin}")
    add += emulator_option(endpoint, "--allowed-origin {origin}")
    host = Host("the service", "…__clientEndpoint", add, "The service itself always allows them")
    return preflight(tested.network, url, tested.origin, host, NEGOTIATION)


ENDPOINT_CHECKS: Final[Sequence[Check[EndpointUnderTest]]] = (
    Check("reach", "Service reachable", check_reach),
    Check("credential", "Credential", check_credential),
    Check("token", "Entra token", check_token, ("credential",)),
    Check("clock", "Clock", check_clock, ("reach",)),
    Check("key", "Access key", check_key, ("reach", "token")),
    Check("client", "Client handshake", check_client, ("key",)),
    Check("mode", "Service mode", check_mode, ("key",)),
    Check("read", "REST: read", check_read, ("reach", "token")),
    Check("manage", "REST: change", check_manage, ("reach", "token")),
    Check("send", "REST: send", check_send, ("reach", "token")),
    Check("refresh", "Renewed sign-in", check_refresh, ("key",)),
    Check("upstream", "Upstream", check_upstream, ("client",)),
    Check("cors", "CORS of the service", _check_cors, ("reach",)),
)
"""What is checked of each endpoint."""

APP_CHECKS: Final[Sequence[Check[AppUnderTest]]] = (
    Check("app", "Function app", check_app),
    Check("app-negotiate", "Negotiate", check_negotiate, ("app",)),
    Check("app-refresh", "Refresh", check_app_refresh, ("app-negotiate",)),
    Check("app-upstream", "Unsigned upstream call", check_unsigned, ("app",)),
    Check("app-cors", "CORS of the app", check_app_cors, ("app",)),
)
"""What is checked of the function app."""
