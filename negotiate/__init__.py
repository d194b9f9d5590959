"""Hands out connections: who the caller is, which hub, and the token that lets a client in."""

from negotiate.caller import Caller
from negotiate.functions import blueprint
from negotiate.policy import Connection, NotAllowedError, Policy
from negotiate.settings import NegotiateSettings

__all__ = [
    "Caller",
    "Connection",
    "NegotiateSettings",
    "NotAllowedError",
    "Policy",
    "blueprint",
]
