"""Bearer tokens of an issuer that is asked over HTTP."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.functions.issuers.bearer import BearerVerifier, InvalidTokenError, Issuer
from tests.issuer import AUDIENCE, TestIssuer, running_issuer


@pytest.fixture(scope="module")
def issuer() -> Iterator[TestIssuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def verifier(issuer: TestIssuer) -> BearerVerifier:
    return BearerVerifier([Issuer(issuer.url, (AUDIENCE, "other"))])


async def refused(verifier: BearerVerifier, token: str) -> str:
    with pytest.raises(InvalidTokenError) as caught:
        await verifier.verify(token)
    return str(caught.value)


async def test_a_valid_token_gives_its_claims(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    assert (await verifier.verify(issuer.token(roles=["a"])))["roles"] == ["a"]
    assert (await verifier.verify(issuer.token(aud=["x", "other"])))["sub"] == "ann"


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
async def test_claims_that_prove_nothing(
    issuer: TestIssuer, verifier: BearerVerifier, claims: dict[str, object], said: str
) -> None:
    assert said in await refused(verifier, issuer.token(**claims))


async def test_clocks_may_differ_by_a_minute(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    now = time.time()
    await verifier.verify(issuer.token(exp=now - 50))
    await verifier.verify(issuer.token(nbf=now + 50))


async def test_alg_none_is_refused(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    _, payload, _ = issuer.token().split(".")
    header = base64url(json.dumps({"alg": "none", "kid": issuer.key_id}).encode())
    assert "alg value is not allowed" in await refused(verifier, f"{header}.{payload}.")


async def test_the_public_key_is_no_shared_secret(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    _, payload, _ = issuer.token().split(".")
    header = base64url(json.dumps({"alg": "HS256", "kid": issuer.key_id}).encode())
    signed = f"{header}.{payload}"
    mac = hmac.new(issuer.public_pem(), signed.encode(), hashlib.sha256).digest()
    assert "alg value is not allowed" in await refused(verifier, f"{signed}.{base64url(mac)}")


async def test_another_key_under_the_same_name_is_refused(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    other = TestIssuer(url=issuer.url, key_id=issuer.key_id)
    assert "ignature" in await refused(verifier, other.token())


async def test_the_token_cannot_bring_its_own_key(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    other = TestIssuer(url=issuer.url, key_id=issuer.key_id)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(other.key.public_key(), as_dict=True)
    await refused(verifier, other.token(headers={"jwk": jwk, "jku": "http://127.0.0.1:9/keys"}))


async def test_an_unknown_key_is_refused(issuer: TestIssuer, verifier: BearerVerifier) -> None:
    await refused(verifier, issuer.token(headers={"kid": "another"}))


async def test_each_issuer_has_keys_and_audiences_of_its_own(issuer: TestIssuer) -> None:
    with running_issuer() as other:
        verifier = BearerVerifier([Issuer(issuer.url, (AUDIENCE,)), Issuer(other.url, ("b",))])
        assert (await verifier.verify(issuer.token()))["iss"] == issuer.url
        assert other.requests == []
        assert (await verifier.verify(other.token(aud="b")))["iss"] == other.url
        for token in (other.token(), issuer.token(aud="b")):
            assert "InvalidAudienceError" in await refused(verifier, token)
        for token in (other.token(iss=issuer.url), issuer.token(iss=other.url, aud="b")):
            assert "ignature" in await refused(verifier, token)


async def test_a_token_of_nobody_known_asks_nobody() -> None:
    with running_issuer() as issuer:
        verifier = BearerVerifier([Issuer(issuer.url, (AUDIENCE,))])
        for name in (f"{issuer.url}/", f"{issuer.url}x", issuer.url.upper(), None):
            assert "InvalidIssuerError" in await refused(verifier, issuer.token(iss=name))
        assert issuer.requests == []


@pytest.mark.parametrize("token", [{"aud": "api://x"}, {"headers": {"kid": "another"}}])
async def test_a_refusal_names_whose_token_it_was_and_for_whom(
    issuer: TestIssuer, verifier: BearerVerifier, token: dict[str, Any]
) -> None:
    reason = await refused(verifier, issuer.token(**token))
    assert f"its iss is '{issuer.url}', its aud '{token.get('aud', AUDIENCE)}'" in reason


async def test_what_a_token_says_of_itself_is_quoted_and_cut(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    long = "\nERROR forged" + "x" * 1000
    token = issuer.token(aud=[long, long], headers={"kid": long})
    reason = await refused(verifier, token)
    assert reason.count("forged") == 2
    assert "\n" not in reason
    assert len(reason) < 350


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_any_text_is_refused(verifier: BearerVerifier, text: str) -> None:
    await refused(verifier, text)


def altered(token: str, part: int, changes: dict[str, Any]) -> str:
    """Change the header (0) or the claims (1) of a token, and leave its signature."""
    parts = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    parts[part] = base64url(json.dumps(said | changes).encode())
    return ".".join(parts)


def unsigned(token: str) -> str:
    return token.rpartition(".")[0] + "."


ATTACKS: Final[dict[str, Callable[[str], str]]] = {
    "no algorithm": lambda token: unsigned(altered(token, 0, {"alg": "none"})),
    "no algorithm, signed": lambda token: altered(token, 0, {"alg": "none"}),
    "another algorithm": lambda token: altered(token, 0, {"alg": "PS256"}),
    "a secret's algorithm": lambda token: altered(token, 0, {"alg": "HS256"}),
    "an algorithm of no text": lambda token: altered(token, 0, {"alg": ["RS256"]}),
    "no signature": unsigned,
    "two segments": lambda token: token.rpartition(".")[0],
    "four segments": lambda token: f"{token}.{token.rpartition('.')[2]}",
    "the end of the signature": lambda token: token[:-8],
    "another key": lambda token: altered(token, 0, {"kid": "another"}),
    "a key of no text": lambda token: altered(token, 0, {"kid": ["key-1"]}),
    "more in the header": lambda token: altered(token, 0, {"x": 1}),
    "another user": lambda token: altered(token, 1, {"sub": "ben"}),
    "another audience": lambda token: altered(token, 1, {"aud": "other"}),
    "another issuer": lambda token: altered(token, 1, {"iss": "https://evil.example"}),
    "a longer life": lambda token: altered(token, 1, {"exp": 4_000_000_000}),
    "no end": lambda token: altered(token, 1, {"exp": None}),
    "a line end": lambda token: f"{token}\n",
    "a space in the claims": lambda token: token.replace(".", ". ", 1),
    "a letter of no alphabet": lambda token: token.replace(".", ".ä", 1),
    "claims that are no object": lambda token: ".".join(
        [token.split(".")[0], base64url(b"[]"), token.split(".")[2]]
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_what_was_made_of_a_token_is_refused_however_well_that_is_known(
    issuer: TestIssuer, attack: Callable[[str], str]
) -> None:
    verifier = BearerVerifier([Issuer(issuer.url, (AUDIENCE, "other"))])
    token = issuer.token()
    for _ in range(2):
        await refused(verifier, attack(token))
        assert (await verifier.verify(token))["sub"] == "ann"


async def test_a_token_that_is_known_ends_when_it_says(
    issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 0.0

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:  # noqa: ANN401  as there
            return datetime.now(tz) + timedelta(seconds=ahead)

    monkeypatch.setattr("jwt.api_jwt.datetime", Moved)
    verifier = BearerVerifier([Issuer(issuer.url, (AUDIENCE,))], wall=lambda: time.time() + ahead)
    token = issuer.token(exp=time.time() + 600)
    await verifier.verify(token)
    ahead = 650.0
    await verifier.verify(token)
    ahead = 670.0
    assert "expired" in await refused(verifier, token)
    ahead = 0.0
    await verifier.verify(token)
    ahead = -3600.0
    assert "not yet valid" in await refused(verifier, token)


async def test_a_token_that_is_known_ends_with_its_issuers_key() -> None:
    now = 0.0
    with running_issuer() as issuer:
        verifier = BearerVerifier([Issuer(issuer.url, (AUDIENCE,))], steady=lambda: now)
        token = issuer.token()
        await verifier.verify(token)
        issuer.key = TestIssuer().key
        await verifier.verify(token)
        now = 301.0
        assert "ignature" in await refused(verifier, token)
        issuer.rotate()
        now = 700.0
        assert "has no key" in await refused(verifier, token)


async def test_who_changes_claims_changes_those_of_nobody_else(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    token = issuer.token(roles=["reader"])
    for _ in range(3):
        claims = await verifier.verify(token)
        assert claims["roles"] == ["reader"]
        claims["roles"].append("admin")


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
