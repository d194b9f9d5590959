"""Clients of .NET renew their sign-in, which the hub sees."""

import time
from collections.abc import Callable

from ..agent import expect
from .actors import AppServer, RenewingClient
from .stage import Stage

__all__ = ["ended", "refused", "renewed"]

_USER = "ann"
_SHORT = 600
_LONG = 7200
"""Lifetimes of a sign-in, in seconds."""


def renewed(transport: str) -> Callable[[Stage], None]:
    """Make a check: the hub sees the new claims, and the connection outlives the old sign-in.

    Args:
        transport: As the client's program calls it.
    """

    def check(stage: Stage) -> None:
        server = _server(stage)
        client = _renewing(stage, server, "admin", "--transport", transport)
        client.wait_for("refreshed")
        server.process.wait_for(rf"refreshed {client.connection_id} as {_USER}: .*/role=admin")
        stage.advance_clock(2 * _SHORT)
        _still_hears(stage, client)

    return check


def refused(stage: Stage) -> None:
    """The app's rule refuses a renewal: its client is told, and stays until its sign-in ends."""
    server = _server(stage, "--rule")
    client = _renewing(stage, server, "refused")
    error = client.wait_for("failed")["error"]
    expect("403" in error, f"the client was told {error}")
    _still_hears(stage, client)
    stage.advance_clock(2 * _SHORT)
    client.wait_for("closed")


def ended(stage: Stage) -> None:
    """Who does not renew is closed when the sign-in ends."""
    server = _server(stage)
    client = stage.renewing_client(server.hub_url, "--bearer", _bearer(_SHORT, "user"))
    _still_hears(stage, client)
    stage.advance_clock(2 * _SHORT)
    client.wait_for("closed")


def _server(stage: Stage, *options: str) -> AppServer:
    return stage.app_server("--refresh", "--close", *options)


def _renewing(stage: Stage, server: AppServer, role: str, *options: str) -> RenewingClient:
    """Connect a client that renews its sign-in by hand a second later, in another role then."""
    bearers = f"{_bearer(_SHORT, 'user')},{_bearer(_LONG, role)}"
    return stage.renewing_client(server.hub_url, "--bearer", bearers, "--now", "1", *options)


def _bearer(lifetime: int, role: str) -> str:
    return f"{_USER}.{int(time.time()) + lifetime}.{role}"


def _still_hears(stage: Stage, client: RenewingClient) -> None:
    stage.send(client.connection_id, "still here")
    client.wait_for("message")
    expect(not client.has_reported("closed"), "the client was closed")
