"""What the .NET SDK does with a connection string: it finds the service and signs tokens.

Source: Azure SignalR .NET SDK. Signing is written out, so that it is no check of PyJWT by itself.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from signalr_emulator.documents.json_text import Json

_HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """The parts of a connection string that matter here."""

    endpoint: str
    port: int
    access_key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        pairs = (part.split("=", 1) for part in text.split(";") if part)
        fields = {name.strip().lower(): value.strip() for name, value in pairs}
        return cls(fields["endpoint"], int(fields["port"]), fields["accesskey"])

    @property
    def url(self) -> str:
        return f"{self.endpoint}:{self.port}"

    def token(
        self,
        audience: str,
        claims: dict[str, Json],
        *,
        algorithm: str = "HS256",
        kid: str | None = None,
    ) -> str:
        """Sign a token for an audience."""
        header = {"alg": algorithm, "typ": "JWT"} | ({} if kid is None else {"kid": kid})
        signed = f"{_base64url(_json(header))}.{_base64url(_json(claims | {'aud': audience}))}"
        digest = hmac.digest(self.access_key.encode(), signed.encode(), _HASHES[algorithm])
        return f"{signed}.{_base64url(digest)}"


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
