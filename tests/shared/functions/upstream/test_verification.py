"""Which calls are the service's own. Every refused token differs from a good one in one thing."""

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from shared.functions.problems import ProblemError
from shared.functions.upstream.settings import UpstreamSettings
from shared.functions.upstream.signature import is_signed
from shared.functions.upstream.verification import CallVerifier
from tests.scripted_service import HANG_UP, Received, Reply, ScriptedService, scripted_service

TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
ISSUER = f"https://sts.windows.net/{TENANT}/"
AUDIENCE = "api://my-app"
APP_ID = "3c8d9f12-3456-4789-8abc-def012345678"
CLIENT_ID = "0c8d9f12-3456-4789-8abc-def012345678"
OBJECT_ID = "1c8d9f12-3456-4789-8abc-def012345678"
OTHER_ID = "2c8d9f12-3456-4789-8abc-def012345678"
ACCESS_KEY = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = PRIVATE_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
# Without "alg", so that only the verifier's own list keeps algorithms out.
PUBLIC_JWK = {**RSAAlgorithm.to_jwk(PRIVATE_KEY.public_key(), as_dict=True), "kid": "key-1"}

# Nobody should publish a secret, and who does it lets nobody in by it.
SECRET = b"s" * 32
SECRET_JWK = {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET).decode(), "kid": "secret"}


def claims(**changed: object) -> dict[str, object]:
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "appid": CLIENT_ID,
        "oid": OBJECT_ID,
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def version_2(**changed: object) -> str:
    """Make a token as an app registration with accessTokenAcceptedVersion 2 has it made."""
    own: dict[str, Any] = {
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "aud": APP_ID,
        "ver": "2.0",
        "appid": None,
        "azp": CLIENT_ID,
    }
    return token(**own | changed)


def token(
    key: rsa.RSAPrivateKey = PRIVATE_KEY, kid: str | None = "key-1", **changed: object
) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changed), key, "RS256", headers=headers)


def handmade(algorithm: str, secret: bytes | None, kid: str = "key-1") -> str:
    """Make a token that a library refuses to make."""
    header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
    signed = b".".join(encoded(json.dumps(each).encode()) for each in (header, claims()))
    signature = b"" if secret is None else hmac.digest(secret, signed, hashlib.sha256)
    return (signed + b"." + encoded(signature)).decode()


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def tampered() -> str:
    head, _, signature = token().split(".")
    return ".".join([head, encoded(json.dumps(claims(oid="x")).encode()).decode(), signature])


@pytest.fixture(scope="module")
def authority() -> Iterator[ScriptedService]:
    with scripted_service(
        lambda _: Reply(200, body=json.dumps({"keys": [PUBLIC_JWK, SECRET_JWK]}).encode())
    ) as running:
        yield running


def verifier(
    authority: ScriptedService, *identities: str, key: bytes | None = None
) -> CallVerifier:
    environment = {
        "UPSTREAM_TENANT_ID": TENANT,
        "UPSTREAM_AUDIENCE": f"{AUDIENCE},{APP_ID}",
        "UPSTREAM_IDENTITIES": ",".join(identities),
        "UPSTREAM_KEYS_URL": authority.url,
    }
    settings = UpstreamSettings.from_environment(environment, [])
    return CallVerifier(replace(settings, access_keys=(key,) if key else ()))


class Headers(dict[str, str]):
    """Headers that are looked up in any case, as those of a request."""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401  as in a mapping
        return super().get(name.lower(), default)


def bearer(value: str) -> Headers:
    return Headers({"authorization": f"Bearer {value}"})


async def assert_refused(verifier: CallVerifier, headers: Headers) -> None:
    with pytest.raises(ProblemError) as caught:
        await verifier.verify(headers)
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
    assert caught.value.response().mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        bearer(token()),
        bearer(version_2()),
        bearer(token(aud=APP_ID)),
        Headers({"authorization": f"bearer  {token()} "}),
    ],
)
async def test_a_token_of_the_service(authority: ScriptedService, headers: Headers) -> None:
    await verifier(authority).verify(headers)


async def test_a_token_that_ended_within_the_leeway_of_the_clocks(
    authority: ScriptedService,
) -> None:
    await verifier(authority).verify(bearer(token(exp=int(time.time()) - 30)))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(Headers(), id="nothing"),
        pytest.param(Headers({"authorization": ""}), id="empty"),
        pytest.param(Headers({"authorization": token()}), id="no scheme"),
        pytest.param(Headers({"authorization": f"Basic {token()}"}), id="another scheme"),
        pytest.param(Headers({"authorization": f"Bearer {token()},Bearer {token()}"}), id="two"),
        pytest.param(Headers({"authentication": f"Bearer {token()}"}), id="another header"),
        pytest.param(bearer(""), id="empty token"),
        pytest.param(bearer("a.b.c"), id="no token"),
        pytest.param(bearer("\udcff.\udcff.\udcff"), id="no text"),
        pytest.param(bearer(handmade("none", None)), id="alg none"),
        pytest.param(bearer(handmade("HS256", PUBLIC_PEM)), id="HS256 with the public key"),
        pytest.param(
            bearer(handmade("HS256", json.dumps(PUBLIC_JWK).encode())), id="HS256 with the JWK"
        ),
        pytest.param(bearer(handmade("HS256", SECRET, "secret")), id="HS256 with a known secret"),
        pytest.param(bearer(token(iss=ISSUER.replace("7d3e", "8d3e"))), id="another tenant"),
        pytest.param(bearer(token(iss=ISSUER.rstrip("/"))), id="issuer without its slash"),
        pytest.param(bearer(token(iss=None)), id="no issuer"),
        pytest.param(
            bearer(version_2(iss=f"https://login.microsoftonline.com/{OTHER_ID}/v2.0")),
            id="another tenant, version 2",
        ),
        pytest.param(
            bearer(version_2(iss=f"https://login.microsoftonline.us/{TENANT}/v2.0")),
            id="another cloud",
        ),
        pytest.param(
            bearer(version_2(iss=f"https://sts.windows.net/{TENANT}/v2.0")),
            id="neither version",
        ),
        pytest.param(bearer(version_2(aud=OTHER_ID)), id="another app"),
        pytest.param(bearer(token(aud="https://signalr.azure.com")), id="another audience"),
        pytest.param(bearer(token(aud=None)), id="no audience"),
        pytest.param(bearer(token(exp=int(time.time()) - 120)), id="expired"),
        pytest.param(bearer(token(exp=None)), id="no end"),
        pytest.param(bearer(token(nbf=int(time.time()) + 3600)), id="not yet valid"),
        pytest.param(bearer(token(kid="key-2")), id="unknown key id"),
        pytest.param(bearer(token(kid=None)), id="no key id"),
        pytest.param(bearer(token(OTHER_KEY)), id="another key under a known id"),
        pytest.param(bearer(tampered()), id="claims changed"),
    ],
)
async def test_what_is_no_token_of_the_service(
    authority: ScriptedService, headers: Headers
) -> None:
    await assert_refused(verifier(authority), headers)
    await assert_refused(verifier(authority, key=ACCESS_KEY), headers)


@pytest.mark.parametrize(
    ("identities", "accepted"),
    [
        ([CLIENT_ID], True),
        ([OBJECT_ID], True),
        ([OTHER_ID, CLIENT_ID], True),
        ([OTHER_ID], False),
    ],
)
async def test_only_identities_of_the_list(
    authority: ScriptedService, identities: list[str], accepted: bool
) -> None:
    listing = verifier(authority, *identities)
    for spelled in (CLIENT_ID, CLIENT_ID.upper()):
        for shown in (token(appid=spelled), version_2(azp=spelled)):
            if accepted:
                await listing.verify(bearer(shown))
            else:
                await assert_refused(listing, bearer(shown))


async def test_a_token_without_an_identity_is_not_in_the_list(authority: ScriptedService) -> None:
    nobody = bearer(token(appid=None, oid=None))
    await assert_refused(verifier(authority, OTHER_ID), nobody)


async def test_keys_that_cannot_be_had_are_nobodys_proof() -> None:
    def hang_up(_: Received) -> Reply:
        return HANG_UP

    with scripted_service(hang_up) as silent, pytest.raises(ProblemError) as caught:
        await verifier(silent).verify(bearer(token()))
    assert caught.value.status == 503
    assert ISSUER in caught.value.detail


async def test_nothing_is_accepted_where_nothing_is_configured(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unset = CallVerifier(UpstreamSettings())
    for headers in (Headers(), bearer(token()), signed("abc", b""), signed("", b"")):
        await assert_refused(unset, headers)
    assert "UPSTREAM_TENANT_ID and UPSTREAM_AUDIENCE" in caplog.text


async def test_a_warning_is_for_calls_that_claim_to_be_the_services(
    authority: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await assert_refused(verifier(authority), Headers())
    await assert_refused(verifier(authority), Headers({"x-asrs-connection-id": "abc"}))
    await assert_refused(verifier(authority), bearer(token(aud=OTHER_ID)))
    ours = [each.levelname for each in caplog.records if each.name == CallVerifier.__module__]
    assert ours == ["INFO", "WARNING", "WARNING"]


async def test_the_log_tells_why_without_the_token(
    authority: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    expired = token(exp=int(time.time()) - 120)
    await assert_refused(verifier(authority), bearer(expired))
    long = "a\nERROR forged line " + "x" * 500
    forged = token(kid=long, iss=long, aud=long)
    await assert_refused(verifier(authority), bearer(forged))
    await assert_refused(verifier(authority), bearer(version_2(aud=OTHER_ID)))
    ours = [each.getMessage() for each in caplog.records if each.name == CallVerifier.__module__]
    assert "ExpiredSignatureError" in ours[0]
    assert f"https://login.microsoftonline.com/{TENANT}/v2.0" in ours[2]
    assert OTHER_ID in ours[2]
    assert all("\n" not in each and len(each) < 400 for each in ours)
    assert expired.split(".")[2] not in caplog.text


def signed(connection_id: str, *keys: bytes, prefix: str = "sha256=") -> Headers:
    signatures = [
        prefix + hmac.digest(key, connection_id.encode(), hashlib.sha256).hex() for key in keys
    ]
    return Headers(
        {"x-asrs-connection-id": connection_id, "x-asrs-signature": ",".join(signatures)}
    )


def test_the_signature_of_the_reference() -> None:
    digits = "d4b71f6479906bf45cdc69c969315019a67a52deae1eab86c7a7f3d9b25cd31e"
    assert is_signed("abc", f"sha256={digits}", [ACCESS_KEY])
    assert is_signed("abc", f"SHA256={digits.upper()}", [ACCESS_KEY])
    assert is_signed("abc", f"sha256=00, sha256={digits}", [b"other", ACCESS_KEY])


@pytest.mark.parametrize(
    ("headers", "connection_id"),
    [
        (signed("abc", ACCESS_KEY), "abd"),
        (signed("abc", ACCESS_KEY), "ABC"),
        (signed("abc", ACCESS_KEY), "abc,abd"),
        (signed("abc", ACCESS_KEY), ""),
        (signed("", ACCESS_KEY), ""),
        (signed("abc", b"other"), "abc"),
        (signed("abc", b""), "abc"),
        (signed("abc", ACCESS_KEY, prefix=""), "abc"),
        (signed("abc", ACCESS_KEY, prefix="sha1="), "abc"),
        (Headers({"x-asrs-signature": ""}), "abc"),
        (Headers({"x-asrs-signature": "sha256="}), "abc"),
        (Headers({"x-asrs-signature": "sha256=ä\udcff"}), "abc\udcff"),
        (Headers(), "abc"),
    ],
)
async def test_a_signature_proves_its_own_connection_and_key_only(
    headers: Headers, connection_id: str
) -> None:
    local = CallVerifier(UpstreamSettings(access_keys=(ACCESS_KEY,)))
    await assert_refused(local, Headers(headers | {"x-asrs-connection-id": connection_id}))


async def test_one_signature_of_several_is_enough(authority: ScriptedService) -> None:
    local = CallVerifier(UpstreamSettings(access_keys=(ACCESS_KEY,)))
    await local.verify(signed("abc", b"secondary", ACCESS_KEY))
    await verifier(authority, key=ACCESS_KEY).verify(signed("abc", ACCESS_KEY))


@given(st.text(), st.text())
def test_no_other_text_is_a_signature(connection_id: str, header: str) -> None:
    assert not is_signed(connection_id, header, [ACCESS_KEY])
