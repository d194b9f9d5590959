"""Tokens that a library refuses to make, each of which would open something if one check failed."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import jwt

from tests.issuer import TestIssuer

__all__ = ["forgeries", "handmade"]


def handmade(
    header: Mapping[str, object], claims: Mapping[str, object], secret: bytes | None = None
) -> str:
    """Write a token by hand: without a signature, or signed by HMAC with any secret."""
    signed = ".".join(_encoded(json.dumps(dict(part)).encode()) for part in (header, claims))
    digest = b"" if secret is None else hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"{signed}.{_encoded(digest)}"


def forgeries(issuer: TestIssuer, elsewhere: str, claims: Mapping[str, Any]) -> dict[str, str]:
    """Return tokens that prove nothing, by what is wrong with them.

    Args:
        issuer: Whose tokens are accepted.
        elsewhere: Address of an attacker, who offers keys there.
        claims: What a good token of the issuer has besides its standard claims.
    """
    now = time.time()
    good = jwt.decode(issuer.token(**claims), options={"verify_signature": False})
    attacker = TestIssuer(url=issuer.url)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(attacker.key.public_key(), as_dict=True)
    head, payload, signature = issuer.token(**claims).split(".")
    other = _encoded(json.dumps(good | {"sub": "admin", "oid": "admin"}).encode())
    kid = issuer.key_id
    return {
        "no signature": handmade({"alg": "none", "kid": kid}, good),
        "no signature, in capitals": handmade({"alg": "NONE", "kid": kid}, good),
        "no signature, and the real algorithm": f"{head}.{payload}.",
        "the public key as a shared secret": handmade(
            {"alg": "HS256", "kid": kid}, good, issuer.public_pem()
        ),
        "an empty shared secret": handmade({"alg": "HS256", "kid": kid}, good, b""),
        "other claims under a real signature": f"{head}.{other}.{signature}",
        "the attacker's own key under the real name": attacker.token(**claims),
        "a key that it brings along": attacker.token({"jwk": jwk, "kid": "x"}, **claims),
        "a key that it points to": attacker.token({"jku": f"{elsewhere}/keys"}, **claims),
        "a chain that it points to": attacker.token({"x5u": f"{elsewhere}/keys"}, **claims),
        "a path for a key's name": attacker.token({"kid": "../../../../dev/null"}, **claims),
        "an address for a key's name": attacker.token({"kid": f"{elsewhere}/keys"}, **claims),
        "a query for a key's name": attacker.token({"kid": "' OR '1'='1"}, **claims),
        "an empty name of a key": attacker.token({"kid": ""}, **claims),
        "another issuer": issuer.token(**{**claims, "iss": elsewhere}),
        "a longer issuer": issuer.token(**{**claims, "iss": f"{good['iss']}.evil.example"}),
        "another audience": issuer.token(**{**claims, "aud": "api://other"}),
        "no audience": issuer.token(**{**claims, "aud": None}),
        "its time is over": issuer.token(**{**claims, "exp": now - 300}),
        "its time is to come": issuer.token(**{**claims, "nbf": now + 300}),
        "it never ends": issuer.token(**{**claims, "exp": None}),
        "two dots and nothing else": "..",
    }


def _encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()
