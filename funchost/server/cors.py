"""Cross-origin resource sharing as the Functions host does it (ASP.NET Core's CorsMiddleware).

Core Tools allows every method and every header for the listed origins, so a preflight answer
echoes what was asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from .hosts import host_of

__all__ = ["LOOPBACK", "CorsPolicy", "is_preflight"]

LOOPBACK: Final = "loopback"
"""Stands for every origin of this machine, whatever its port."""

_ANY: Final = "*"
_PREFLIGHT_SECONDS: Final = 600
_SCHEMES: Final = {"http", "https"}


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """The origins that may call, lower case, and whether with credentials.

    `*` stands for all of them, `LOOPBACK` for those of this machine.
    """

    origins: frozenset[str]
    credentials: bool = False

    @classmethod
    def parse(cls, origins: str, *, credentials: bool = False) -> "CorsPolicy":
        """Read a comma-separated list of origins.

        Raises:
            ValueError: An entry is no origin, or `*` is asked for together with credentials.
        """
        listed = frozenset(filter(None, (each.strip().lower() for each in origins.split(","))))
        for origin in listed - {_ANY}:
            parts = urlsplit(origin)
            whole = f"{parts.scheme}://{parts.netloc}"
            if parts.scheme not in _SCHEMES or not parts.netloc or origin != whole:
                raise ValueError(
                    f"'{origin}' is no origin: write scheme://host or scheme://host:port"
                )
        if _ANY in listed and credentials:
            raise ValueError(
                "'*' does not go together with Host.CORSCredentials, browsers refuse it: "
                "list the origins in Host.CORS, for example http://localhost:3000, "
                "or set Host.CORSCredentials to false"
            )
        return cls(listed, credentials)

    def allows(self, origin: str | None) -> bool:
        """Tell whether pages of this `Origin` may call; `None` if it is not known."""
        if _ANY in self.origins:
            return True
        if origin is None:
            return False
        if LOOPBACK in self.origins:
            host = host_of(origin)
            return host is not None and host.is_loopback
        return origin.lower() in self.origins

    def response_headers(self, origin: str | None) -> dict[str, str]:
        """Return what a response to this `Origin` carries, nothing when it may not call."""
        if _ANY in self.origins:
            return {"Access-Control-Allow-Origin": _ANY} if origin else {}
        headers = {"Vary": "Origin"}
        if origin and self.allows(origin):
            headers["Access-Control-Allow-Origin"] = origin
            if self.credentials:
                headers["Access-Control-Allow-Credentials"] = "true"
        return headers

    def preflight_headers(self, request: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of the answer to a preflight with these request headers."""
        headers = self.response_headers(request.get("Origin"))
        if "Access-Control-Allow-Origin" in headers:
            headers["Access-Control-Allow-Methods"] = request["Access-Control-Request-Method"]
            if asked := request.get("Access-Control-Request-Headers"):
                headers["Access-Control-Allow-Headers"] = asked
            headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        return headers


def is_preflight(method: str, request: Mapping[str, str]) -> bool:
    """Tell whether a request asks for permission rather than for a function (Fetch, 3.2.2)."""
    return (
        method == "OPTIONS" and "Origin" in request and "Access-Control-Request-Method" in request
    )
