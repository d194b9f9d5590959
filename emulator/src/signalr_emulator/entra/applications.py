"""App registrations of the emulated tenant, and the check of what a client proves itself with.

Sources: Microsoft identity platform, "OAuth 2.0 client credentials flow" and "Certificate
credentials"; RFC 7523 for assertions.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from ..errors import TokenRequestError
from .federation import FederatedCredential, TokenIssuer
from .lifetime import NOT_A_TOKEN, SIGNATURE_ONLY, check_assertion_lifetime

__all__ = ["Application", "Applications"]

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = ("RS256", "PS256")


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration with its service principal.

    Attributes:
        client_id: Application id.
        principal_id: Object id of the service principal; role assignments name it.
        secret: Client secret, or None if it has none.
        certificate: Certificate in PEM, whose key signs assertions, or None.
        federated_credentials: Tokens of other issuers that stand for it.
    """

    client_id: str
    principal_id: str
    secret: str | None = field(default=None, repr=False)
    certificate: str | None = None
    federated_credentials: tuple[FederatedCredential, ...] = ()


class Applications:
    """The app registrations of the tenant.

    Args:
        applications: Each has a client id of its own.
        issuers: Those whose tokens can be checked, beside the applications themselves.
    """

    def __init__(
        self, applications: Iterable[Application], issuers: Iterable[TokenIssuer] = ()
    ) -> None:
        self._issuers = {url: issuer for issuer in issuers for url in issuer.urls}
        self._by_client_id = {each.client_id.casefold(): each for each in applications}

    def authenticate(
        self, form: Mapping[str, str], audiences: frozenset[str], now: float
    ) -> Application:
        """Tell which application sends a token request, by what it proves itself with.

        Args:
            form: Fields of the request's body.
            audiences: Acceptable `aud` of an assertion.
            now: Seconds since the epoch on the client's clock.

        Raises:
            TokenRequestError: It is unknown, or proves nothing.
        """
        application = self._by_client_id.get(form.get("client_id", "").casefold())
        if application is None:
            raise TokenRequestError(
                400, "unauthorized_client", 700016, "The application was not found in the tenant."
            )
        if "client_assertion" in form:
            if form.get("client_assertion_type") != _ASSERTION_TYPE:
                raise TokenRequestError(
                    400, "invalid_request", 900144, "The client_assertion_type is not supported."
                )
            self._check_assertion(application, form["client_assertion"], audiences, now)
            return application
        secret = form.get("client_secret")
        if secret is None:
            raise TokenRequestError(
                401, "invalid_client", 7000218, "A client_assertion or client_secret is needed."
            )
        if application.secret is None or not _equal(secret, application.secret):
            raise TokenRequestError(
                401, "invalid_client", 7000215, "Invalid client secret provided."
            )
        return application

    def _check_assertion(
        self, application: Application, assertion: str, audiences: frozenset[str], now: float
    ) -> None:
        issuer = _issuer(assertion)
        if issuer in self._issuers:
            _check_federated(application, self._issuers[issuer].federated_claims(assertion, now))
            return
        if any(each.issuer == issuer for each in application.federated_credentials):
            raise TokenRequestError(
                401, "invalid_client", 50166, "The keys of the assertion's issuer are out of reach."
            )
        _check_own(application, assertion, audiences, now)


def _issuer(assertion: str) -> str:
    """Give the issuer that an assertion claims to have, or an empty text."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except NOT_A_TOKEN:
        return ""
    return str(claims.get("iss"))


def _check_federated(application: Application, claims: Mapping[str, Any]) -> None:
    """Look for the federated credential; issuer, subject and audience each have an error code."""
    matching = application.federated_credentials
    for claim, number, matches in (
        ("issuer", 700211, lambda each: each.issuer == claims.get("iss")),
        ("subject", 700213, lambda each: each.subject == claims.get("sub")),
        ("audience", 700212, lambda each: each.audience in _texts(claims.get("aud"))),
    ):
        matching = tuple(each for each in matching if matches(each))
        if not matching:
            raise TokenRequestError(
                401, "invalid_client", number, f"No federated credential has the token's {claim}."
            )


def _texts(value: object) -> tuple[str, ...]:
    """Give the values of a claim that is one text or a list of them (RFC 7519, section 4.1.3)."""
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str))


def _check_own(
    application: Application, assertion: str, audiences: frozenset[str], now: float
) -> None:
    """Check what the application has signed itself."""
    claims = _signed_claims(application, assertion)
    check_assertion_lifetime(claims, now)
    if audiences.isdisjoint(_texts(claims.get("aud"))):
        raise TokenRequestError(
            401, "invalid_client", 700023, "The assertion's audience is not this token endpoint."
        )
    if any(claims.get(name) != application.client_id for name in ("iss", "sub")):
        raise TokenRequestError(
            401, "invalid_client", 700021, "The assertion is not of this application."
        )


def _signed_claims(application: Application, assertion: str) -> dict[str, Any]:
    refused = TokenRequestError(
        401, "invalid_client", 700027, "The assertion is not signed by a registered certificate."
    )
    if application.certificate is None:
        raise refused
    certificate = x509.load_pem_x509_certificate(application.certificate.encode())
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise refused
    try:
        decoded = jwt.decode_complete(
            assertion, key, algorithms=list(_ALGORITHMS), options=SIGNATURE_ONLY
        )
    except NOT_A_TOKEN as error:
        raise refused from error
    header = decoded["header"]
    thumbprints = {
        "x5t": _thumbprint(certificate, hashes.SHA1()),  # noqa: S303 - names a key, protects nothing
        "x5t#S256": _thumbprint(certificate, hashes.SHA256()),
    }
    # MSAL leaves the padding of base64 in place, RFC 7515 takes it off.
    if not any(str(header.get(name)).rstrip("=") == value for name, value in thumbprints.items()):
        raise refused
    claims: dict[str, Any] = decoded["payload"]
    return claims


def _thumbprint(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> str:
    digest = base64.urlsafe_b64encode(certificate.fingerprint(algorithm))
    return digest.rstrip(b"=").decode("ascii")


def _equal(given: str, expected: str) -> bool:
    # Form fields can hold lone surrogates, which have no UTF-8 form.
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
