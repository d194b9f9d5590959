"""Function keys: `x-functions-key`, else the query parameter `code`, as in Azure.

Source: AuthenticationLevelHandler and AuthUtility in Azure/azure-functions-host: the header comes
first even when it is empty, the first value counts, and a master key opens everything. Core Tools
does not ask for keys, so this host does only when it is told to.
"""

import hmac
import secrets
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["FUNCTION_KEY", "MASTER_KEY", "FunctionKeys"]

FUNCTION_KEY: Final = "FUNCHOST_FUNCTION_KEY"
MASTER_KEY: Final = "FUNCHOST_MASTER_KEY"

_HEADER: Final = "x-functions-key"
_PARAMETER: Final = "code"


@dataclass(frozen=True, slots=True)
class FunctionKeys:
    """The keys of the host.

    Args:
        function: Opens functions of level function.
        master: Opens those of level admin too.
        notice: Lines that tell whoever started the host the keys that nobody knows yet.
    """

    function: str = field(repr=False)
    master: str = field(repr=False)
    notice: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> "FunctionKeys":
        """Take the keys out of an environment, so that the app does not see them.

        Args:
            environ: Names and values, as `os.environ`; a key that it does not have is made up.
        """
        given = [environ.pop(name, "") for name in (FUNCTION_KEY, MASTER_KEY)]
        function, master = (key or _new_key() for key in given)
        made = (f"Function key: {function}\n", f"Master key: {master}\n")
        return cls(
            function,
            master,
            "".join(line for key, line in zip(given, made, strict=True) if not key),
        )

    def allows(
        self, level: str, headers: Mapping[str, str], query: Iterable[tuple[str, str]]
    ) -> bool:
        """Tell whether a request may call a function.

        Args:
            level: The function's authorization level in upper case.
            headers: Headers of the request, looked up in any case.
            query: Names and values of its query.
        """
        if level == "ANONYMOUS":
            return True
        shown = headers.get(_HEADER)
        if shown is None:
            shown = next((value for name, value in query if name.lower() == _PARAMETER), "")
        accepted = (self.master,) if level == "ADMIN" else (self.function, self.master)
        # Every key is compared, so that the time tells nothing about which one is near.
        same = [_same(shown, key) for key in accepted]
        return any(same)


def _new_key() -> str:
    return secrets.token_urlsafe(40)


def _same(shown: str, key: str) -> bool:
    return hmac.compare_digest(shown.encode(errors="surrogatepass"), key.encode())
