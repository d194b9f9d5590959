"""One Entra token for all callers of a process, renewed in time."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..errors import AuthenticationError
from ..settings.endpoint import AUDIENCE
from ..telemetry.log import log_fields
from .credential import token_failure
from .token import Token

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["EntraTokens"]

_logger = logging.getLogger(__name__)

_RENEW_BEFORE: Final = 300
"""Seconds before its end at which a token is renewed: the default of azure-identity."""


_RETRY_AFTER: Final = 30
"""Seconds after a renewal, failed or not, for which there is no other: the default of
azure-identity."""


class EntraTokens:
    """Holds one Entra token for all callers of a process and renews it in time.

    Args:
        open_credential: Makes the credential at the first need.
        audience: What the token is for.
        clock: Current time in epoch seconds.
    """

    def __init__(
        self,
        open_credential: Callable[[], "TokenCredential"],
        *,
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_credential = open_credential
        self._scope = f"{audience}/.default"
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._token: Token | None = None
        self._next_try = 0.0

    def cached(self, url: str = "", rejected: Token | None = None) -> Token | None:  # noqa: ARG002  the protocol's own
        """Return the token at hand while it need not be renewed; arguments as of `get`."""
        token = self._token
        if token is None or token is rejected:
            return None
        return token if self._clock() < token.expires_at - _RENEW_BEFORE else None

    def get(self, url: str = "", rejected: Token | None = None) -> Token:
        """Return a token that is valid now; however many callers, one of them asks for it.

        Args:
            url: What it is for; an Entra token is for all of the service.
            rejected: A token that the service does not accept, so that another one is wanted.

        Raises:
            AuthenticationError: The credential gave none.
        """
        cached = self.cached(url, rejected)
        if cached is not None:
            return cached
        token = self._token
        if token is not None and token is not rejected and self._clock() < token.expires_at:
            return self._renewed(token)
        with self._lock:
            token = self._token
            if token is None or token is rejected or self._clock() >= token.expires_at:
                if token is rejected:
                    # azure-identity would answer from memory.
                    self._credential = None
                token = self._token = self._ask()
            return token

    def after_fork(self) -> None:
        """Make it usable in a child process, where a lock may be held by a thread that is gone."""
        self._lock = threading.Lock()
        self._credential = None

    def _renewed(self, token: Token) -> Token:
        """Renew a token that is still good, unless another thread does or it was tried just now."""
        if self._clock() < self._next_try or not self._lock.acquire(blocking=False):
            return token
        # Also when it succeeds: an identity endpoint may give the token that it gave before.
        self._next_try = self._clock() + _RETRY_AFTER
        try:
            self._token = self._ask()
        except AuthenticationError as error:
            _logger.warning(
                "The Entra token at hand is used until it ends: %s", error, extra=log_fields(error)
            )
            return token
        else:
            return self._token
        finally:
            self._lock.release()

    def _ask(self) -> Token:
        if self._credential is None:
            self._credential = self._open_credential()
        from azure.core.exceptions import AzureError  # noqa: PLC0415  loaded with the credential

        credential = self._credential
        try:
            token = credential.get_token(self._scope)
        except (AzureError, OSError, ValueError) as error:
            # MSAL answers from memory for a minute after an error of the identity endpoint. A new
            # credential notices at once that the endpoint is back.
            self._credential = None
            raise AuthenticationError(
                f"No Entra token from {type(credential).__name__}:"
                f" {token_failure(credential, error)}"
            ) from error
        return Token(token.token, token.expires_on)
