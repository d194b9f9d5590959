from base64 import urlsafe_b64decode

import jwt
import pytest

from shared.errors import InvalidArgumentError, ServiceUnavailableError, TokenTooLargeError
from shared.keys.access_key import AccessKey
from shared.keys.client_token import Claims, ClaimValue, sign_client_token
from shared.keys.connection_options import ConnectionOptions, Transports

KEY = AccessKey("key-1", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", obtained_at=1_000_000.0)
AUDIENCE = "https://contoso.service.signalr.net/client/?hub=chat"
NAME_IDENTIFIER = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
STANDARD = {"aud": AUDIENCE, "iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_060}


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


def test_unique_tokens_differ_and_say_the_same() -> None:
    said = [
        decode(sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, user_id="ann", unique=True))
        for _ in range(100)
    ]
    assert len({each.pop("jti") for each in said}) == 100
    assert said == [STANDARD | {"asrs.s.uid": "ann"}] * 100


def test_an_anonymous_token_has_no_user_id() -> None:
    assert "asrs.s.uid" not in decode(sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60))


@pytest.mark.parametrize("late", [0.0, 0.9, 7_200.0])
def test_a_key_that_has_ended_signs_nothing(late: float) -> None:
    with pytest.raises(ServiceUnavailableError, match="has just ended"):
        sign_client_token(KEY, AUDIENCE, now=KEY.expires_at + late, lifetime=3600)


def test_a_token_that_would_end_at_once_is_not_made() -> None:
    with pytest.raises(InvalidArgumentError, match="minutes_to_expire is less than a second"):
        sign_client_token(KEY, AUDIENCE, now=1_000_000.0, lifetime=0.5)


def test_token_never_outlives_its_key() -> None:
    late = KEY.obtained_at + 80 * 60
    token = sign_client_token(KEY, AUDIENCE, now=late, lifetime=3600)
    assert decode(token)["exp"] == KEY.obtained_at + 90 * 60


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, {}),
        ([], {}),
        ({"iss": "A", "jti": "B"}, {"asrs.u.iss": "A", "asrs.u.jti": "B"}),
        ([("iss", "A"), ("jti", "B")], {"asrs.u.iss": "A", "asrs.u.jti": "B"}),
        ([("role", "x"), ("name", "n"), ("role", "y")], {"role": ["x", "y"], "name": "n"}),
        ([("role", 1), ("role", 1), ("role", "z")], {"role": [1, 1, "z"]}),
        ([("aud", "a"), ("aud", "b")], {"asrs.u.aud": ["a", "b"]}),
        (
            [("dummy", "d"), ("name", "n"), ("role", "r"), ("aud", "a")],
            {"dummy": "d", "name": "n", "role": "r", "asrs.u.aud": "a"},
        ),
        (
            [(name, "x") for name in ("aud", "exp", "iat", "nbf", "iss", "actort")],
            {f"asrs.u.{name}": "x" for name in ("aud", "exp", "iat", "nbf", "iss", "actort")},
        ),
        (
            [(name, "x") for name in ("acr", "azp", "c_hash", "jti", "nonce")],
            {f"asrs.u.{name}": "x" for name in ("acr", "azp", "c_hash", "jti", "nonce")},
        ),
        ({"role": ["x", "y"], "Aud": "kept"}, {"role": ["x", "y"], "Aud": "kept"}),
        ({"exp": 1, "nonce": "n"}, {"asrs.u.exp": 1, "asrs.u.nonce": "n"}),
        ({"name": "Zoë"}, {"name": "Zoë"}),
    ],
)
def test_claims_with_reserved_names_are_renamed(
    claims: Claims, expected: dict[str, ClaimValue]
) -> None:
    token = sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims)
    assert decode(token) == STANDARD | expected
    token = sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims, user_id="C")
    assert decode(token) == STANDARD | {"asrs.s.uid": "C"} | expected


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"sub": "A"}, {"sub": "A"}),
        ([("sub", "A")], {"sub": "A"}),
        ([("sub", "A"), ("sub", "B")], {"sub": "A", "asrs.u.sub": "B"}),
        ([("sub", "A"), ("sub", "B"), ("sub", "C")], {"sub": "A", "asrs.u.sub": ["B", "C"]}),
        ({"nameid": "A"}, {"nameid": "A"}),
        ({NAME_IDENTIFIER: "A"}, {NAME_IDENTIFIER: "A"}),
    ],
)
def test_claims_that_name_a_user_need_a_user_id(
    claims: Claims, expected: dict[str, ClaimValue]
) -> None:
    token = sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims, user_id="C")
    assert decode(token) == STANDARD | {"asrs.s.uid": "C"} | expected
    with pytest.raises(InvalidArgumentError, match=r"^claims '.*user_id"):
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims)


def test_claims_stand_in_the_order_in_which_they_came() -> None:
    claims = [("jti", "B"), ("z", "1"), ("iss", "A"), ("z", "2")]
    token = sign_client_token(
        KEY,
        AUDIENCE,
        now=1e6,
        lifetime=60,
        user_id="C",
        claims=iter(claims),
        system_claims=ConnectionOptions(transports=Transports.WEB_SOCKETS).claims(),
    )
    assert list(decode(token)) == [
        "aud", "iat", "nbf", "exp", "asrs.s.uid", "asrs.s.htt", "asrs.u.jti", "z", "asrs.u.iss",
    ]  # fmt: skip
    assert decode(token)["z"] == ["1", "2"]


def test_an_empty_user_id_is_told() -> None:
    token = sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, user_id="")
    assert decode(token) == STANDARD | {"asrs.s.uid": ""}


def test_options_of_the_connection_are_claims_of_the_service() -> None:
    options = ConnectionOptions(close_at=1_000_030, handshake_timeout=20)
    token = sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, system_claims=options.claims())
    assert decode(token) == STANDARD | {
        "asrs.s.coae": "true",
        "asrs.s.aeo": "1000030",
        "asrs.s.cht": "20",
    }
    plain = sign_client_token(
        KEY, AUDIENCE, now=1e6, lifetime=60, system_claims=ConnectionOptions().claims()
    )
    assert decode(plain) == STANDARD


def test_a_key_without_an_id_signs_without_one() -> None:
    key = AccessKey("", KEY.secret, obtained_at=1e6, lifetime=float("inf"))
    token = sign_client_token(key, AUDIENCE, now=1e6, lifetime=60)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert decode(token) == STANDARD


def test_a_caller_cannot_set_the_services_own_claims() -> None:
    with pytest.raises(InvalidArgumentError, match=r"asrs\.s\.uid"):
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims={"asrs.s.uid": "admin"})


@pytest.mark.parametrize("name", ["asrs.s.uid", "asrs.s.coae", "asrs.s."])
def test_nor_as_pairs(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^claims 'asrs\.s\."):
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=[("a", 1), (name, "x")])


def test_a_user_id_that_is_no_text() -> None:
    with pytest.raises(InvalidArgumentError, match="half of a surrogate pair"):
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, user_id="\ud800")


def test_a_hundred_claims_are_too_many() -> None:
    claims = [(f"ClaimSubject{n}", f"ClaimValue{n}") for n in range(100)]
    with pytest.raises(TokenTooLargeError):
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "['x'] is NaN"),
        (["a", "\ud800"], "['x'][1] contains half of a surrogate pair"),
        ({"y": {"\ud800": 1}}, "['x']['y'] has a key that contains half of a surrogate pair"),
    ],
)
def test_claims_that_are_no_json(value: ClaimValue, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims={"x": value})
    assert str(caught.value) == f"claims cannot be written as JSON: {problem}"


def test_a_token_over_4096_bytes_names_the_largest_claims() -> None:
    claims: dict[str, ClaimValue] = {"small": "s", "photo": "p" * 3000, "groups": ["g" * 40] * 20}
    with pytest.raises(TokenTooLargeError) as caught:
        sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims=claims)
    assert caught.value.largest_claims[:2] == ("photo", "groups")
    assert "4096" in str(caught.value)
    assert "ppp" not in str(caught.value)


def test_4096_bytes_are_accepted_and_not_one_more() -> None:
    lengths = set()
    for size in range(2800, 2900):
        try:
            token = sign_client_token(KEY, AUDIENCE, now=1e6, lifetime=60, claims={"x": "y" * size})
        except TokenTooLargeError as error:
            assert error.size > 4096
        else:
            lengths.add(len(token))
    assert max(lengths) == 4096


def test_secrets_do_not_show() -> None:
    assert "ABCDEF" not in repr(KEY)
    assert "key-1" in repr(KEY)
