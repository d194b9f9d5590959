"""Opens the WebSocket of a server connection.

URL, headers and token as Microsoft.Azure.SignalR 1.34.0 has them.
"""

import asyncio
import platform
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple, cast
from urllib.parse import quote, urlsplit

from requests.utils import select_proxy
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from ..errors import (
    AuthenticationError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
)
from ..identity.permissions import refused_token
from ..identity.token import Token, TokenSource
from ..keys.client_token import sign_client_token
from ..keys.local import LocalKey
from ..rest.refusal import SERVER_CONNECTION, explain_refusal
from ..settings.endpoint import Endpoint
from ..transport.flow import Response
from ..transport.surroundings import surroundings_of, trusting

__all__ = ["Opened", "Opening", "server_id"]

_USER_AGENT: Final = f"keyless-signalr (Python/{platform.python_version()}; {platform.system()})"

_LIFETIME: Final = 3600
"""Seconds for which a token of ours is valid, as one of the SDK for .NET."""

_OPEN_WITHIN: Final = 10.0
_CLOSE_WITHIN: Final = 1.0
"""Seconds. The SDK for .NET waits as long for the end of a connection."""

_LARGEST: Final = 16 * 1024 * 1024
"""Most bytes of a WebSocket message that comes. The largest are pages of groups."""


class _Connect(connect):
    """Opens a WebSocket where it is told to, and follows no redirect: a token goes nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Refuse it."""
        return exc


class Opened(NamedTuple):
    """A WebSocket to the service.

    Args:
        socket: The WebSocket.
        token: The Entra token that opened it, or `None` under an access key.
    """

    socket: ClientConnection
    token: str | None


class Opening:
    """Opens the server connections of one hub at one endpoint.

    Args:
        endpoint: The endpoint.
        hub: The name by which the service knows the hub.
        proof: Gives Entra tokens, or is the access key of an emulator.
        server_id: Names this process to the service.
        clock: Current time in epoch seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        hub: str,
        proof: TokenSource | LocalKey,
        *,
        server_id: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.endpoint = endpoint
        self._hub = hub
        self._proof = proof
        self._server_id = server_id
        self._clock = clock
        self._rejected: Token | None = None

    async def open(self) -> Opened:
        """Open one WebSocket.

        Raises:
            AuthenticationError: There is no Entra token, or the service does not accept it.
            PermissionDeniedError: No role of the principal allows server connections.
            ServiceUnavailableError: The service cannot be reached, or refuses.
        """
        token = await self._token()
        try:
            socket = await self._connect(token.value)
        except InvalidStatus as error:
            raise self._refusal(error, token) from error
        except Exception as error:
            # Of any kind: of the network, of TLS, of a proxy's address or of its missing package.
            raise self._unavailable(error) from error
        return Opened(socket, None if isinstance(self._proof, LocalKey) else token.value)

    async def entra_token(self) -> str:
        """Return an Entra token that is valid now.

        Raises:
            AuthenticationError: There is none.
        """
        return (await self._token()).value

    async def _token(self) -> Token:
        if isinstance(self._proof, LocalKey):
            return self._signed(self._proof)
        url = self.endpoint.server_url
        cached = self._proof.cached(url, self._rejected)
        if cached is not None:
            return cached
        try:
            return await asyncio.to_thread(self._proof.get, url, self._rejected)
        except RuntimeError as error:
            # The system has no thread to give.
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> ServiceUnavailableError:
        return ServiceUnavailableError(
            f"No server connection to {self.endpoint.server_url}: {type(error).__name__}: {error}"
        )

    def _signed(self, key: LocalKey) -> Token:
        now = self._clock()
        value = sign_client_token(
            key.get(),
            self.endpoint.server_audience(self._hub),
            now=now,
            lifetime=_LIFETIME,
            system_claims={"iss": "azure-signalr", "nameid": self._server_id},
        )
        return Token(value, now + _LIFETIME)

    async def _connect(self, token: str) -> ClientConnection:
        url = f"{self.endpoint.server_hub_url(quote(self._hub, safe=''))}&cid={uuid.uuid4()}"
        origin = self.endpoint.server_url
        surroundings = surroundings_of(origin)
        is_secure = urlsplit(origin).scheme == "https"
        return await _Connect(
            url,
            additional_headers={
                "Authorization": f"Bearer {token}",
                "X-ASRS-Server-Id": self._server_id,
                "Asrs-User-Agent": _USER_AGENT,
                "X-Requested-With": "XMLHttpRequest",
            },
            user_agent_header=None,
            compression=None,
            proxy=select_proxy(origin, surroundings.proxies),
            # The protocol has pings of its own.
            ping_interval=None,
            open_timeout=_OPEN_WITHIN,
            close_timeout=_CLOSE_WITHIN,
            max_size=_LARGEST,
            ssl=trusting(surroundings.verify) if is_secure else None,
        )

    def _refusal(self, error: InvalidStatus, token: Token) -> ServiceError:
        """Return what kind of error an answer is, and what mends it."""
        response = error.response
        status = response.status_code
        about = f"{status} to a server connection of {self.endpoint.server_url}"
        if status == HTTPStatus.UNAUTHORIZED:
            # It can be withdrawn before its end, so the next attempt comes with another one.
            self._rejected = token
            why = refused_token(self.endpoint, token.value)
            return AuthenticationError(f"{about}: {why}", status=status)
        if status == HTTPStatus.FORBIDDEN:
            answer = Response(
                status, cast("dict[str, str]", response.headers), bytes(response.body)
            )
            why = explain_refusal(answer, SERVER_CONNECTION, self.endpoint, token.value)
            return PermissionDeniedError(f"{about}: {why}", status=status)
        return ServiceUnavailableError(about, status=status)


def server_id() -> str:
    """Return a name for this process: the machine's, and what makes it unique."""
    return f"{platform.node()}_{uuid.uuid4().hex}"
