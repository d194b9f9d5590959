"""Which of many paths a request is for, found by its segments.

aiohttp tries the pattern of one path after another where they begin alike, as all operations do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from aiohttp import web

__all__ = ["PathTree"]

_PARAMETER = "{"


@dataclass(slots=True)
class _Node:
    """A place between two segments: what may follow, and the paths that end here."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    ends: list[web.Resource] = field(default_factory=list)

    def after(self, segment: str) -> "_Node":
        """Give the place after a segment of a path that is added."""
        if not segment.startswith(_PARAMETER):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter

    def found(self, segments: list[str], at: int = 0) -> list[web.Resource]:
        """Give the paths that have these segments from one of them on, those in words first."""
        if at == len(segments):
            return self.ends
        literal, parameter = self.literals.get(segments[at]), self.parameter
        if literal is None:
            return [] if parameter is None else parameter.found(segments, at + 1)
        found = literal.found(segments, at + 1)
        return found if parameter is None else found + parameter.found(segments, at + 1)


class PathTree(web.DynamicResource):
    """Takes the place of many resources, and asks only those that can be meant.

    What a path says, how it is decoded and which methods it has remains with them.

    Args:
        prefix: What all their paths begin with, without a slash at its end.
        resources: Their paths may have parameters, each of which is a whole segment.
    """

    def __init__(self, prefix: str, resources: Iterable[web.Resource]) -> None:
        # By this path, aiohttp's router comes here.
        super().__init__(f"{prefix}/{{path:.+}}")
        self._root = _Node()
        for resource in resources:
            node = self._root
            for segment in resource.canonical.split("/"):
                node = node.after(segment)
            node.ends.append(resource)

    async def resolve(
        self, request: web.Request
    ) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """Give the route of a request, or the methods that its path has."""
        allowed: set[str] = set()
        for resource in self._root.found(request.rel_url.path_safe.split("/")):
            found, methods = await resource.resolve(request)
            if found is not None:
                return found, methods
            allowed |= methods
        return None, allowed
