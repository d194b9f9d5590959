"""What a client token says about the connection itself: the service's own claims."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from ..errors import InvalidArgumentError

__all__ = ["AUTHENTICATION_END", "USER_ID", "ConnectionOptions", "Transports"]

USER_ID: Final = "asrs.s.uid"
"""The claim that is the user of a connection."""

AUTHENTICATION_END: Final = "asrs.s.aeo"
"""The claim that says when the service closes a connection, in epoch seconds as text."""

_LONGEST_HANDSHAKE: Final = 30
_LONGEST_POLL_INTERVAL: Final = 300


class Transports(IntFlag):
    """How a client may connect: `HttpTransportType` of ASP.NET Core."""

    WEB_SOCKETS = 1
    SERVER_SENT_EVENTS = 2
    LONG_POLLING = 4


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How the service treats the connection that a client token opens.

    Names and values of the claims are those of the SDK for .NET (`Constants.ClaimType`).

    Args:
        transports: How the client may connect; any way if not given.
        close_at: When the service closes the connection, in epoch seconds: the end of the caller's
            own session. The client may reconnect with a new token.
        detailed_errors: Whether clients are told the text of errors.
        handshake_timeout: Seconds from 1 to 30 that a client has for its handshake.
        max_poll_interval: Seconds from 1 to 300 that a client which polls may take from one poll to
            the next; then the service takes it for gone. The service's default is 5
            (`MaxPollIntervalInSeconds` of the SDK for .NET).
        unique_token: Whether the token differs from every other one. Without it two that say the
            same, made in the same second, are one and the same text, and the service's application
            firewall counts their clients as one (`ThrottleByJwtSignatureRule`).
    """

    transports: Transports | None = None
    close_at: float | None = None
    detailed_errors: bool = False
    handshake_timeout: int | None = None
    max_poll_interval: int | None = None
    unique_token: bool = False

    def __post_init__(self) -> None:
        _check("handshake_timeout", self.handshake_timeout, _LONGEST_HANDSHAKE)
        _check("max_poll_interval", self.max_poll_interval, _LONGEST_POLL_INTERVAL)
        if self.close_at is not None and not math.isfinite(self.close_at):
            raise InvalidArgumentError("close_at", "must be a moment in epoch seconds")
        if self.transports is not None and not self.transports:
            raise InvalidArgumentError("transports", "must name one")

    def claims(self) -> Mapping[str, str]:
        """Return the claims, as text like those of the SDK for .NET."""
        claims = {
            "asrs.s.derror": "True" if self.detailed_errors else None,
            "asrs.s.htt": None if self.transports is None else str(self.transports.value),
            "asrs.s.cht": _text(self.handshake_timeout),
            "asrs.s.ttl": _text(self.max_poll_interval),
            "asrs.s.coae": None if self.close_at is None else "true",
            AUTHENTICATION_END: None if self.close_at is None else str(int(self.close_at)),
        }
        return {name: value for name, value in claims.items() if value is not None}


def _check(name: str, seconds: int | None, longest: int) -> None:
    if seconds is not None and not 1 <= seconds <= longest:
        raise InvalidArgumentError(name, f"must be from 1 to {longest} seconds")


def _text(seconds: int | None) -> str | None:
    return None if seconds is None else str(seconds)
