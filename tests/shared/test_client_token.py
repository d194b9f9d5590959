from base64 import urlsafe_b64decode

import jwt
import pytest

from shared.access_key import AccessKey
from shared.client_token import ClaimValue, sign_client_token
from shared.errors import InvalidArgumentError, TokenTooLargeError

KEY = AccessKey("key-1", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", obtained_at=1_000_000.0)
AUDIENCE = "https://contoso.service.signalr.net/client/?hub=chat"


def decode(token: str) -> dict[str, object]:
    """Verify with PyJWT's own front door, as any other party would."""
    claims: dict[str, object] = jwt.decode(
        token,
        KEY.secret,
        algorithms=["HS256"],
        audience=AUDIENCE,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    return claims


def test_header_claims_and_signature() -> None:
    token = sign_client_token(KEY, AUDIENCE, now=1_000_100.9, lifetime=3600, user_id="ann")
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": "key-1", "typ": "JWT"}
    assert decode(token) == {
        "aud": AUDIENCE,
        "iat": 1_000_100,
        "nbf": 1_000_100,
        "exp": 1_003_700,
        "asrs.s.uid": "ann",
    }


def test_exact_bytes() -> None:
    token = sign_client_token(KEY, "https://a.bc/client/?hub=h", now=1_000_000, lifetime=60)
    header, payload, _ = (urlsafe_b64decode(part + "==") for part in token.split("."))
    assert header == b'{"alg":"HS256","kid":"key-1","typ":"JWT"}'
    assert payload == (
        b'{"aud":"https://a.bc/client/?hub=h","iat":1000000,"nbf":1000000,"exp":1000060}'
    )
    assert "=" not in token


def test_an_anonymous_token_has_no_user_id() -> None:
    assert "asrs.s.uid" not in decode(sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60))


def test_token_never_outlives_its_key() -> None:
    late = KEY.obtained_at + 80 * 60
    token = sign_client_token(KEY, AUDIENCE, now=late, lifetime=3600)
    assert decode(token)["exp"] == KEY.obtained_at + 90 * 60


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "A", "jti": "B"}, {"asrs.u.iss": "A", "asrs.u.jti": "B"}),
        ({"sub": "A"}, {"sub": "A"}),
        ({"role": ["x", "y"], "Aud": "kept"}, {"role": ["x", "y"], "Aud": "kept"}),
        ({"exp": 1, "nonce": "n"}, {"asrs.u.exp": 1, "asrs.u.nonce": "n"}),
        ({"name": "Zoë"}, {"name": "Zoë"}),
    ],
)
def test_claims_with_reserved_names_are_renamed(
    claims: dict[str, ClaimValue], expected: dict[str, ClaimValue]
) -> None:
    token = sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims)
    standard = {"aud": AUDIENCE, "iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_060}
    assert decode(token) == standard | expected


def test_a_caller_cannot_set_the_services_own_claims() -> None:
    with pytest.raises(InvalidArgumentError, match=r"asrs\.s\.uid"):
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims={"asrs.s.uid": "admin"})


@pytest.mark.parametrize("value", [float("nan"), "\ud800"])
def test_claims_that_are_no_json(value: ClaimValue) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^claims "):
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims={"x": value})


def test_a_token_over_4096_bytes_names_the_largest_claims() -> None:
    claims: dict[str, ClaimValue] = {"small": "s", "photo": "p" * 3000, "groups": ["g" * 40] * 20}
    with pytest.raises(TokenTooLargeError) as caught:
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims)
    assert caught.value.largest_claims[:2] == ("photo", "groups")
    assert "4096" in str(caught.value)
    assert "ppp" not in str(caught.value)


def test_4096_bytes_are_accepted() -> None:
    longest = max(
        len(sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims={"x": "y" * size}))
        for size in range(2800, 2830)
    )
    assert longest <= 4096


def test_secrets_do_not_show() -> None:
    assert "ABCDEF" not in repr(KEY)
    assert "key-1" in repr(KEY)
