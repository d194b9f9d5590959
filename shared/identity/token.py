"""What proves to the service who is asking, and where it comes from."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from ..errors import AuthenticationError

__all__ = ["LONGEST_WAIT", "AskedToken", "Token", "TokenSource", "given", "no_token_in_time"]

LONGEST_WAIT: Final = 30.0
"""Most seconds that a caller waits for a token which another one has asked for."""


@dataclass(frozen=True, slots=True)
class Token:
    """What proves to the service who is asking.

    Args:
        value: The token as it goes into the `Authorization` header.
        expires_at: When it ends, in epoch seconds.
    """

    value: str = field(repr=False)
    expires_at: float


class AskedToken(NamedTuple):
    """A token that somebody waits for.

    Args:
        token: The token, or the `AuthenticationError` that says why there is none.
        work: Asks for it, blocking, if nobody does yet: for whoever gets this to run, once.
        give_up: Tells all who wait that the work cannot be run.
    """

    token: Future[Token]
    work: Callable[[], None] | None = None
    give_up: Callable[[Exception], None] | None = None


class TokenSource(Protocol):
    """Gives tokens for requests to the service."""

    def cached(self, url: str, rejected: Token | None = None) -> Token | None:
        """Return a token that takes no waiting, if there is one; arguments as of `get`."""

    def ask(self, url: str, rejected: Token | None = None) -> AskedToken:
        """Return the token that is asked for now; however many callers, one of them has the work.

        Arguments are those of `get`.
        """

    def get(self, url: str, rejected: Token | None = None) -> Token:
        """Return a token that is valid now, blocking.

        Args:
            url: What it is for.
            rejected: A token that the service does not accept, so that another one is wanted.

        Raises:
            AuthenticationError: There is none.
        """

    def after_fork(self) -> None:
        """Make it usable in a child process."""


def given(token: Token) -> AskedToken:
    """Return a token that is there already as one that was asked for."""
    future: Future[Token] = Future()
    future.set_result(token)
    return AskedToken(future)


def no_token_in_time() -> AuthenticationError:
    """Return the error of a caller for whom it takes too long."""
    return AuthenticationError(f"No Entra token within {LONGEST_WAIT:g} s", retry_after=5)
