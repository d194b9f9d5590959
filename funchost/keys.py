"""Function keys: `x-functions-key` or `code`, as in Azure.

Core Tools does not ask for them, so this host does only when it is told to.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FunctionKeys"]


@dataclass(frozen=True, slots=True)
class FunctionKeys:
    """The keys of the host.

    Args:
        function: Opens the functions of level function.
        master: Opens those of level admin too.
    """

    function: str
    master: str

    @classmethod
    def new(cls) -> "FunctionKeys":
        """Make keys that nobody knows yet."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32))

    def open(self, level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Tell whether a request may call a function.

        Args:
            level: The function's authorization level in upper case.
            headers: Headers of the request, looked up in any case.
            query: Its query parameters.
        """
        if level == "ANONYMOUS":
            return True
        shown = headers.get("x-functions-key") or query.get("code") or ""
        accepted = (self.master,) if level == "ADMIN" else (self.function, self.master)
        return any(hmac.compare_digest(shown.encode(), key.encode()) for key in accepted)
