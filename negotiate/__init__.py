"""Lets clients connect: which routes there are. `policy.py` says who may, and as what.

A caller proves who it is as `NEGOTIATE_IDENTITY` says, and gets the address of the service and a
token: {"url": …, "accessToken": …}.
"""

from typing import Final

from negotiate.policy import admit
from shared.functions import Routes

__all__ = ["ROUTES", "admit"]

ROUTES: Final[Routes] = {
    "negotiate": "negotiate",  # POST, for the default hub
    "negotiate_hub": "{hub}/negotiate",  # POST, for a hub of SIGNALR_HUBS; any other is a 404
}
