"""The bodies of the operations on the authentication of a connection, and what they answer.

Source: Azure/azure-signalr, issues 2277 and 2281; no OpenAPI file of version 2026-07-01 is public.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from ..documents.json_text import Json, decode
from ..errors import InvalidRequestError, JsonError, NotExistedError

__all__ = [
    "AuthenticationRefresh",
    "claims_answer",
    "no_such_connection",
    "parse_connection_token",
    "parse_refresh",
]

_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_EPOCH = datetime.fromtimestamp(0, UTC)
_FOR_EVER = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds()
"""The last second of .NET, by which its SDK says that there is no end."""


@dataclass(frozen=True, slots=True)
class AuthenticationRefresh:
    """What a refresh asks for.

    Attributes:
        connection_token: The secret token of the connection.
        expires_on: When the new authentication ends, in seconds since the epoch; infinite for
            never.
        claims: Types and values that take the place of the present ones; None leaves them.
    """

    connection_token: str = field(repr=False)
    expires_on: float
    claims: tuple[tuple[str, str], ...] | None = field(repr=False)


def parse_refresh(body: bytes) -> AuthenticationRefresh:
    """Parse the body of `:refreshAuth`; names of properties may be in any case.

    Raises:
        InvalidRequestError: The body is something else.
    """
    fields = _fields(body)
    return AuthenticationRefresh(
        connection_token=_connection_token(fields),
        expires_on=_time(fields.get("expiretime")),
        claims=_claims(fields.get("claims")),
    )


def parse_connection_token(body: bytes) -> str:
    """Parse the body that asks for the claims of a connection.

    Raises:
        InvalidRequestError: The body is something else.
    """
    return _connection_token(_fields(body))


def claims_answer(claims: Iterable[tuple[str, str]]) -> web.Response:
    """Answer with the claims that a connection holds."""
    return web.json_response({"claims": [{"type": kind, "value": value} for kind, value in claims]})


def no_such_connection() -> NotExistedError:
    """Say that no connection has the token, without a word about the token."""
    return NotExistedError(
        "There is no such connection.", target="connectionToken", code="ConnectionNotFound"
    )


def _fields(body: bytes) -> Mapping[str, Json]:
    try:
        document = decode(body)
    except JsonError as error:
        raise InvalidRequestError(f"The body {error}.") from error
    if not isinstance(document, dict):
        raise InvalidRequestError("The body has to be an object.")
    return {name.lower(): value for name, value in document.items()}


def _connection_token(fields: Mapping[str, Json]) -> str:
    token = fields.get("connectiontoken")
    if not isinstance(token, str) or not token:
        raise InvalidRequestError(
            "The connectionToken has to be a string that is not empty.", target="connectionToken"
        )
    return token


def _time(value: Json) -> float:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise _not_a_time()
    try:
        seconds = (datetime.fromisoformat(value) - _EPOCH).total_seconds()
    except ValueError:
        # The thirteenth month, or the year 0.
        raise _not_a_time() from None
    return math.inf if seconds >= _FOR_EVER else seconds


def _not_a_time() -> InvalidRequestError:
    return InvalidRequestError(
        "The expireTime has to be a time with its offset, for instance"
        " 2026-07-01T12:00:00.0000000Z.",
        target="expireTime",
    )


def _claims(value: Json) -> tuple[tuple[str, str], ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise _not_claims()
    return tuple(_claim(each) for each in value)


def _claim(item: Json) -> tuple[str, str]:
    if not isinstance(item, dict):
        raise _not_claims()
    fields = {name.lower(): value for name, value in item.items()}
    kind, value = fields.get("type"), fields.get("value")
    if not isinstance(kind, str) or not kind or not isinstance(value, str):
        raise _not_claims()
    return kind, value


def _not_claims() -> InvalidRequestError:
    return InvalidRequestError(
        'The claims have to be a list of {"type": text, "value": text}.', target="claims"
    )
