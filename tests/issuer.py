"""An OpenID Connect issuer on a free port, with real keys that can be rotated."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.scripted_service import Received, Reply, scripted_service

AUDIENCE = "api://chat"
DESCRIPTION = "/.well-known/openid-configuration"
KEYS = "/keys"


def _new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class TestIssuer:
    """Issues tokens.

    Attributes:
        url: Its address, which is its `iss`.
        requests: Paths that were asked for.
        replies: What it answers instead, by path.
    """

    __test__ = False

    url: str = ""
    requests: list[str] = field(default_factory=list)
    key: RSAPrivateKey = field(default_factory=_new_key)
    key_id: str = "key-1"
    replies: dict[str, Reply] = field(default_factory=dict)

    @property
    def app_settings(self) -> dict[str, str]:
        """The settings of an app whose callers show its tokens."""
        return {
            "NEGOTIATE_IDENTITY": "oidc",
            "NEGOTIATE_OIDC_ISSUER": self.url,
            "NEGOTIATE_OIDC_AUDIENCE": AUDIENCE,
        }

    def rotate(self) -> None:
        self.key, self.key_id = _new_key(), f"{self.key_id}x"

    def public_pem(self) -> bytes:
        form = PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(Encoding.PEM, form)

    def public_jwk(self) -> dict[str, Any]:
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return jwk | {"kid": self.key_id, "use": "sig"}

    def token(self, headers: Any = None, **claims: Any) -> str:  # noqa: ANN401  JSON
        """Sign claims; those that are `None` are left out."""
        now = time.time()
        standard = {"iss": self.url, "aud": AUDIENCE, "sub": "ann", "exp": now + 600, "nbf": now}
        given = {name: value for name, value in (standard | claims).items() if value is not None}
        return jwt.encode(
            given, self.key, algorithm="RS256", headers={"kid": self.key_id, **(headers or {})}
        )

    def answer(self, request: Received) -> Reply:
        self.requests.append(request.path)
        if request.path in self.replies:
            return self.replies[request.path]
        if request.path == DESCRIPTION:
            description = {"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"}
            return Reply(200, body=json.dumps(description).encode())
        keys = json.dumps({"keys": [self.public_jwk()]}).encode()
        return Reply(200, {"Content-Type": "application/json"}, keys)


@contextmanager
def running_issuer() -> Iterator[TestIssuer]:
    issuer = TestIssuer()
    with scripted_service(issuer.answer) as service:
        issuer.url = service.url
        yield issuer
