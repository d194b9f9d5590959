"""Route templates of ASP.NET Core, `groups/{name:maxlength(64)}/{*rest}`: parsed and matched.

Grammar and matching are those of TemplateParser, InlineRouteParameterParser and TemplateMatcher in
Microsoft.AspNetCore.Routing: literals and names regardless of case, `{{` and `}}` for braces,
optional and defaulted parameters at the end only, segments that mix text and parameters, one
catch-all as the last segment.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .constraints import Check, constraint

__all__ = ["Template", "TemplateError", "parse_template"]

# A closing parenthesis ends the arguments only before the next constraint, the default or the end.
_ARGUMENTS_END: Final = r"\)(?=[:=]|$)"
_CONSTRAINT: Final = re.compile(
    rf":(?P<name>[^:=(]+)(?:\((?P<arguments>.*?){_ARGUMENTS_END})?", re.DOTALL
)
_PARAMETER: Final = re.compile(
    r"(?P<stars>\*{0,2})(?P<name>[^:=?*{}/]+)"
    rf"(?P<constraints>(?::[^:=(]+(?:\(.*?{_ARGUMENTS_END})?)*)"
    r"(?:=(?P<default>.*))?",
    re.DOTALL,
)


class TemplateError(ValueError):
    """A route template breaks the grammar, or names a constraint that does not exist."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named part of a template. `default` is the value when the path has none."""

    name: str
    checks: tuple[Check, ...] = ()
    optional: bool = False
    default: str | None = None
    catch_all: bool = False

    @property
    def rank(self) -> int:
        """Constrained before free, catch-all last."""
        return (5 if self.catch_all else 3) - bool(self.checks)

    def accepts(self, value: str) -> bool:
        """Tell whether the value satisfies every constraint."""
        return all(check(value) for check in self.checks)

    def match(self, text: str | None) -> dict[str, str] | None:
        """Return the value by name, nothing by name when it may be absent, `None` for no match."""
        value = self.default if text is None else text
        if value is None:
            return {} if self.optional or self.catch_all else None
        return {self.name: value} if value and self.accepts(value) else None


@dataclass(frozen=True, slots=True)
class Literal:
    """A segment of fixed text, kept in the case that comparison uses."""

    text: str
    rank: int = 1

    def match(self, text: str | None) -> dict[str, str] | None:
        """Return no values when the text is the same, `None` when not."""
        return {} if text is not None and text.casefold() == self.text else None


@dataclass(frozen=True, slots=True)
class Mixed:
    """A segment of text and parameters, such as `{name}.{extension}`.

    `shapes` are tried in order: the second one is without the optional last parameter.
    """

    shapes: tuple[re.Pattern[str], ...]
    parameters: tuple[Parameter, ...]
    rank: int = 2

    def match(self, text: str | None) -> dict[str, str] | None:
        """Return the values by name, `None` when the text does not fit."""
        for shape in self.shapes:
            if text is not None and (found := shape.fullmatch(text)):
                pairs = list(zip(self.parameters, found.groups(), strict=False))
                if all(parameter.accepts(value) for parameter, value in pairs):
                    return {parameter.name: value for parameter, value in pairs}
        return None


type Segment = Literal | Parameter | Mixed
type _Parts = list[str | Parameter]


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. Templates are tried in the order of `precedence`, smallest first."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def precedence(self) -> tuple[int, ...]:
        """How specific the template is, a digit a segment (ASP.NET Core's RoutePrecedence)."""
        return tuple(segment.rank for segment in self.segments)

    def match(self, path: Sequence[str]) -> dict[str, str] | None:
        """Match a path and return the parameters' values, `None` when it does not fit.

        `path` are the decoded segments; a trailing slash is an empty last one, which a catch-all
        keeps and everything else ignores.
        """
        given = path[:-1] if path and not path[-1] else path
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if _takes_rest(segment):
                found = segment.match("/".join(path[index:]) or None)
                given = ()
            else:
                found = segment.match(given[index] if index < len(given) else None)
            if found is None:
                return None
            values |= found
        return values if len(given) <= len(self.segments) else None

    def overlaps(self, other: "Template") -> bool:
        """Tell whether one path may match both.

        Constraints count as satisfiable, except by a literal of the other one that breaks them.
        """
        for mine, theirs in zip(self.segments, other.segments, strict=False):
            if _takes_rest(mine) or _takes_rest(theirs):
                return True
            if isinstance(mine, Literal) and theirs.match(mine.text) is None:
                return False
            if isinstance(theirs, Literal) and mine.match(theirs.text) is None:
                return False
        shorter, longer = sorted((self.segments, other.segments), key=len)
        return all(_may_be_missing(segment) for segment in longer[len(shorter) :])


def parse_template(text: str) -> Template:
    """Parse a route template.

    Raises:
        TemplateError: The template breaks the grammar; the message says where.
    """
    try:
        segments = tuple(map(_segment, _split(text.removeprefix("/").removesuffix("/"))))
        _check_whole(segments)
    except ValueError as error:
        raise TemplateError(str(error)) from error
    return Template(text, segments)


def _split(text: str) -> list[_Parts]:
    """Cut a template into segments and those into literal texts and parameters."""
    segments: list[_Parts] = [[]]
    literal = ""
    index = 0

    def end_literal() -> None:
        nonlocal literal
        if literal:
            segments[-1].append(literal)
            literal = ""

    while index < len(text):
        char = text[index]
        if text[index : index + 2] in {"{{", "}}"}:
            literal += char
            index += 2
            continue
        if char == "{":
            end_literal()
            body, index = _braces(text, index + 1)
            segments[-1].append(_parameter(body))
            continue
        if char in "}?":
            raise ValueError(f"'{char}' stands outside of a parameter")
        if char == "/":
            end_literal()
            if not segments[-1]:
                raise ValueError("'//' leaves an empty segment")
            segments.append([])
        else:
            literal += char
        index += 1
    end_literal()
    return segments if segments[-1] else []


def _braces(text: str, start: int) -> tuple[str, int]:
    """Read a parameter up to its closing brace; return it and the index behind the brace."""
    body = ""
    index = start
    while index < len(text):
        pair = text[index : index + 2]
        if pair in {"{{", "}}"}:
            body += pair[0]
            index += 2
        elif text[index] == "}":
            return body, index + 1
        elif text[index] == "{":
            raise ValueError("'{' stands inside of a parameter; a literal brace is written '{{'")
        else:
            body += text[index]
            index += 1
    raise ValueError("a parameter has no closing '}'")


def _parameter(body: str) -> Parameter:
    optional = body.endswith("?")
    found = _PARAMETER.fullmatch(body.removesuffix("?"))
    if found is None:
        raise ValueError(f"'{{{body}}}' is no parameter")
    catch_all, default = bool(found["stars"]), found["default"]
    if optional and catch_all:
        raise ValueError(f"catch-all parameter '{found['name']}' cannot be optional")
    if optional and default is not None:
        raise ValueError(f"parameter '{found['name']}' is optional and has a default")
    return Parameter(
        name=found["name"],
        checks=tuple(
            constraint(each["name"], each["arguments"])
            for each in _CONSTRAINT.finditer(found["constraints"])
        ),
        optional=optional,
        default=default,
        catch_all=catch_all,
    )


def _segment(parts: _Parts) -> Segment:
    if len(parts) == 1:
        only = parts[0]
        return only if isinstance(only, Parameter) else Literal(only.casefold())
    return _mixed(parts)


def _mixed(parts: _Parts) -> Mixed:
    parameters = tuple(part for part in parts if isinstance(part, Parameter))
    if any(isinstance(a, Parameter) and isinstance(b, Parameter) for a, b in pairwise(parts)):
        raise ValueError("two parameters of a segment have no text between them")
    for parameter in parameters:
        if parameter.catch_all:
            raise ValueError(f"catch-all parameter '{parameter.name}' must stand alone")
        if parameter.optional and (parameter is not parts[-1] or parts[-2] != "."):
            raise ValueError(
                f"optional parameter '{parameter.name}' must be the last of its segment, after '.'"
            )
    shapes = [_shape(parts)]
    if parameters[-1].optional:
        shapes.append(_shape(parts[:-2]))
    return Mixed(tuple(shapes), parameters)


def _shape(parts: _Parts) -> re.Pattern[str]:
    return re.compile(
        "".join("(.+)" if isinstance(part, Parameter) else re.escape(part) for part in parts),
        re.IGNORECASE | re.DOTALL,
    )


def _check_whole(segments: tuple[Segment, ...]) -> None:
    names: set[str] = set()
    for index, segment in enumerate(segments):
        for parameter in _parameters(segment):
            if parameter.name.casefold() in names:
                raise ValueError(f"parameter '{parameter.name}' stands twice")
            names.add(parameter.name.casefold())
            if parameter.catch_all and index < len(segments) - 1:
                raise ValueError(f"catch-all parameter '{parameter.name}' must be the last segment")


def _parameters(segment: Segment) -> tuple[Parameter, ...]:
    if isinstance(segment, Parameter):
        return (segment,)
    return segment.parameters if isinstance(segment, Mixed) else ()


def _takes_rest(segment: Segment) -> bool:
    return isinstance(segment, Parameter) and segment.catch_all


def _may_be_missing(segment: Segment) -> bool:
    return isinstance(segment, Parameter) and (
        segment.optional or segment.catch_all or segment.default is not None
    )
