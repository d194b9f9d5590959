"""Operations about the authentication of a connection, which its secret connection token names.

Source: Azure/azure-signalr #2261 and #2277, REST API 2026-07-01. The token stands in bodies only,
so that no access log has it, and in no error.
"""

import math
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple

from ..bodies.content import Content, sized_content
from ..bodies.values import as_json
from ..errors import InvalidArgumentError, UnexpectedResponseError
from ..keys.client_token import Claims, ClaimValue
from ..settings.names import hub_path
from ..transport.flow import Flow, Response
from . import operations as op
from .exchange import Exchange, read_object

__all__ = [
    "Authentication",
    "ConnectionClaim",
    "check_connection_token",
    "claim_pairs",
    "seconds_until",
]

_NEVER: Final = "9999-12-31T23:59:59.9999999Z"
"""The time of an authentication without an end, as the SDK for .NET writes it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_BY_POST: Final = op.CONNECTION_CLAIMS._replace(method="POST")
"""For a service, or something on the way to it, that does not know the method QUERY."""
_NO_QUERY: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


class ConnectionClaim(NamedTuple):
    """A claim of a connection. One type may come more than once.

    Args:
        type: Its name. What begins with `asrs.s.` is the service's own.
        value: Its value; what is no text is written as JSON.
    """

    type: str
    value: str


class Authentication(Exchange):
    """The operations about the authentication of connections."""

    def refresh_authentication(
        self,
        hub: str,
        connection_token: str,
        *,
        expires_on: float | None,
        claims: Claims | None,
    ) -> Flow[tuple[ConnectionClaim, ...]]:
        """Renew the authentication of a connection.

        Args:
            hub: Name of the hub.
            connection_token: The connection's token from the service's own negotiation.
            expires_on: When the new one ends, in epoch seconds; `None` for never.
            claims: What the connection's claims are from now on; `None` leaves them.

        Returns:
            The claims that hold from now on.

        Raises:
            ConnectionNotFoundError: No connection of the hub has this token.
            ConnectionUserMismatchError: The claims are those of another user.
            SignalRError: As `send_to_all`.
        """
        renewed: dict[str, object] = {
            "connectionToken": check_connection_token(connection_token),
            "expireTime": _NEVER if expires_on is None else _iso_8601(expires_on),
        }
        if claims is not None:
            pairs = claim_pairs(claims)
            renewed["claims"] = [{"type": each.type, "value": each.value} for each in pairs]
        content = sized_content("claims", as_json("claims", renewed))
        response = yield from self.call(op.REFRESH_AUTH, hub_path(hub), content=content)
        return _claims(response)

    def connection_claims(
        self, hub: str, connection_token: str
    ) -> Flow[tuple[ConnectionClaim, ...]]:
        """Return the claims of a connection, in their order; a type may come more than once.

        Args:
            hub: Name of the hub.
            connection_token: The connection's secret token, which it has from the service's own
                negotiation.

        Raises:
            ConnectionNotFoundError: No connection of the hub has this token.
            SignalRError: As `send_to_all`.
        """
        body = as_json(
            "connection_token", {"connectionToken": check_connection_token(connection_token)}
        )
        content = sized_content("connection_token", body)
        try:
            response = yield from self._asked(op.CONNECTION_CLAIMS, hub, content)
        except UnexpectedResponseError as error:
            if error.status not in _NO_QUERY:
                raise
            response = yield from self._asked(_BY_POST, hub, content)
        return _claims(response)

    def _asked(self, operation: op.Operation, hub: str, content: Content) -> Flow[Response]:
        return self.call(operation, hub_path(hub), content=content)


def claim_pairs(claims: Claims) -> list[ConnectionClaim]:
    """Return claims as pairs of texts: each item of a list is one, and what is no text is JSON.

    Args:
        claims: Claims by their names, or pairs.

    Raises:
        InvalidArgumentError: A value cannot be written.
    """
    return [
        ConnectionClaim(name, each if isinstance(each, str) else as_json("claims", each).decode())
        for name, value in (claims.items() if hasattr(claims, "items") else claims)
        for each in _items(value)
    ]


def _items(value: ClaimValue) -> list[ClaimValue]:
    return value if isinstance(value, list) else [value]


def check_connection_token(connection_token: str) -> str:
    """Return a connection token unchanged.

    Raises:
        InvalidArgumentError: It is empty.
    """
    if not connection_token.strip():
        raise InvalidArgumentError("connection_token", "must not be empty")
    return connection_token


def seconds_until(expires_on: float, now: float) -> float:
    """Return how long an authentication lasts.

    Args:
        expires_on: When it ends, in epoch seconds.
        now: Current time in epoch seconds.

    Raises:
        InvalidArgumentError: It has ended, or it is no moment.
    """
    left = expires_on - now
    if not 0 < left < math.inf:
        raise InvalidArgumentError("expires_on", "must be a moment to come, in epoch seconds")
    return left


def _iso_8601(moment: float) -> str:
    """Write a moment in whole seconds, rounded down."""
    try:
        time = min(_EPOCH + timedelta(seconds=int(moment)), _LATEST)
    except OverflowError:
        raise InvalidArgumentError("expires_on", "must be a moment in epoch seconds") from None
    return f"{time.isoformat().removesuffix('+00:00')}Z"


def _claims(response: Response) -> tuple[ConnectionClaim, ...]:
    listed = read_object(response).get("claims")
    if not isinstance(listed, list):
        raise _unusable(response)
    return tuple(_claim(item, response) for item in listed)


def _claim(item: object, response: Response) -> ConnectionClaim:
    members = item if isinstance(item, dict) else {}
    kind, value = members.get("type"), members.get("value")
    if not isinstance(kind, str) or not isinstance(value, str):
        raise _unusable(response)
    return ConnectionClaim(kind, value)


def _unusable(response: Response) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        "The claims of a connection cannot be read", status=response.status
    )
