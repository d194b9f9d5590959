"""Client tokens: what a client shows when it negotiates and connects.

Source: Azure SignalR .NET SDK (audience, `kid`, claims with the prefix `asrs.s.`). The audience is
`{scheme}://{host}/client/?hub={hub}`, where SDKs leave out the port.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt

from signalr_emulator.access_keys import AccessKeys
from signalr_emulator.clock import Clock
from signalr_emulator.errors import AuthenticationError
from signalr_emulator.lifetime import SIGNATURE_ONLY, check_lifetime

__all__ = ["ClientIdentity", "client_audiences", "validate_client_token"]

_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Who a client is.

    Attributes:
        user_id: From `asrs.s.uid`, else from `nameid`; None for an anonymous client.
    """

    user_id: str | None


@lru_cache(maxsize=1024)
def client_audiences(
    scheme: str, hosts: frozenset[str], port: int | None, hub: str
) -> frozenset[str]:
    """Give every audience that a token for a hub may have, in lower case.

    Args:
        scheme: `http` or `https`.
        hosts: Names of the service, in lower case.
        port: Where it listens; None where it is unknown.
        hub: Name of the hub.
    """
    names = hosts if port is None else hosts | {f"{host}:{port}" for host in hosts}
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
    claims = _claims(token, keys)
    if not audiences.intersection(_audiences(claims)):
        raise AuthenticationError("The audience of the token is not this hub of this service.")
    check_lifetime(claims, clock.now())
    return ClientIdentity(user_id=_text(claims.get("asrs.s.uid", claims.get("nameid"))))


def _claims(token: str, keys: AccessKeys) -> dict[str, Any]:
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        key = keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise AuthenticationError("The key that signed the token is unknown or expired.")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.secret,
            algorithms=[_ALGORITHM],
            options=SIGNATURE_ONLY,
        )
    except jwt.PyJWTError as error:
        raise AuthenticationError("The signature of the token is not valid.") from error
    return claims


def _audiences(claims: dict[str, Any]) -> list[str]:
    audience = claims.get("aud")
    values = audience if isinstance(audience, list) else [audience]
    return [value.lower() for value in values if isinstance(value, str)]


def _text(value: object) -> str | None:
    # A claim that was given several times is an array.
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) else None
