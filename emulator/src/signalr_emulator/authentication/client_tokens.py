"""Client tokens: what a client shows when it negotiates and connects.

Source: Azure SignalR .NET SDK (audience, `kid`, claims with the prefix `asrs.s.`). The audience is
`{scheme}://{host}/client/?hub={hub}`, where SDKs leave out the port.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from functools import lru_cache
from typing import Any

import jwt

from ..clock import Clock
from ..documents.json_text import Json
from ..entra.lifetime import check_lifetime
from ..errors import AuthenticationError
from .access_keys import AccessKey, AccessKeys
from .signed_tokens import ALGORITHM, audiences_of, signed_claims

__all__ = [
    "ALL_TRANSPORTS",
    "CLOSES_ON_EXPIRATION",
    "EXPIRES_ON",
    "MAX_TOKEN_LENGTH",
    "USER_ID",
    "ClientIdentity",
    "HttpTransports",
    "client_audiences",
    "client_identity",
    "issue_client_token",
    "validate_client_token",
]

MAX_TOKEN_LENGTH = 4096
"""The longest client token, in characters."""

CLOSES_ON_EXPIRATION = "asrs.s.coae"
"""The claim that is true where a connection ends with its authentication."""

EXPIRES_ON = "asrs.s.aeo"
"""The claim that says when that is, in seconds since the epoch."""

USER_ID = "asrs.s.uid"
"""The claim that says who the client is."""

_MAX_DIGITS = 16
_MAX_HANDSHAKE = 30.0
_MAX_POLL_IDLE = 300.0


class HttpTransports(IntFlag):
    """Transports as `asrs.s.htt` counts them (`HttpTransportType` of ASP.NET Core)."""

    WEB_SOCKETS = 1
    SERVER_SENT_EVENTS = 2
    LONG_POLLING = 4


ALL_TRANSPORTS = ~HttpTransports(0)

_NAME_IDENTIFIERS = frozenset(
    {
        "nameid",
        "sub",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    }
)


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Who a client is, and what its token says of its connection.

    Attributes:
        user_id: From `asrs.s.uid`, else from the first claim that .NET takes for the name
            identifier; None for an anonymous client.
        claims: Every claim of the token.
        transports: From `asrs.s.htt`; every transport if it is absent.
        handshake: From `asrs.s.cht`, in seconds, up to 30; None if it is absent.
        poll_idle: From `asrs.s.ttl`, in seconds, from 1 to 300; None if it is absent.
        closes_at: From `asrs.s.aeo` if `asrs.s.coae` is true, in seconds since the epoch: when
            the connection ends.
    """

    user_id: str | None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    transports: HttpTransports = ALL_TRANSPORTS
    handshake: float | None = None
    poll_idle: float | None = None
    closes_at: float | None = None


@lru_cache(maxsize=1024)
def client_audiences(
    scheme: str, hosts: frozenset[str], ports: frozenset[str], hub: str
) -> frozenset[str]:
    """Give every audience that a token for a hub may have, in lower case.

    Args:
        scheme: `http` or `https`.
        hosts: Names of the service, in lower case.
        ports: Ports by which it is called.
        hub: Name of the hub.
    """
    names = hosts | {f"{host}:{port}" for host in hosts for port in ports}
    return frozenset(f"{scheme}://{name}/client/?hub={hub.lower()}" for name in names)


def validate_client_token(
    token: str, *, audiences: frozenset[str], keys: AccessKeys, clock: Clock
) -> ClientIdentity:
    """Check a client token.

    Args:
        token: The compact token.
        audiences: What `client_audiences` gives for the hub.
        keys: Keys that may have signed it.
        clock: Tells the time.

    Raises:
        AuthenticationError: The token is not signed with a key that is alive, is not for this
            hub, or is not valid at this time.
    """
    claims = signed_claims(token, keys)
    if not audiences.intersection(audience.lower() for audience in audiences_of(claims)):
        raise AuthenticationError("The audience of the token is not this hub of this service.")
    check_lifetime(claims, clock.now(), clock.start_limit)
    return client_identity(claims)


def client_identity(claims: Mapping[str, Any]) -> ClientIdentity:
    """Give what the claims of a client token say, whose token is checked."""
    transports = _whole_number(claims.get("asrs.s.htt"))
    handshake = _whole_number(claims.get("asrs.s.cht"))
    poll_idle = _whole_number(claims.get("asrs.s.ttl"))
    closes = str(_first(claims.get(CLOSES_ON_EXPIRATION))).lower() == "true"
    return ClientIdentity(
        user_id=_user_id(claims),
        claims=claims,
        transports=ALL_TRANSPORTS if transports is None else HttpTransports(transports & 7),
        handshake=None if handshake is None else min(float(handshake), _MAX_HANDSHAKE),
        poll_idle=None if poll_idle is None else min(max(float(poll_idle), 1.0), _MAX_POLL_IDLE),
        closes_at=_whole_number(claims.get(EXPIRES_ON)) if closes else None,
    )


def issue_client_token(
    audience: str, claims: Mapping[str, Json], *, lifetime: int, key: AccessKey, now: float
) -> str:
    """Sign a client token.

    Args:
        audience: One of what `client_audiences` gives for the hub.
        claims: What it says of the client, beside its audience and its time.
        lifetime: Seconds until the token expires.
        key: Signs it.
        now: Seconds since the epoch.
    """
    times = {"nbf": int(now), "iat": int(now), "exp": int(now) + lifetime}
    payload = {**times, **claims, "aud": audience}
    return jwt.encode(payload, key.secret, ALGORITHM, headers={"kid": key.key_id})


def _first(value: object) -> object:
    # A claim that was given several times is an array.
    return value[0] if isinstance(value, list) and value else value


def _user_id(claims: Mapping[str, Any]) -> str | None:
    if USER_ID in claims:
        return _text(claims[USER_ID])
    return next((_text(claims[name]) for name in claims if name in _NAME_IDENTIFIERS), None)


def _text(value: object) -> str | None:
    first = _first(value)
    return first if isinstance(first, str) else None


def _whole_number(value: object) -> int | None:
    # SDKs write these claims as text.
    text = str(_first(value))
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MAX_DIGITS else None
