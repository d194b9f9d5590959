from typing import Any

import jwt
import pytest
from signalr_emulator.authentication.access_keys import AccessKey, AccessKeys
from signalr_emulator.authentication.client_tokens import client_audiences, validate_client_token
from signalr_emulator.clock import Clock
from signalr_emulator.documents.json_text import Json
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.errors import AuthenticationError

from emulator.tests.conftest import NOW

NAME_IDENTIFIER = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
AUDIENCES = client_audiences(
    "http", frozenset({"127.0.0.1", "localhost"}), frozenset({"8888"}), "Chat"
)


@pytest.fixture
def keys(clock: Clock) -> AccessKeys:
    return AccessKeys(clock, bytes(32))


def signed(
    key: AccessKey,
    *,
    algorithm: str = "HS256",
    kid: str | None = None,
    **changes: Json,
) -> str:
    claims = {
        "aud": "http://127.0.0.1/client/?hub=chat",
        "nbf": int(NOW),
        "exp": int(NOW) + 60,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key.secret, algorithm, headers={"kid": kid or key.key_id})


def test_audiences_with_and_without_port() -> None:
    assert {
        "http://127.0.0.1/client/?hub=chat",
        "http://127.0.0.1:8888/client/?hub=chat",
        "http://localhost/client/?hub=chat",
        "http://localhost:8888/client/?hub=chat",
    } == AUDIENCES


@pytest.mark.parametrize(
    ("claims", "user_id"),
    [
        ({}, None),
        ({"asrs.s.uid": "ann"}, "ann"),
        ({"nameid": "ben"}, "ben"),
        ({"asrs.s.uid": "ann", "nameid": "ben"}, "ann"),
        ({"asrs.s.uid": "", "nameid": "ben"}, ""),
        ({"nameid": ["ben", "carl"]}, "ben"),
        ({"sub": "dora"}, "dora"),
        ({"sub": "dora", "nameid": "ben"}, "dora"),
        ({"nameid": "ben", "sub": "dora"}, "ben"),
        ({NAME_IDENTIFIER: "emil"}, "emil"),
        ({"asrs.s.uid": "ann", "sub": "dora"}, "ann"),
        ({"asrs.s.uid": "", "sub": "dora"}, ""),
        ({"aud": "HTTP://LOCALHOST:8888/client/?hub=CHAT"}, None),
        ({"aud": ["other", "http://localhost/client/?hub=chat"]}, None),
        ({"nbf": None}, None),
        ({"algorithm": "HS512"}, None),
    ],
)
def test_valid_tokens(
    keys: AccessKeys, clock: Clock, claims: dict[str, Any], user_id: str | None
) -> None:
    token = signed(keys.issue(), **claims)
    identity = validate_client_token(token, audiences=AUDIENCES, keys=keys, clock=clock)
    assert identity.user_id == user_id


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "http://127.0.0.1/client/?hub=news"},
        {"aud": "https://127.0.0.1/client/?hub=chat"},
        {"aud": "http://127.0.0.1/client?hub=chat"},
        {"aud": "http://127.0.0.1:80/client/?hub=chat"},
        {"aud": "http://example.com/client/?hub=chat"},
        {"aud": None},
        {"exp": int(NOW)},
        {"exp": None},
        {"nbf": int(NOW) + 1},
        {"algorithm": "HS384"},
        {"kid": "unknown"},
    ],
    ids=str,
)
def test_wrong_tokens(keys: AccessKeys, clock: Clock, changes: dict[str, Any]) -> None:
    token = signed(keys.issue(), **changes)
    with pytest.raises(AuthenticationError):
        validate_client_token(token, audiences=AUDIENCES, keys=keys, clock=clock)


def test_key_has_to_be_alive_and_the_one_that_signed(keys: AccessKeys, clock: Clock) -> None:
    key = keys.issue()
    other = keys.issue()
    token = signed(key, exp=int(NOW) + 100_000)
    forged = signed(other, kid=key.key_id)
    with pytest.raises(AuthenticationError):
        validate_client_token(forged, audiences=AUDIENCES, keys=keys, clock=clock)
    validate_client_token(token, audiences=AUDIENCES, keys=keys, clock=clock)
    clock.advance(90 * 60)
    with pytest.raises(AuthenticationError):
        validate_client_token(token, audiences=AUDIENCES, keys=keys, clock=clock)


def test_the_tenant_signs_no_client_tokens(
    keys: AccessKeys, clock: Clock, signing_key: SigningKey
) -> None:
    claims = {"aud": "http://127.0.0.1/client/?hub=chat", "exp": int(NOW) + 60}
    for key_id in (keys.issue().key_id, signing_key.key_id):
        token = jwt.encode(claims, signing_key.private_key, "RS256", headers={"kid": key_id})
        with pytest.raises(AuthenticationError):
            validate_client_token(token, audiences=AUDIENCES, keys=keys, clock=clock)


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "é.é.é", jwt.encode({}, "k" * 32, "HS256")])
def test_what_is_no_token(keys: AccessKeys, clock: Clock, token: str) -> None:
    with pytest.raises(AuthenticationError):
        validate_client_token(token, audiences=AUDIENCES, keys=keys, clock=clock)
