"""What proves to the service who is asking, and where it comes from."""

from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Token", "TokenSource"]


@dataclass(frozen=True, slots=True)
class Token:
    """What proves to the service who is asking.

    Args:
        value: The token as it goes into the `Authorization` header.
        expires_at: When it ends, in epoch seconds.
    """

    value: str = field(repr=False)
    expires_at: float


class TokenSource(Protocol):
    """Gives tokens for requests to the service."""

    def cached(self, url: str, rejected: Token | None = None) -> Token | None:
        """Return a token that takes no waiting, if there is one; arguments as of `get`."""

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
