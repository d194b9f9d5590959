import jwt
import pytest

from shared.identity.token import Token
from shared.keys.access_key import KeyState
from shared.keys.local import LocalKey, LocalTokens

SECRET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        (
            "http://localhost:8888/api/hubs/chat/:send?excluded=a&api-version=2022-06-01",
            "http://localhost/api/hubs/chat/:send",
        ),
        ("http://127.0.0.1:8888/api/v1/auth/accessKey", "http://127.0.0.1/api/v1/auth/accessKey"),
        (
            "http://[::1]:8888/api/hubs/chat/groups/a%2Fb",
            "http://[::1]/api/hubs/chat/groups/a%2Fb",
        ),
    ],
)
def test_a_request_gets_a_token_for_its_own_address(url: str, audience: str) -> None:
    token = LocalTokens(LocalKey(SECRET), clock=lambda: 1_000_000.5).get(url)
    assert token.expires_at == 1_000_300.5
    assert jwt.get_unverified_header(token.value) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(
        token.value,
        SECRET,
        algorithms=["HS256"],
        audience=audience,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert claims == {"aud": audience, "iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_300}


def test_a_rejected_token_is_followed_by_one_of_the_same_key() -> None:
    tokens = LocalTokens(LocalKey(SECRET), clock=lambda: 1_000_000.0)
    rejected = tokens.get("http://localhost/api/health")
    assert tokens.get("http://localhost/api/health", rejected) == Token(rejected.value, 1_000_300.0)


async def test_the_key_is_at_hand_for_everybody_and_never_ends() -> None:
    key = LocalKey(SECRET)
    assert key.current() is key.get() is await key.get_async()
    assert key.current().secret == SECRET.encode()
    assert key.state == KeyState(None, None, float("inf"), None)
    key.after_fork()
    key.close()
    assert key.current().expires_at == float("inf")


def test_the_key_does_not_show() -> None:
    key = LocalKey(SECRET)
    assert SECRET not in repr(key) + repr(key.current()) + repr(LocalTokens(key))
