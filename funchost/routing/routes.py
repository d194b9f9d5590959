"""Which function a request is for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Final
from urllib.parse import unquote_to_bytes

from .templates import Template, TemplateError, parse_template

__all__ = ["Match", "Route", "RouteError", "Router", "decode_path"]

_ESCAPES: Final = re.compile(r"(?:%(?!2[Ff])[0-9A-Fa-f]{2})+")


class RouteError(ValueError):
    """The route of a function is no valid template; the message names both."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a function. `methods` are upper case; none means all."""

    function: str
    template: Template
    methods: frozenset[str]

    def allows(self, method: str) -> bool:
        """Tell whether requests of this method (upper case) reach the function."""
        return not self.methods or method in self.methods


@dataclass(frozen=True, slots=True)
class Match:
    """The function that a request is for, and the values of its route parameters."""

    function: str
    params: dict[str, str]


class Router:
    """Finds the function of a request.

    Routes are tried by ASP.NET Core's precedence: literal, segment of text and parameters,
    constrained parameter, parameter, catch-all; then by function name. A route whose methods
    exclude the request is passed over, so that a wrong method ends as no match (the host answers
    404: Azure/azure-functions-host issue 10098).
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._routes: tuple[Route, ...] = ()

    def add(self, function: str, route: str, methods: Iterable[str] = ()) -> None:
        """Add the route of a function: a template without the prefix.

        Raises:
            RouteError: The template breaks the grammar, has an unknown constraint, or begins with a
                slash behind a prefix, which makes two in a row in Azure's template.
        """
        if self._prefix and route.startswith("/"):
            raise RouteError(
                f"function {function}: the Functions host takes the route '{route}' without a route"
                f" prefix only: write '{route.removeprefix('/')}', or set routePrefix in host.json"
                ' to ""'
            )
        whole = f"{self._prefix}/{route.removeprefix('/')}"
        try:
            template = parse_template(whole)
        except TemplateError as error:
            raise RouteError(f"function {function}: route '{route}': {error}") from error
        added = Route(function, template, frozenset(method.upper() for method in methods))
        self._routes = tuple(
            sorted(
                (*self._routes, added),
                key=lambda each: (each.template.precedence, each.function.lower()),
            )
        )

    def match(self, method: str, raw_path: str) -> Match | None:
        """Find the function for a method and a path as it came, percent-encoded."""
        path = decode_path(raw_path)
        for route in self._routes:
            if route.allows(method):
                params = route.template.match(path)
                if params is not None:
                    return Match(route.function, params)
        return None

    def ambiguous(self) -> list[tuple[str, str]]:
        """List pairs of functions of which Azure may choose the other one.

        The Functions host does not sort by precedence: it tries routes in the order of function
        names (Azure/azure-functions-host issues 3153 and 9876). A pair is (chosen here, tried
        first in Azure).
        """
        return [
            (first.function, second.function)
            for first, second in combinations(self._routes, 2)
            if second.function.lower() < first.function.lower()
            and (not first.methods or not second.methods or first.methods & second.methods)
            and first.template.overlaps(second.template)
        ]


def decode_path(raw_path: str) -> list[str]:
    """Split a percent-encoded path into decoded segments.

    As Kestrel does (UrlDecoder), an encoded slash stays encoded, and so do octets that are not
    UTF-8. A trailing slash yields an empty last segment.
    """
    return _ESCAPES.sub(_decode, raw_path.removeprefix("/")).split("/")


def _decode(escapes: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(escapes[0]).decode()
    except UnicodeDecodeError:
        return escapes[0]
