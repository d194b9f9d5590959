"""Tokens that come again: what was found of the signature is remembered, and nothing else."""

import base64
import json
from collections.abc import Callable
from typing import Any, Final

import jwt
import pytest
from signalr_emulator import Clock
from signalr_emulator.authentication.access_keys import EMULATOR_KEY

from emulator.tests.conftest import NOW
from emulator.tests.wire import API_VERSION, Wire

SEND = "/api/hubs/chat/users/ann/:send"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


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
    "another algorithm": lambda token: altered(token, 0, {"alg": "HS384"}),
    "an algorithm of the other kind": lambda token: altered(
        token, 0, {"alg": "HS256" if "UlMyNTY" in token else "RS256"}
    ),
    "an algorithm of no text": lambda token: altered(token, 0, {"alg": ["HS256"]}),
    "no signature": unsigned,
    "the end of the signature": lambda token: token[:-8],
    "a key of no text": lambda token: altered(token, 0, {"kid": ["key"]}),
    "another key": lambda token: altered(token, 0, {"kid": "another"}),
    "another user": lambda token: altered(token, 1, {"oid": "ben", "sub": "ben"}),
    "another audience": lambda token: altered(token, 1, {"aud": "http://localhost/"}),
    "another issuer": lambda token: altered(token, 1, {"iss": "https://evil.example"}),
    "a longer life": lambda token: altered(token, 1, {"exp": 4_000_000_000}),
    "a letter of no alphabet": lambda token: token.replace(".", ".!", 1),
    "claims that are no object": lambda token: ".".join(
        [token.split(".")[0], base64url(b"[]"), token.split(".")[2]]
    ),
    "a header that is no object": lambda token: base64url(b"[]") + token[token.index(".") :],
}


def by_access_key(**claims: Any) -> str:  # noqa: ANN401  JSON
    said = {"aud": f"http://localhost{SEND}", "exp": int(NOW) + 60, **claims}
    return jwt.encode(said, EMULATOR_KEY, "HS256")


async def send(wire: Wire, token: str, user: str = "ann") -> int:
    path = f"{SEND.replace('ann', user)}?api-version={API_VERSION}"
    return (await wire.rest("POST", path, body={"target": "t"}, token=token)).status


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("kind", ["Entra", "access key"])
async def test_what_was_made_of_a_known_token_is_refused(
    wire: Wire, kind: str, attack: Callable[[str], str]
) -> None:
    token = await wire.entra_token() if kind == "Entra" else by_access_key()
    for _ in range(2):
        assert await send(wire, token) == 202
        assert await send(wire, attack(token)) == 401


@pytest.mark.parametrize("kind", ["Entra", "access key"])
async def test_a_known_token_ends_when_it_says(wire: Wire, clock: Clock, kind: str) -> None:
    token = await wire.entra_token() if kind == "Entra" else by_access_key(exp=int(NOW) + 86_400)
    assert await send(wire, token) == 202
    clock.advance(86_399)
    assert await send(wire, token) == 202
    clock.advance(1)
    assert await send(wire, token) == 401


async def test_a_known_token_is_for_its_url_alone(wire: Wire) -> None:
    token = by_access_key()
    assert await send(wire, token) == 202
    assert await send(wire, token, "ben") == 401


async def test_a_known_client_token_ends_with_its_key(wire: Wire) -> None:
    key, key_id = await wire.access_key()
    claims = {"aud": "http://localhost/client/?hub=chat", "exp": int(NOW) + 60}
    token = jwt.encode(claims, key, "HS256", headers={"kid": key_id})
    assert (await wire.negotiate(token=token)).status == 200
    assert wire.emulator.service.resources[0].access_keys.revoke(key_id)
    assert (await wire.negotiate(token=token)).status == 401
