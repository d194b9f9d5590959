"""Route constraints: `{id:int}`, `{name:length(2,8)}` and the others, as predicates on text.

Names and meaning are those of ASP.NET Core's default constraint map
(Microsoft.AspNetCore.Routing.RouteOptions), which the Functions host uses. Texts of numbers and
dates are read in the invariant culture.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from time import strptime
from typing import Final

__all__ = ["Check", "constraint"]

type Check = Callable[[str], bool]

# Whitespace as .NET's numbers have it: Python counts four control characters more.
_SPACE: Final = r"[\t-\r ]*"
_INTEGER: Final = re.compile(rf"{_SPACE}[+-]?[0-9]+{_SPACE}")
_ZEROS: Final = re.compile(r"(?<![0-9])0+(?=[0-9])")
_NUMBER: Final = re.compile(
    rf"{_SPACE}[+-]?(?=\.?[0-9])[0-9,]*(?:\.[0-9]*)?(?P<e>e[+-]?[0-9]+)?{_SPACE}", re.IGNORECASE
)
_ALPHA: Final = re.compile(r"[a-z]*", re.IGNORECASE | re.ASCII)
_NOT_A_NUMBER: Final = frozenset({"nan", "infinity", "-infinity"})
_DECIMAL_LIMIT: Final = 79_228_162_514_264_337_593_543_950_335
_HEX: Final = r"[0-9a-f]"
_GROUPS: Final = rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_GUID: Final = re.compile(
    rf"\s*(?:{_HEX}{{32}}|{_GROUPS}|\{{{_GROUPS}\}}|\({_GROUPS}\))\s*", re.IGNORECASE
)
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")
_DATES: Final = (
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
)


def constraint(name: str, arguments: str | None) -> Check:
    """Return the predicate of a constraint.

    `name` is matched regardless of case; `arguments` is the text between the parentheses, `None`
    without parentheses.

    Raises:
        ValueError: There is no such constraint, or its arguments are wrong.
    """
    known = name.lower()
    if arguments is None:
        if known in _PLAIN:
            return _PLAIN[known]
        if known in _WITH_NUMBERS or known == "regex":
            raise ValueError(f"constraint '{name}' needs arguments")
        raise ValueError(f"there is no constraint '{name}'")
    if known == "regex":
        return _regex(arguments)
    if known not in _WITH_NUMBERS:
        raise ValueError(
            f"constraint '{name}' takes no arguments"
            if known in _PLAIN
            else f"there is no constraint '{name}'"
        )
    make = _WITH_NUMBERS[known]
    texts = arguments.split(",")
    if len(texts) not in make or not all(map(_INTEGER.fullmatch, texts)):
        counts = " or ".join(map(str, make))
        raise ValueError(f"constraint '{name}' takes {counts} whole number(s), not ({arguments})")
    return make[len(texts)](*map(int, texts))


def _integer(bits: int) -> Check:
    limit = 1 << (bits - 1)
    return lambda text: (
        _INTEGER.fullmatch(text) is not None
        and _digits_fit(text)
        and -limit <= _whole(text) < limit
    )


def _digits_fit(text: str) -> bool:
    # int() refuses thousands of digits with an exception; no number here has more than 20.
    return len(text.strip().lstrip("+-").lstrip("0")) <= 20  # noqa: PLR2004 - digits of 2**64


def _whole(text: str) -> int:
    # The same is true of zeros at the start, of which there may be any number.
    return int(_ZEROS.sub("", text))


def _is_float(text: str) -> bool:
    return text.strip().lower() in _NOT_A_NUMBER or _NUMBER.fullmatch(text) is not None


def _is_decimal(text: str) -> bool:
    found = _NUMBER.fullmatch(text)
    if found is None or found["e"]:
        return False
    return abs(float(text.replace(",", ""))) <= _DECIMAL_LIMIT


def _is_datetime(text: str) -> bool:
    text = text.strip()
    if _ISO_DATE.fullmatch(text):
        with suppress(ValueError):
            datetime.fromisoformat(text)
            return True
    for form in _DATES:
        with suppress(ValueError):
            strptime(text, form)
            return True
    return False


def _is_file(text: str) -> bool:
    # A name with an extension: a dot that is not the last character of the last segment.
    _, dot, extension = text.rpartition("/")[2].rpartition(".")
    return bool(dot and extension)


def _regex(pattern: str) -> Check:
    try:
        search = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise ValueError(f"regex({pattern}) is no regular expression: {error}") from error
    return lambda text: search(text) is not None


def _between(low: int, high: int) -> Check:
    return lambda text: _is_long(text) and low <= _whole(text) <= high


def _length(low: int, high: int) -> Check:
    return lambda text: low <= len(text) <= high


_is_int: Final = _integer(32)
_is_long: Final = _integer(64)
_LONGEST: Final = 2**31 - 1

_PLAIN: Final[dict[str, Check]] = {
    "alpha": lambda text: _ALPHA.fullmatch(text) is not None,
    "bool": lambda text: text.strip().lower() in {"true", "false"},
    "datetime": _is_datetime,
    "decimal": _is_decimal,
    "double": _is_float,
    "file": _is_file,
    "float": _is_float,
    "guid": lambda text: _GUID.fullmatch(text) is not None,
    "int": _is_int,
    "long": _is_long,
    "nonfile": lambda text: not _is_file(text),
    "required": bool,
}
# By the number of arguments.
_WITH_NUMBERS: Final[dict[str, dict[int, Callable[..., Check]]]] = {
    "length": {1: lambda n: _length(n, n), 2: _length},
    "max": {1: lambda n: _between(-(2**63), n)},
    "maxlength": {1: lambda n: _length(0, n)},
    "min": {1: lambda n: _between(n, 2**63 - 1)},
    "minlength": {1: lambda n: _length(n, _LONGEST)},
    "range": {2: _between},
}
