"""Bearer tokens of an issuer that is asked over HTTP."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import ServiceUnavailableError
from shared.functions.bearer import BearerVerifier, InvalidTokenError, Issuer
from tests.issuer import AUDIENCE, TestIssuer, running_issuer
from tests.scripted_service import HANG_UP, Reply, scripted_service


@pytest.fixture(scope="module")
def issuer() -> Iterator[TestIssuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def verifier(issuer: TestIssuer) -> BearerVerifier:
    return BearerVerifier(Issuer(issuer.url, (AUDIENCE, "other")))


def refused(verifier: BearerVerifier, token: str) -> str:
    with pytest.raises(InvalidTokenError) as caught:
        verifier.verify(token)
    return str(caught.value)


def test_a_valid_token_gives_its_claims(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    assert verifier.verify(issuer.token(roles=["a"]))["roles"] == ["a"]
    assert verifier.verify(issuer.token(aud=["x", "other"]))["sub"] == "ann"


def test_keys_are_asked_for_once() -> None:
    with running_issuer() as issuer:
        verifier = BearerVerifier(Issuer(issuer.url, (AUDIENCE,)))
        for _ in range(3):
            verifier.verify(issuer.token())
        assert issuer.requests == ["/.well-known/openid-configuration", "/keys"]


def test_keys_can_have_an_address_of_their_own() -> None:
    with running_issuer() as issuer:
        elsewhere = Issuer("https://issuer.example", (AUDIENCE,), f"{issuer.url}/keys")
        claims = BearerVerifier(elsewhere).verify(issuer.token(iss="https://issuer.example"))
        assert claims["iss"] == "https://issuer.example"
        assert issuer.requests == ["/keys"]


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "iss"),
        ({"aud": "api://other"}, "udience"),
        ({"aud": None}, "aud"),
        ({"exp": time.time() - 61}, "expired"),
        ({"exp": None}, "exp"),
        ({"nbf": time.time() + 3600}, "not yet valid"),
    ],
)
def test_claims_that_prove_nothing(
    issuer: TestIssuer, verifier: BearerVerifier, claims: dict[str, object], said: str
) -> None:
    assert said in refused(verifier, issuer.token(**claims))


def test_clocks_may_differ_by_a_minute(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    now = time.time()
    verifier.verify(issuer.token(exp=now - 50))
    verifier.verify(issuer.token(nbf=now + 50))


def test_alg_none_is_refused(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    _, payload, _ = issuer.token().split(".")
    header = base64url(json.dumps({"alg": "none", "kid": issuer.key_id}).encode())
    assert "alg value is not allowed" in refused(verifier, f"{header}.{payload}.")


def test_the_public_key_is_no_shared_secret(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    _, payload, _ = issuer.token().split(".")
    header = base64url(json.dumps({"alg": "HS256", "kid": issuer.key_id}).encode())
    signed = f"{header}.{payload}"
    mac = hmac.new(issuer.public_pem(), signed.encode(), hashlib.sha256).digest()
    assert "alg value is not allowed" in refused(verifier, f"{signed}.{base64url(mac)}")


def test_another_key_under_the_same_name_is_refused(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    other = TestIssuer(url=issuer.url, key_id=issuer.key_id)
    assert "ignature" in refused(verifier, other.token())


def test_the_token_cannot_bring_its_own_key(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    other = TestIssuer(url=issuer.url, key_id=issuer.key_id)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(other.key.public_key(), as_dict=True)
    refused(verifier, other.token(headers={"jwk": jwk, "jku": "http://127.0.0.1:9/keys"}))


def test_an_unknown_key_is_refused(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    refused(verifier, issuer.token(headers={"kid": "another"}))


def test_unknown_keys_do_not_flood_the_issuer() -> None:
    with running_issuer() as issuer:
        verifier = BearerVerifier(Issuer(issuer.url, (AUDIENCE,)))
        verifier.verify(issuer.token())
        for number in range(20):
            refused(verifier, issuer.token(headers={"kid": f"made-up-{number}"}))
        assert issuer.requests.count("/keys") == 1


def test_a_new_key_of_the_issuer_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_issuer() as issuer:
        verifier = BearerVerifier(Issuer(issuer.url, (AUDIENCE,)))
        verifier.verify(issuer.token())
        issuer.rotate()
        later = time.monotonic() + 31
        monkeypatch.setattr("jwt.jwks_client.time.monotonic", lambda: later)
        verifier.verify(issuer.token())


def test_an_issuer_that_is_down_is_no_proof_against_the_caller() -> None:
    with scripted_service(lambda _: Reply(503)) as down:
        verifier = BearerVerifier(Issuer(down.url, (AUDIENCE,)))
        with pytest.raises(ServiceUnavailableError, match=down.url):
            verifier.verify(TestIssuer(url=down.url).token())


def test_an_issuer_that_hangs_up_is_no_proof_against_the_caller_either() -> None:
    with scripted_service(lambda _: HANG_UP) as rude:
        verifier = BearerVerifier(Issuer(rude.url, (AUDIENCE,)))
        with pytest.raises(ServiceUnavailableError, match=rude.url):
            verifier.verify(TestIssuer(url=rude.url).token())


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_refused(verifier: BearerVerifier, text: str) -> None:
    refused(verifier, text)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
