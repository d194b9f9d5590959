"""Which of many paths a request is for, found by its segments.

aiohttp tries the pattern of one path after another where they begin alike, as all operations do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from aiohttp import web

__all__ = ["PathTree"]

_PARAMETER: Final = "{"

_ANY_OTHER: Final = "/"
"""Stands for every segment that no path has literally; none is this."""


class _Path(NamedTuple):
    """A path that requests can be for.

    Attributes:
        segments: What it consists of.
        parameters: The place of each parameter among them, by its name.
        routes: What answers, by the method of the request.
    """

    segments: tuple[str, ...]
    parameters: Mapping[str, int]
    routes: Mapping[str, web.AbstractRoute]


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of a request when some of its segments have been read.

    Attributes:
        ends: The paths that end here, those in words first.
        after: Where a segment leads that one of the paths has literally.
        otherwise: Where any other leads; None where no path goes on with it.
    """

    ends: tuple[_Path, ...]
    after: Mapping[str, "_Place | None"]
    otherwise: "_Place | None"


class PathTree(web.DynamicResource):
    """Takes the place of many resources, and looks at each segment of a request once.

    Args:
        prefix: What all their paths begin with, without a slash at its end.
        resources: Their paths may have parameters, each of which is a whole segment.
    """

    def __init__(self, prefix: str, resources: Iterable[web.Resource]) -> None:
        # By this path, aiohttp's router comes here.
        super().__init__(f"{prefix}/{{path:.+}}")
        self._root = _place(sorted(map(_path, resources), key=_words_first), 0)

    async def resolve(
        self, request: web.Request
    ) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """Give the route of a request, or the methods that its path has."""
        allowed: set[str] = set()
        place = self._root
        segments = request.rel_url.path_safe.split("/")
        for segment in segments:
            if place is None:
                return None, allowed
            place = place.after.get(segment, place.otherwise)
        for path in () if place is None else place.ends:
            route = path.routes.get(request.method)
            if route is not None:
                values = {name: _decoded(segments[at]) for name, at in path.parameters.items()}
                return web.UrlMappingMatchInfo(values, route), allowed
            allowed.update(path.routes)
        return None, allowed


def _path(resource: web.Resource) -> _Path:
    segments = tuple(resource.canonical.split("/"))
    parameters = {each.strip("{}"): at for at, each in enumerate(segments) if _is_parameter(each)}
    return _Path(segments, parameters, {route.method: route for route in resource})


def _is_parameter(segment: str) -> bool:
    return segment.startswith(_PARAMETER)


def _words_first(path: _Path) -> list[bool]:
    return [_is_parameter(segment) for segment in path.segments]


def _place(paths: list[_Path], read: int) -> _Place | None:
    """Tell where requests are of which so many segments have been read, and that have these paths.

    Every place is made once and for all, so that a request never has to go back.
    """
    if not paths:
        return None

    def after(segment: str) -> _Place | None:
        # A parameter is never empty.
        same = [
            path for own, path in going_on if own == segment or (segment and _is_parameter(own))
        ]
        return _place(same, read + 1)

    going_on = [(path.segments[read], path) for path in paths if len(path.segments) > read]
    known = {"", *(own for own, _ in going_on)}
    return _Place(
        ends=tuple(path for path in paths if len(path.segments) == read),
        after={segment: after(segment) for segment in known},
        otherwise=after(_ANY_OTHER),
    )


def _decoded(segment: str) -> str:
    """Decode what is still encoded in a path whose segments have to be told apart."""
    return segment.replace("%2F", "/").replace("%25", "%") if "%" in segment else segment
