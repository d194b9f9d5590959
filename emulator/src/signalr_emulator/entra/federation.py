"""Workload identity federation: tokens of an issuer in place of a secret, and one issuer outside.

Sources: Microsoft identity platform, "Workload identity federation"; Microsoft Graph,
"federatedIdentityCredential resource type" (issuer, subject and audience match to the letter).
"""

import hmac
from dataclasses import dataclass
from typing import Any, Protocol, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from ..errors import AuthenticationError, TokenRequestError
from .lifetime import NOT_A_TOKEN, SIGNATURE_ONLY, check_assertion_lifetime

__all__ = ["TOKEN_EXCHANGE", "ExternalIssuer", "FederatedCredential", "TokenIssuer"]

TOKEN_EXCHANGE = "api://AzureADTokenExchange"  # noqa: S105 - an audience
"""The audience that Entra recommends for tokens that are exchanged."""

_ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """Says which tokens stand for an app registration.

    Attributes:
        issuer: `iss` of the token.
        subject: `sub` of the token.
        audience: `aud` of the token.
    """

    issuer: str
    subject: str
    audience: str = TOKEN_EXCHANGE


class TokenIssuer(Protocol):
    """Signs tokens that can stand for an app registration."""

    @property
    def urls(self) -> frozenset[str]:
        """What `iss` of its tokens can be."""

    def federated_claims(self, token: str, now: float) -> dict[str, Any]:
        """Give the claims of one of its tokens that is valid now.

        Args:
            token: The compact token.
            now: Seconds since the epoch on the client's clock.

        Raises:
            TokenRequestError: It is not signed by this issuer, not valid at this time, or may
                stand for no app registration.
        """


class ExternalIssuer:
    """An identity provider outside the tenant, as a Kubernetes cluster is one.

    Args:
        url: `iss` of its tokens.
        key: Signs its tokens; on the curve P-256.
    """

    def __init__(self, url: str, key: ec.EllipticCurvePrivateKey) -> None:
        self.url = url
        self._key = key

    @classmethod
    def derive(cls, url: str, seed: bytes) -> Self:
        """Make an issuer whose key follows from a seed.

        Args:
            url: `iss` of its tokens.
            seed: Nobody else may know it.
        """
        digest = hmac.digest(seed, f"external issuer {url}".encode(), "sha256")
        # A private key is from 1 to the curve's order, which is more than 2 to the power of 255.
        number = int.from_bytes(digest) >> 1 or 1
        return cls(url, ec.derive_private_key(number, ec.SECP256R1()))

    @property
    def urls(self) -> frozenset[str]:
        """What `iss` of its tokens can be."""
        return frozenset((self.url,))

    def issue(self, subject: str, audience: str, *, now: float, lifetime: int) -> str:
        """Sign a token.

        Args:
            subject: Whom it is about.
            audience: Whom it is for.
            now: Seconds since the epoch.
            lifetime: Seconds until it expires.
        """
        issued = int(now)
        claims = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": issued,
            "nbf": issued,
            "exp": issued + lifetime,
        }
        return jwt.encode(claims, self._key, _ALGORITHM)

    def claims(self, token: str) -> dict[str, Any]:
        """Give the claims of one of its tokens; their times are not checked.

        Raises:
            AuthenticationError: It did not sign the token.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key.public_key(), algorithms=[_ALGORITHM], options=SIGNATURE_ONLY
            )
        except NOT_A_TOKEN as error:
            raise AuthenticationError("The token is not signed by its issuer.") from error
        return claims

    def federated_claims(self, token: str, now: float) -> dict[str, Any]:
        """Give the claims of one of its tokens that is valid now; as `TokenIssuer` has it."""
        try:
            claims = self.claims(token)
        except AuthenticationError as error:
            raise TokenRequestError(401, "invalid_client", 50013, str(error)) from error
        check_assertion_lifetime(claims, now)
        return claims
