"""The access key: what it is, how long it may be used, and what there is to know of it."""

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from ..errors import ServiceError, UnexpectedResponseError

__all__ = ["LIFETIME", "AccessKey", "KeySource", "KeyState", "parse_access_key"]

_KEY_ID: Final = re.compile(r"[!-~]{1,256}")
"""What stands in every token's header and in the log: visible characters, and not many."""

LIFETIME: Final = 90 * 60
"""Seconds for which the service accepts a temporary access key (Entra ID concept page)."""

_BLOCK: Final = 64
"""Bytes that SHA-256 takes at a time: the length to which HMAC brings a secret (RFC 2104, 2)."""

_INNER_PADDING: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PADDING: Final = bytes(byte ^ 0x5C for byte in range(256))


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key of one endpoint.

    Args:
        key_id: The service's name for a temporary key: the `kid` of tokens that it signs. Empty for
            a key of a connection string, which has none.
        secret: UTF-8 bytes of the key's text, which are the HMAC key as they are.
        obtained_at: When it was asked for, in epoch seconds: never later than it was made.
        lifetime: Seconds for which the service accepts it.
    """

    key_id: str
    secret: bytes = field(repr=False)
    obtained_at: float
    lifetime: float = LIFETIME
    expires_at: float = field(init=False)
    token_header: bytes = field(init=False, repr=False)
    _inner: "hashlib._Hash" = field(init=False, repr=False, compare=False)
    _outer: "hashlib._Hash" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kid = {"kid": self.key_id} if self.key_id else {}
        header = json.dumps({"alg": "HS256", **kid, "typ": "JWT"}, separators=(",", ":"))
        object.__setattr__(self, "expires_at", self.obtained_at + self.lifetime)
        # The same for every token of this key, so it is encoded once.
        object.__setattr__(
            self, "token_header", urlsafe_b64encode(header.encode()).rstrip(b"=") + b"."
        )
        secret = self.secret
        if len(secret) > _BLOCK:
            secret = hashlib.sha256(secret).digest()
        padded = secret.ljust(_BLOCK, b"\0")
        object.__setattr__(self, "_inner", hashlib.sha256(padded.translate(_INNER_PADDING)))
        object.__setattr__(self, "_outer", hashlib.sha256(padded.translate(_OUTER_PADDING)))

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message: its HMAC-SHA256 (HS256 of RFC 7518, section 3.2).

        Both hashes have begun with the secret (RFC 2104, section 4), and copies of them take less
        than half the time of `hmac.digest`.
        """
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class KeySource(Protocol):
    """Gives the access key that signs client tokens."""

    def get(self, timeout: float) -> AccessKey:
        """Return a usable key, blocking for at most `timeout` seconds.

        Raises:
            ServiceUnavailableError: There is none; the cause says why.
        """

    async def get_async(self, timeout: float) -> AccessKey:  # noqa: ASYNC109  many wait on one fetch
        """Return a usable key: `get` for an event loop."""


class KeyState(NamedTuple):
    """What an operator wants to know of a key.

    Args:
        key_id: The service's name for it, or `None` while there is none.
        age: Seconds since it was asked for.
        next_refresh: Seconds until the next one is asked for.
        error: Why the last attempt failed, or `None` when it did not.
    """

    key_id: str | None
    age: float | None
    next_refresh: float
    error: ServiceError | None


def parse_access_key(body: bytes, *, obtained_at: float) -> AccessKey:
    """Read the auth API's answer: `{"AccessKey": "…", "KeyId": "…"}` (REST API 2024-12-01).

    Args:
        body: Body of a 200 answer.
        obtained_at: When the key was asked for, in epoch seconds.

    Raises:
        UnexpectedResponseError: The body is not such an object. Its text is never repeated, since
            it can hold a key.
    """
    try:
        answer = json.loads(body)
        key_id, secret = answer["KeyId"], answer["AccessKey"].encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        key_id = secret = None
    if not (isinstance(key_id, str) and _KEY_ID.fullmatch(key_id) and secret):
        raise UnexpectedResponseError(
            "The auth API answered 200 without a usable AccessKey and KeyId", status=200
        )
    return AccessKey(key_id, secret, obtained_at)
