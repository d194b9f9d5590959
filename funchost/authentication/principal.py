"""Who has signed in, in the forms in which App Service tells it.

Sources: "Work with user identities in Azure App Service authentication" (headers and the decoded
principal) and "Manage OAuth tokens" (`/.auth/me`) in the App Service documentation. Claims have
the short names that Microsoft Entra's tokens give them.
"""

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Principal", "is_platform_header", "read_principal"]

_HEADER: Final = "x-ms-client-principal"
# App Service sets these from its token store, so nobody else may.
_PLATFORM: Final = (_HEADER, "x-ms-token-")
_SUBJECT: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
_NAME: Final = "name"
_ROLES: Final = "roles"
_TIMES: Final = ("iat", "nbf", "exp")
_LONGEST_TEXT: Final = 200
_ID_TOKEN_SECONDS: Final = 3900
"""How long an ID token of Microsoft Entra is good, from `iat` to `exp`. The session lasts longer,
with the claims as they were at the login."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who has signed in.

    Args:
        provider: The identity provider, as `/.auth/login/<provider>` names it.
        user_id: The user's id there.
        name: What people read, for instance an email address.
        claims: Types and values, roles among them; a type may come more than once.
        signed_in_at: When that was, in epoch seconds.
    """

    provider: str
    user_id: str
    name: str
    claims: tuple[tuple[str, str], ...]
    signed_in_at: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell a function who calls, with lower-case names."""
        principal = {
            "auth_typ": self.provider,
            "claims": self._all_claims(),
            "name_typ": _NAME,
            "role_typ": _ROLES,
        }
        return {
            _HEADER: b64encode(json.dumps(principal).encode()).decode(),
            f"{_HEADER}-id": self.user_id,
            # A header holds ASCII; the principal has the name whole.
            f"{_HEADER}-name": self.name.encode("ascii", "replace").decode(),
            f"{_HEADER}-idp": self.provider,
        }

    def description(self) -> dict[str, object]:
        """Return the entry of `/.auth/me`; without tokens, since no provider has issued any."""
        expires_at = time.gmtime(self.signed_in_at + _ID_TOKEN_SECONDS)
        return {
            "expires_on": time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", expires_at),
            "provider_name": self.provider,
            "user_claims": self._all_claims(),
            "user_id": self.user_id,
        }

    def _all_claims(self) -> list[dict[str, str]]:
        issued, expires = str(self.signed_in_at), str(self.signed_in_at + _ID_TOKEN_SECONDS)
        times = zip(_TIMES, (issued, issued, expires), strict=True)
        own = ((_SUBJECT, self.user_id), (_NAME, self.name), *times)
        return [{"typ": kind, "val": value} for kind, value in (*own, *self.claims)]


def is_platform_header(name: str) -> bool:
    """Tell whether only App Service may set a header.

    Args:
        name: The header's name in lower case.
    """
    return name.startswith(_PLATFORM)


def read_principal(provider: str, form: Mapping[str, str], signed_in_at: int) -> Principal:
    """Read what somebody has written into the sign-in form.

    Args:
        provider: The identity provider that the form stands for.
        form: The fields `user_id`, `name`, `roles` (separated by commas) and `claims` (one a
            line, `type=value`). All but the first may be missing.
        signed_in_at: Current time in epoch seconds.

    Raises:
        ValueError: A field cannot be used; the message names it and says what to write.
    """
    user_id = form.get("user_id", "").strip()
    if not user_id or not (user_id.isascii() and user_id.isprintable()):
        raise ValueError("User id: write letters, digits or signs of ASCII; it goes into a header.")
    name = form.get("name", "").strip() or user_id
    if not name.isprintable():
        raise ValueError("Name: leave out control characters.")
    if max(len(user_id), len(name)) > _LONGEST_TEXT:
        raise ValueError(f"User id and name: write at most {_LONGEST_TEXT} characters.")
    roles = filter(None, map(str.strip, form.get("roles", "").split(",")))
    claims = (*((_ROLES, role) for role in roles), *_claims(form.get("claims", "")))
    return Principal(provider, user_id, name, claims, signed_in_at)


def _claims(text: str) -> Iterator[tuple[str, str]]:
    own = {_SUBJECT, _NAME, *_TIMES}
    for line in filter(None, map(str.strip, text.splitlines())):
        kind, equals, value = (part.strip() for part in line.partition("="))
        if not kind or not equals:
            raise ValueError(f"Claims: write type=value in each line, not {line!r}.")
        if kind in own:
            raise ValueError(f"Claims: {kind!r} is there already; leave it out.")
        yield kind, value
