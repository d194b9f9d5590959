"""The emulated Entra tenant: it signs access tokens and checks them.

The version of a token is the choice of the API that it is for. The audience of version 2 is always
the API's client id, so a resource that is a GUID gets that, and any other one version 1 (Microsoft
identity platform, "Access token claims reference").
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ..clock import Clock
from ..errors import AuthenticationError
from .applications import Application
from .federation import TOKEN_EXCHANGE
from .identities import Identity
from .lifetime import SIGNATURE_ONLY, Lifetime

__all__ = [
    "MANAGED_IDENTITY_LIFETIME",
    "TOKEN_EXCHANGE_ID",
    "IssuedToken",
    "SigningKey",
    "Tenant",
]

MANAGED_IDENTITY_LIFETIME = 24 * 3600
"""How long a managed identity's token is valid, in seconds."""

TOKEN_EXCHANGE_ID = "fb60f99c-7a34-4190-8149-302f77469936"  # noqa: S105 - a client id
"""Client id of the API that federated credentials call `TOKEN_EXCHANGE`, in the public cloud. It
takes version 2, so this is the audience of its tokens."""

_ALGORITHM = "RS256"
_KEY_BITS = 2048
_CLIENT_ID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BACKDATED = 300
"""Seconds by which a token begins before it is made, as Entra's do for clocks that are slow.
Source: psignoret/aad-sso-wordpress, issue 34."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key pair that signs a tenant's tokens.

    Attributes:
        private_key: RSA private key.
        key_id: The `kid` of its tokens, a digest of the public key.
    """

    private_key: rsa.RSAPrivateKey = field(repr=False)
    key_id: str

    @classmethod
    def generate(cls) -> Self:
        """Make a new key pair; this takes some tens of milliseconds."""
        return cls._of(rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS))

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Read what `pem` gives.

        Raises:
            ValueError: The text is something else.
        """
        private_key = serialization.load_pem_private_key(text.encode(), password=None)
        if not isinstance(private_key, rsa.RSAPrivateKey):
            raise ValueError(type(private_key).__name__)  # noqa: TRY004 - the text is at fault
        return cls._of(private_key)

    def pem(self) -> str:
        """Give the private key in PEM (PKCS #8), unencrypted."""
        return self.private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode("ascii")

    @classmethod
    def _of(cls, private_key: rsa.RSAPrivateKey) -> Self:
        public_bytes = private_key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashlib.sha256(public_bytes).digest()
        return cls(private_key, base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"))

    def public_jwk(self) -> dict[str, Any]:
        """Give the public half as a JSON Web Key (RFC 7517)."""
        jwk = RSAAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        return {
            "kty": jwk["kty"],
            "use": "sig",
            "alg": _ALGORITHM,
            "kid": self.key_id,
            "n": jwk["n"],
            "e": jwk["e"],
        }


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and the times at which it begins and expires, in seconds since the epoch."""

    text: str = field(repr=False)
    not_before: int
    expires_on: int


class _AccessToken(NamedTuple):
    """What an access token says of the one who shows it."""

    principal_id: str
    audience: str
    lifetime: Lifetime


class Tenant:
    """An Entra tenant with one signing key.

    Args:
        tenant_id: The directory's GUID.
        key: Signs the tokens.
        clock: Tells when tokens begin and end.
        domain: The directory's domain name, if it has one.
    """

    def __init__(
        self, tenant_id: str, key: SigningKey, clock: Clock, *, domain: str | None = None
    ) -> None:
        self.tenant_id = tenant_id
        self._issuer_v1 = f"https://sts.windows.net/{tenant_id}/"
        self._issuer_v2 = f"https://login.microsoftonline.com/{tenant_id}/v2.0"
        self.issuers = frozenset((self._issuer_v1, self._issuer_v2))
        """The issuers of the tenant's tokens, of version 1 and 2."""
        self._names = frozenset(name.casefold() for name in (tenant_id, domain) if name)
        self._key = key
        self._public_key = key.private_key.public_key()
        self._clock = clock
        # An app shows one token for a day. What it says, and that the tenant has signed it, stays.
        self._access_token = lru_cache(maxsize=256)(self._read)

    def is_called(self, name: str) -> bool:
        """Tell whether this is the tenant's GUID or domain name, in any case."""
        return name.casefold() in self._names

    def issue(self, identity: Identity, resource: str) -> IssuedToken:
        """Sign an access token for a managed identity.

        Args:
            identity: Whose token it is.
            resource: The API that the token is for; becomes `aud` as it was asked for, but for
                `TOKEN_EXCHANGE`.
        """
        return self._issue(
            resource,
            MANAGED_IDENTITY_LIFETIME,
            identity.client_id,
            identity.principal_id,
            acr="2",
            xms_mirid=identity.resource_id,
        )

    def issue_to_application(
        self, application: Application, resource: str, lifetime: int, *, acr: str
    ) -> IssuedToken:
        """Sign an access token for an app registration.

        Args:
            application: Whose token it is.
            resource: The API that the token is for; becomes `aud` as it was asked for, but for
                `TOKEN_EXCHANGE`.
            lifetime: Seconds until it expires.
            acr: `appidacr` or `azpacr`: 1 after a client secret, 2 after an assertion.
        """
        return self._issue(
            resource, lifetime, application.client_id, application.principal_id, acr=acr
        )

    def _issue(
        self,
        resource: str,
        lifetime: int,
        client_id: str,
        principal_id: str,
        *,
        acr: str,
        **claims: str,
    ) -> IssuedToken:
        now = int(self._clock.now())
        not_before = now - _BACKDATED
        audience = TOKEN_EXCHANGE_ID if resource == TOKEN_EXCHANGE else resource
        payload = {
            "aud": audience,
            "iat": not_before,
            "nbf": not_before,
            "exp": now + lifetime,
            "idtyp": "app",
            "oid": principal_id,
            "sub": principal_id,
            "tid": self.tenant_id,
            "uti": secrets.token_urlsafe(16),
            **self._version_claims(audience, client_id, acr),
            **claims,
        }
        text = jwt.encode(
            payload, self._key.private_key, _ALGORITHM, headers={"kid": self._key.key_id}
        )
        return IssuedToken(text, not_before, now + lifetime)

    def _version_claims(self, audience: str, client_id: str, acr: str) -> dict[str, str]:
        if _CLIENT_ID.fullmatch(audience):
            return {"iss": self._issuer_v2, "ver": "2.0", "azp": client_id, "azpacr": acr}
        return {
            "iss": self._issuer_v1,
            "idp": self._issuer_v1,
            "ver": "1.0",
            "appid": client_id,
            "appidacr": acr,
        }

    def validate(self, token: str, audiences: AbstractSet[str]) -> str:
        """Check an access token.

        Args:
            token: The compact token.
            audiences: Acceptable values of `aud`.

        Returns:
            The principal id (`oid`) of the caller.

        Raises:
            AuthenticationError: The token is not one of this tenant, is not for these audiences,
                or is not valid at this time.
        """
        principal_id, audience, lifetime = self._access_token(token)
        if audience not in audiences:
            raise AuthenticationError("The audience of the token is not this service.")
        lifetime.check(self._clock.now(), self._clock.start_limit)
        return principal_id

    def openid_configuration(self, base_url: str, authority_url: str) -> dict[str, Any]:
        """Give the OpenID Connect discovery document.

        Args:
            base_url: Where the public keys are, without a trailing slash.
            authority_url: Where tokens are given out, without a trailing slash.
        """
        tenant_url = f"{authority_url}/{self.tenant_id}"
        return {
            "issuer": self._issuer_v2,
            "authorization_endpoint": f"{tenant_url}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant_url}/oauth2/v2.0/token",
            "jwks_uri": f"{base_url}/{self.tenant_id}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
        }

    def key_set(self) -> dict[str, Any]:
        """Give the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [self._key.public_jwk()]}

    def signed_claims(self, token: str) -> Mapping[str, Any]:
        """Give the claims of one of its tokens; nothing but the signature is checked.

        Raises:
            AuthenticationError: It did not sign the token.
        """
        try:
            # PyJWT compares with the real time; the times are checked on the emulator's clock.
            decoded = jwt.decode_complete(
                token, self._public_key, algorithms=[_ALGORITHM], options=SIGNATURE_ONLY
            )
        except jwt.PyJWTError as error:
            raise AuthenticationError("The token is not signed by the tenant.") from error
        if decoded["header"].get("kid") != self._key.key_id:
            raise AuthenticationError("The token is not signed with a key of the tenant.")
        claims: dict[str, Any] = decoded["payload"]
        return claims

    def _read(self, token: str) -> _AccessToken:
        claims = self.signed_claims(token)
        if claims.get("iss") not in self.issuers:
            raise AuthenticationError("The issuer of the token is not the tenant of the service.")
        principal_id, audience = claims.get("oid"), claims.get("aud")
        if not isinstance(principal_id, str):
            raise AuthenticationError("The token has no object id.")
        if not isinstance(audience, str):
            raise AuthenticationError("The token has no audience.")
        return _AccessToken(principal_id, audience, Lifetime.of(claims))
