"""Hands out connections: who the caller is, which hub, and the token that lets a client in."""

from negotiate.functions import blueprint
from negotiate.settings import NegotiateSettings

__all__ = ["NegotiateSettings", "blueprint"]
