"""Client tokens: the claims that the service reads, and the signature."""

import json
import random
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring as _quoted
from typing import Final

from ..errors import (
    InvalidArgumentError,
    ServiceUnavailableError,
    SignalRError,
    TokenTooLargeError,
)
from .access_key import AccessKey

__all__ = [
    "MAX_TOKEN_LENGTH",
    "RESERVED_CLAIMS",
    "SYSTEM_PREFIX",
    "USER_CLAIMS",
    "ClaimValue",
    "Claims",
    "ClientToken",
    "sign_client_token",
]

type ClaimValue = str | int | float | bool | list[ClaimValue] | dict[str, ClaimValue]
"""What a claim can hold."""

type Claims = Mapping[str, ClaimValue] | Iterable[tuple[str, ClaimValue]]
"""Claims by their names; as pairs a name can come more than once, and its values make a list."""

type ClientToken = str
"""A signed JSON Web Token in its compact form."""

MAX_TOKEN_LENGTH: Final = 4096
"""Longest token in characters that the SDK for .NET sends and HTTP/2 front ends let through."""

RESERVED_CLAIMS: Final = frozenset(
    {"aud", "exp", "iat", "nbf", "iss", "actort", "acr", "azp", "c_hash", "jti", "nonce"}
)
"""Claims that mean something to the service, so that the SDK for .NET renames a caller's own."""

SYSTEM_PREFIX: Final = "asrs.s."
"""What the names of the service's own claims begin with."""

USER_CLAIMS: Final = (
    "sub",
    "nameid",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
)
"""Claims that the service takes for the user id where a token has no `asrs.s.uid`: what .NET reads
as its `ClaimTypes.NameIdentifier`."""

_TOKEN_ID_BITS: Final = 96
"""So many that no two of some billion tokens have the same, as good as surely."""

_USER_PREFIX: Final = "asrs.u."

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def sign_client_token(
    key: AccessKey,
    audience: str,
    *,
    now: float,
    lifetime: float,
    user_id: str | None = None,
    claims: Claims | None = None,
    system_claims: Mapping[str, str] | None = None,
    unique: bool = False,
) -> ClientToken:
    """Make a token with which one client may connect to one hub.

    The form is that of the SDK for .NET: HS256, the key's id as `kid`, `nbf` and `iat` now, the
    user id as `asrs.s.uid`; a caller's claim with a reserved name is renamed to `asrs.u.<name>`.

    Args:
        key: The key to sign with. The token never outlives it.
        audience: The hub's client URL, from `Endpoint.client_audience`.
        now: Current time in epoch seconds.
        lifetime: Seconds for which a client may connect with the token.
        user_id: The user that the connection belongs to, or `None` for an anonymous one.
        claims: More claims for the token.
        system_claims: The service's own claims: how it treats the connection.
        unique: Whether it has a name of its own, so that it differs from every other one.

    Raises:
        InvalidArgumentError: A claim has one of the service's own names, names a user although
            `user_id` does not, or cannot be JSON.
        TokenTooLargeError: The token is longer than 4,096 bytes.
        ServiceUnavailableError: The key has ended, and so would the token.
    """
    issued_at = int(now)
    expires_at = int(min(now + lifetime, key.expires_at))
    # Clients are told its whole seconds, of which there has to be one.
    if lifetime < 1 or key.expires_at - now < 1:
        raise _never_valid(key, now)
    user = "" if user_id is None else f',"asrs.s.uid":{_quoted(user_id)}'
    more = ""
    if unique:
        # RFC 7519, section 4.1.7. To the SDK for .NET it is none of the claims of a user.
        more = f',"jti":"{random.getrandbits(_TOKEN_ID_BITS):x}"'
    if system_claims:
        more += _members(system_claims)
    if claims:
        # Read once, since pairs can come from an iterator.
        claims = _renamed(claims)
        if user_id is None:
            _check_anonymous(claims)
        more += _members(claims)
    # Written by hand, since making a dictionary into JSON would take half of the whole time.
    payload = (
        f'{{"aud":{_quoted(audience)},"iat":{issued_at},"nbf":{issued_at},"exp":{expires_at}'
        f"{user}{more}}}"
    )
    try:
        message = key.token_header + _base64url(payload.encode())
    except UnicodeEncodeError:
        raise InvalidArgumentError("user_id", "contains half of a surrogate pair") from None
    token = (message + b"." + _base64url(key.sign(message))).decode()
    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenTooLargeError(len(token), MAX_TOKEN_LENGTH, _largest(user_id, claims))
    return token


def _never_valid(key: AccessKey, now: float) -> SignalRError:
    if key.expires_at <= now + 1:
        # It ended between its choice and now: the process was frozen, or the clock was set.
        return ServiceUnavailableError("The access key has just ended", retry_after=1)
    return InvalidArgumentError("minutes_to_expire", "is less than a second")


def _renamed(claims: Claims) -> dict[str, ClaimValue]:
    """Return a caller's claims under the names that the SDK for .NET gives them.

    A reserved name gets a prefix, and so does every `sub` after the first: that one is the caller's
    own subject.
    """
    renamed: dict[str, ClaimValue] = {}
    repeated: dict[str, list[ClaimValue]] = {}
    for name, value in claims.items() if isinstance(claims, Mapping) else claims:
        if name.startswith(SYSTEM_PREFIX):
            raise InvalidArgumentError("claims", f"{name!r} is a name of the service itself")
        second_subject = name == "sub" and name in renamed
        emitted = _USER_PREFIX + name if name in RESERVED_CLAIMS or second_subject else name
        if emitted in renamed:
            values = repeated.setdefault(emitted, [renamed[emitted]])
            values.append(value)
            renamed[emitted] = values
        else:
            renamed[emitted] = value
    return renamed


def _check_anonymous(claims: Mapping[str, ClaimValue]) -> None:
    """Refuse claims that would give a connection a user of whom nobody here knows."""
    for name in USER_CLAIMS:
        if name in claims:
            raise InvalidArgumentError(
                "claims",
                f"{name!r} is the user to the service, and there is no user_id: give it as"
                " user_id, or under another name",
            )


def _members(claims: Mapping[str, ClaimValue]) -> str:
    """Return claims as more members of a JSON object."""
    # Nearly every claim is text, which takes a tenth of what a JSON encoder takes to begin.
    texts = [
        f",{_quoted(name)}:{_quoted(value)}"
        for name, value in claims.items()
        if type(name) is str and type(value) is str
    ]
    text = "".join(texts)
    try:
        if len(texts) < len(claims):
            text = f",{_utf8(claims)[1:-1].decode()}"
        text.encode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        # Not above: nobody needs it whose claims can be written.
        from ..unwritable import unwritable  # noqa: PLC0415

        problem = f"cannot be written as JSON: {unwritable(claims, _utf8)}"
        raise InvalidArgumentError("claims", problem) from None
    return text


def _utf8(value: object) -> bytes:
    return _json(value).encode()


def _base64url(data: bytes) -> bytes:
    """Encode without padding (RFC 7515, appendix C); base64's own function is two calls longer."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE, b"=")


def _largest(user_id: str | None, claims: Claims | None) -> list[str]:
    named = dict(claims or {})
    sizes = {name: len(_json(value)) for name, value in {"user id": user_id, **named}.items()}
    return sorted(sizes, key=lambda name: sizes[name], reverse=True)[:3]
