import base64
import datetime as dt
import json
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from msal.oauth2cli import JwtAssertionCreator  # type: ignore[import-untyped]  # msal has no types
from signalr_emulator.entra.applications import Application, Applications
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.errors import TokenRequestError

from emulator.tests.conftest import NOW

ENDPOINT = "https://127.0.0.1/t/oauth2/v2.0/token"
AUDIENCES = frozenset({ENDPOINT})
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="session")
def certificate(signing_key: SigningKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    start = dt.datetime.fromtimestamp(NOW, dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signing_key.private_key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=1))
        .sign(signing_key.private_key, hashes.SHA256())
    )


@pytest.fixture
def applications(certificate: x509.Certificate) -> Applications:
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return Applications([Application("app", "principal", "right", pem), Application("bare", "p2")])


def assertion(
    key: SigningKey,
    certificate: x509.Certificate,
    algorithm: str = "PS256",
    *,
    audience: str = ENDPOINT,
    issuer: str = "app",
    expires_at: float = NOW + 60,
) -> str:
    sha256, sha1 = (certificate.fingerprint(h()).hex() for h in (hashes.SHA256, hashes.SHA1))
    thumbprint = (
        {"sha256_thumbprint": sha256} if algorithm == "PS256" else {"sha1_thumbprint": sha1}
    )
    creator = JwtAssertionCreator(key.private_key, algorithm, **thumbprint)
    signed: bytes = creator.create_normal_assertion(audience, issuer, expires_at=expires_at)
    return signed.decode()


def resigned(token: str, key: SigningKey, **changes: Any) -> str:  # noqa: ANN401 - any JSON
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    payload = json.dumps(claims).encode()
    return jwt.PyJWS().encode(payload, key.private_key, header["alg"], header)


def nested_too_deep() -> str:
    parts = (b'{"alg":"PS256"}', b"[" * 100_000, b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_secret(applications: Applications) -> None:
    form = {"client_id": "APP", "client_secret": "right"}
    assert applications.authenticate(form, AUDIENCES, NOW).principal_id == "principal"


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_id": "app", "client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "bare", "client_secret": ""}, 401, "invalid_client", 7000215),
        ({"client_id": "app"}, 401, "invalid_client", 7000218),
        ({"client_id": "x", "client_secret": "right"}, 400, "unauthorized_client", 700016),
        ({}, 400, "unauthorized_client", 700016),
        ({"client_id": "app", "client_assertion": "a.b.c"}, 400, "invalid_request", 900144),
    ],
)
def test_refused(
    applications: Applications, form: dict[str, str], status: int, error: str, number: int
) -> None:
    with pytest.raises(TokenRequestError) as caught:
        applications.authenticate(form, AUDIENCES, NOW)
    assert (caught.value.status, caught.value.error, caught.value.number) == (status, error, number)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_certificate(
    applications: Applications,
    signing_key: SigningKey,
    certificate: x509.Certificate,
    algorithm: str,
) -> None:
    signed = assertion(signing_key, certificate, algorithm)
    form = {"client_id": "app", "client_assertion": signed, "client_assertion_type": TYPE}
    assert applications.authenticate(form, AUDIENCES, NOW).principal_id == "principal"


def test_several_audiences(
    applications: Applications, signing_key: SigningKey, certificate: x509.Certificate
) -> None:
    good = assertion(signing_key, certificate)
    signed = resigned(good, signing_key, aud=["https://other", ENDPOINT])
    form = {"client_id": "app", "client_assertion": signed, "client_assertion_type": TYPE}
    assert applications.authenticate(form, AUDIENCES, NOW).principal_id == "principal"


def test_wrong_assertions(
    applications: Applications, signing_key: SigningKey, certificate: x509.Certificate
) -> None:
    good = assertion(signing_key, certificate)
    claims = jwt.decode(good, options={"verify_signature": False})
    for client, text, number in (
        ("app", assertion(SigningKey.generate(), certificate), 700027),
        ("app", jwt.encode(claims, signing_key.private_key, "PS256"), 700027),
        ("app", "a.b.c", 700027),
        ("bare", good, 700027),
        ("app", "\xe9.b.c", 700027),
        ("app", nested_too_deep(), 700027),
        ("app", assertion(signing_key, certificate, audience="https://other"), 700023),
        ("app", resigned(good, signing_key, aud=["https://other"]), 700023),
        ("app", resigned(good, signing_key, aud={}), 700023),
        ("app", resigned(good, signing_key, sub="bare"), 700021),
        ("app", resigned(good, signing_key, iss=["app"]), 700021),
        ("app", assertion(signing_key, certificate, issuer="bare"), 700021),
        ("app", assertion(signing_key, certificate, expires_at=NOW), 700024),
    ):
        form = {"client_id": client, "client_assertion": text, "client_assertion_type": TYPE}
        with pytest.raises(TokenRequestError) as caught:
            applications.authenticate(form, AUDIENCES, NOW)
        assert (caught.value.status, caught.value.number) == (401, number)
