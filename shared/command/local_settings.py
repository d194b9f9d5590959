"""`local.settings.json`: the settings of an app on a developer's machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["DEFAULT_NAME", "SettingsFile", "SettingsFileError", "read_settings_file"]

DEFAULT_NAME: Final = "local.settings.json"
_DEFAULT_PORT: Final = 7071
"""Where Core Tools and the local host listen when the file does not say it."""


class SettingsFileError(Exception):
    """The file cannot be used.

    Args:
        problem: What is wrong with it.
        fix: How to fix it.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}. {fix}")
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What of the file matters here.

    Args:
        values: The settings.
        port: Where the local host listens.
    """

    values: Mapping[str, str] = field(repr=False)
    port: int = _DEFAULT_PORT


def read_settings_file(path: Path) -> SettingsFile:
    """Read a settings file.

    Raises:
        SettingsFileError: It cannot be used. The message repeats no value.
    """
    try:
        # Editors on Windows put a byte order mark before JSON.
        root = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_members)
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        # Where it is, in the form that editors and terminals open.
        place = f"{path}:{error.lineno}:{error.colno}:"
        raise _error(place, f"is no JSON: {error.msg}") from None
    except ValueError as error:
        raise _error(path, f"is no JSON in UTF-8: {error}") from None
    if not isinstance(root, dict):
        raise _error(path, "holds no JSON object")
    if root.get("IsEncrypted") is True:
        raise _error(path, "is encrypted", "func settings decrypt")
    values, host = root.get("Values") or {}, root.get("Host") or {}
    if not (isinstance(values, dict) and isinstance(host, dict)):
        raise _error(path, "has Values or Host that are no objects")
    port = host.get("LocalHttpPort", _DEFAULT_PORT)
    if isinstance(port, bool) or not isinstance(port, int):
        raise _error(path, "has a Host.LocalHttpPort that is no number", f"Write {_DEFAULT_PORT}")
    return SettingsFile(
        {name: _text(value) for name, value in values.items() if value is not None}, port
    )


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice}" is there twice in one object')
    return members


def _error(path: Path | str, problem: str, fix: str = "") -> SettingsFileError:
    made_anew = f"Mend it, or begin anew: cp {DEFAULT_NAME}.example {DEFAULT_NAME}"
    return SettingsFileError(f"{path} {problem}", fix or made_anew)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
