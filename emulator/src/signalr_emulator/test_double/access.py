"""What a client needs to get in: the service's address and its access key, which signs tokens."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from ..authentication.access_keys import AccessKey
from ..authentication.client_tokens import USER_ID, issue_client_token
from ..documents.json_text import Json

__all__ = ["Access"]

_LIFETIME = 3600
"""How long a token is valid, in seconds."""

_CONNECTION_STRING = re.compile(
    r"Endpoint=(?P<endpoint>[^;]+);Port=(?P<port>\d+);AccessKey=(?P<key>[^;]+);"
)


@dataclass(frozen=True, slots=True)
class Access:
    """Gives tokens as an app with a connection string does.

    Attributes:
        endpoint: Where the service listens.
        key: Its access key.
        ca_file: The certificate to trust where it speaks TLS, or None.
    """

    endpoint: str
    key: str = field(repr=False)
    ca_file: str | None = None

    @classmethod
    def of(cls, connection_string: str, ca_file: str | None = None) -> Self:
        """Read a connection string of the emulator.

        Args:
            connection_string: In the form of the official emulator.
            ca_file: The certificate to trust where it speaks TLS, or None.

        Raises:
            ValueError: It is something else.
        """
        found = _CONNECTION_STRING.match(connection_string)
        if found is None:
            raise ValueError("This is no connection string of an emulator.")
        return cls(f"{found[1]}:{found[2]}", found[3], ca_file)

    def client_token(
        self, hub: str, now: float, user_id: str | None, claims: Mapping[str, Json]
    ) -> str:
        """Sign the token of a client.

        Args:
            hub: Name of the hub.
            now: Time of the emulator's clock, in epoch seconds.
            user_id: Who the client is, or None.
            claims: More of what the token says.
        """
        user: dict[str, Json] = {} if user_id is None else {USER_ID: user_id}
        return self._token(f"{self.endpoint}/client/?hub={hub}", {**claims, **user}, now)

    def rest_token(self, url: str, now: float) -> str:
        """Sign the token of a REST call.

        Args:
            url: What is called, without its query.
            now: Time of the emulator's clock, in epoch seconds.
        """
        return self._token(url, {}, now)

    def _token(self, audience: str, claims: Mapping[str, Json], now: float) -> str:
        # Its id says nothing: it is one of the resource's own keys.
        key = AccessKey("primary", self.key, math.inf)
        return issue_client_token(audience, claims, lifetime=_LIFETIME, key=key, now=now)
