"""A JSON file that people write: what is wrong in it is told with its line and column."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["JsonFile", "SettingsError", "parse_json_file", "read_json_file"]

# Of text that has been read as JSON, so that nothing has to be checked again.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],:"]+')
_COMMENTS: Final = ("//", "/*", "#")

type _Path = tuple[str | int, ...]


class SettingsError(ValueError):
    """A file or an option is wrong; the message names it and says what to write.

    Of a file it tells line and column, and no value, which may be a secret.
    """


@dataclass(frozen=True, slots=True)
class JsonFile:
    """The object that a file holds.

    Args:
        name: What errors call the file.
        root: The object.
        text: The text of the file.
        places: Where in it each value begins, by the names that lead to it.
    """

    name: str
    root: Mapping[str, object]
    text: str
    places: Mapping[_Path, int]

    def place(self, *path: str) -> str:
        """Return file, line and column of a value, as `host.json:2:14`.

        Args:
            path: The names that lead to it. Where it is not there, the place is that of the object
                that it would be in.
        """
        while path not in self.places:
            path = path[:-1]
        return _place(self.name, self.text, self.places[path])


def read_json_file(path: Path) -> JsonFile | None:
    """Read a file; `None` where there is none. A byte order mark before the text is no fault.

    Raises:
        SettingsError: It cannot be read, or does not hold a JSON object.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        raise SettingsError(
            f"{_place(str(path), before, len(before))}: this is no UTF-8; save the file as UTF-8"
        ) from None
    return parse_json_file(text, str(path))


def parse_json_file(text: str, name: str) -> JsonFile:
    """Read the text of a file.

    Args:
        text: The text, without byte order mark.
        name: What errors call the file.

    Raises:
        SettingsError: It does not hold a JSON object, or has a name twice in one object.
    """
    try:
        root = json.loads(text)
    except json.JSONDecodeError as error:
        place = _place(name, text, error.pos)
        raise SettingsError(f"{place}: {_explained(error, text)}") from None
    except RecursionError:
        raise SettingsError(f"{name} cannot be read: it is nested too deep") from None
    except ValueError:
        # Python makes no number of so many digits.
        raise SettingsError(f"{name} cannot be read: a number in it is too long") from None
    places = _places(text, name)
    if not isinstance(root, dict):
        raise SettingsError(f"{_place(name, text, places[()])}: the file must hold a JSON object")
    return JsonFile(name, root, text, places)


def _explained(error: json.JSONDecodeError, text: str) -> str:
    if not text.strip():
        return "the file is empty; it must hold a JSON object"
    if text.startswith(_COMMENTS, error.pos):
        return "JSON has no comments; remove this one"
    if error.msg.startswith("Expecting ',' delimiter") and text.startswith('"', error.pos):
        return "a comma is missing before this"
    if error.msg.startswith("Illegal trailing comma"):
        return "this comma is one too many; nothing comes after it"
    return error.msg


def _places(text: str, name: str) -> Mapping[_Path, int]:
    places: dict[_Path, int] = {}
    # The names that lead to the next value. The last one is `None` where a name comes first.
    path: list[str | int | None] = []
    for token in _TOKEN.finditer(text):
        what = token[0]
        if what in "}]":
            path.pop()
        elif what == ",":
            last = path[-1]
            path[-1] = last + 1 if isinstance(last, int) else None
        elif path and path[-1] is None:
            path[-1] = json.loads(what)
            if _known(path) in places:
                place = _place(name, text, token.start())
                raise SettingsError(f"{place}: {what} is there a second time; remove one of them")
        else:
            places[_known(path)] = token.start()
            if what in "{[":
                path.append(None if what == "{" else 0)
    return places


def _known(path: list[str | int | None]) -> _Path:
    return tuple(each for each in path if each is not None)


def _place(name: str, text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    return f"{name}:{line}:{offset - text.rfind('\n', 0, offset)}"
