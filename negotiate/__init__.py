"""Lets clients connect: which routes there are. `policy.py` says who may, and as what.

A caller proves who it is as `NEGOTIATE_IDENTITY` says, and gets the address of the service and a
token: {"url": …, "accessToken": …, "tokenLifetimeSeconds": …}. Before it ends, the client renews
both sign-in and token without a new connection.
"""

from typing import Final

from negotiate.policy import admit
from shared.functions import Routes

__all__ = ["ROUTES", "admit"]

ROUTES: Final[Routes] = {
    "negotiate": "negotiate",  # POST, for the default hub
    "negotiate_hub": "{hub}/negotiate",  # POST, for a hub of SIGNALR_HUBS; any other is a 404
    "refresh": "refresh",  # POST, for a connection of the default hub
    "refresh_hub": "{hub}/refresh",  # POST, for a connection of another hub
}
