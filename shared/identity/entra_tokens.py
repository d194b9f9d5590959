"""One Entra token for all callers of a process, renewed in time."""

import functools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from ..errors import AuthenticationError
from ..settings.endpoint import AUDIENCE
from ..telemetry import log_fields
from .token import LONGEST_WAIT, AskedToken, Token, given, no_token_in_time

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["EntraTokens"]

_logger = logging.getLogger(__name__)

_RENEW_BEFORE: Final = 300
"""Seconds before its end at which a token is renewed: the default of azure-identity."""


_RETRY_AFTER: Final = 30
"""Seconds after a renewal, failed or not, for which there is no other: the default of
azure-identity."""


def _spawn(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="signalr-identity", daemon=True).start()


class EntraTokens:
    """Holds one Entra token for all callers of a process and renews it in time.

    Args:
        open_credential: Makes the credential at the first need.
        audience: What the token is for.
        first: Gives the first token without a credential, or `None`; it raises
            `AuthenticationError` where a credential would give none either.
        clock: Current time in epoch seconds.
        spawn: Runs something in a thread of its own, so that who asks waits no longer than others.
            Raises `RuntimeError` where the system has none to give.
    """

    def __init__(
        self,
        open_credential: Callable[[], "TokenCredential"],
        *,
        audience: str = AUDIENCE,
        first: Callable[[], Token | None] = lambda: None,
        clock: Callable[[], float] = time.time,
        spawn: Callable[[Callable[[], None]], None] = _spawn,
    ) -> None:
        self._spawn = spawn
        self._open_credential = open_credential
        self._first = first
        self._scope = f"{audience}/.default"
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._token: Token | None = None
        self._asked: Future[Token] | None = None
        self._next_try = 0.0

    def cached(self, url: str = "", rejected: Token | None = None) -> Token | None:  # noqa: ARG002  the protocol's own
        """Return the token at hand while it need not be renewed; arguments as of `get`."""
        token = self._token
        if token is None or token == rejected:
            return None
        return token if self._clock() < token.expires_at - _RENEW_BEFORE else None

    def ask(self, url: str = "", rejected: Token | None = None) -> AskedToken:
        """Return the token that is asked for now; however many callers, one of them has the work.

        While the token at hand is still valid, it is given to all, and one renews it.

        Arguments are those of `get`.
        """
        with self._lock:
            token, now = self._valid(rejected), self._clock()
            is_due = self.cached(url, rejected) is None and now >= self._next_try
            if token is not None and (self._asked is not None or not is_due):
                return given(token)
            if self._asked is not None:
                return AskedToken(self._asked)
            asked = self._asked = Future()
            # From here on it cannot be cancelled: one who gives up leaves it to the others.
            asked.set_running_or_notify_cancel()
            # Also when it succeeds: an identity endpoint may give the token that it gave before.
            self._next_try = 0.0 if token is None else now + _RETRY_AFTER
        work = functools.partial(self._work, asked, rejected)
        give_up = functools.partial(self._fail, asked)
        if token is not None:
            return given(token)._replace(work=work, give_up=give_up)
        return AskedToken(asked, work, give_up)

    def get(self, url: str = "", rejected: Token | None = None) -> Token:
        """Return a token that is valid now; however many callers, one of them asks for it.

        Args:
            url: What it is for; an Entra token is for all of the service.
            rejected: A token that the service does not accept, so that another one is wanted.

        Raises:
            AuthenticationError: The credential gave none, or not in time.
        """
        for _ in range(2):
            cached = self.cached(url, rejected)
            if cached is not None:
                return cached
            asked = self.ask(url, rejected)
            if asked.work is not None:
                self._run(asked.work)
            try:
                token = self._valid(rejected) or asked.token.result(LONGEST_WAIT)
            except TimeoutError:
                raise no_token_in_time() from None
            if token != rejected:
                return token
            # Somebody else had asked already, for whom the old one was good enough.
        return token

    def after_fork(self) -> None:
        """Make it usable in a child process, where who asked and who holds the lock is gone."""
        self._lock = threading.Lock()
        self._asked = None
        self._credential = None

    def _run(self, work: Callable[[], None]) -> None:
        try:
            self._spawn(work)
        except RuntimeError:
            work()

    def _valid(self, rejected: Token | None) -> Token | None:
        """Return the token at hand if it has not ended."""
        token = self._token
        if token is None or token == rejected:
            return None
        return token if self._clock() < token.expires_at else None

    def _work(self, asked: Future[Token], rejected: Token | None) -> None:
        if rejected is not None:
            # azure-identity would answer from memory.
            self._credential = None
        try:
            token = self._ask()
        except Exception as error:  # noqa: BLE001  all who wait must hear of it
            self._fail(asked, error)
            return
        with self._lock:
            self._token = token
            if self._asked is asked:
                self._asked = None
        asked.set_result(token)

    def _fail(self, asked: Future[Token], error: Exception) -> None:
        failure = (
            error
            if isinstance(error, AuthenticationError)
            else AuthenticationError(f"No Entra token: {type(error).__name__}: {error}")
        )
        with self._lock:
            token = self._token
            if self._asked is asked:
                self._asked = None
        if token is not None and self._clock() < token.expires_at:
            _logger.warning(
                "The Entra token at hand is used until it ends: %s",
                failure,
                extra=log_fields(failure),
            )
        asked.set_exception(failure)

    def _ask(self) -> Token:
        first = self._first() if self._token is None else None
        if first is not None:
            return first
        if self._credential is None:
            self._credential = self._open_credential()
        credential = self._credential
        try:
            token = credential.get_token(self._scope)
        except Exception as error:
            # Of any kind: for JSON that is no object MSAL raises AttributeError.
            # MSAL answers from memory for a minute after an error of the identity endpoint. A new
            # credential notices at once that the endpoint is back.
            self._credential = None
            from .credential import token_failure  # noqa: PLC0415  no start needs it that goes well

            raise AuthenticationError(
                f"No Entra token from {type(credential).__name__}:"
                f" {token_failure(credential, error)}"
            ) from error
        return Token(token.token, token.expires_on)
