"""A configuration file: read, checked against its schema, and taken over."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..documents.json_text import decode_file, finite
from ..documents.problems import FieldError, pointer
from ..errors import ConfigFileError, JsonError
from .document import Choices, read_document
from .schema import problems
from .settings import ResourceConfig

__all__ = ["read_config_file"]


def read_config_file(path: Path) -> Choices:
    """Read a configuration file; defaults stand for what it leaves out.

    Args:
        path: TOML if its name ends with `.toml`, else JSON. Names of files in it are relative to
            its folder.

    Raises:
        ConfigFileError: It cannot be read, or something in it is wrong; the text tells all of it.
    """
    try:
        document = _parse(path.read_bytes(), path)
    except OSError as error:
        raise ConfigFileError(f"cannot read {path}: {error.strerror}") from error
    _refuse(path, problems(document, path.parent))
    choices = read_document(document, path.parent)
    _refuse(path, _repeated_names(choices.config.resources))
    return choices


def _parse(content: bytes, path: Path) -> Any:  # noqa: ANN401 - JSON or what TOML has in its place
    try:
        if path.suffix.lower() == ".toml":
            return tomllib.loads(content.decode("utf-8-sig"), parse_float=finite)
        return decode_file(content)
    except JsonError as error:
        raise ConfigFileError(f"{path} {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigFileError(f"{path} is not valid TOML in UTF-8: {error}") from error


def _refuse(path: Path, errors: Iterable[FieldError]) -> None:
    lines = [f"\n  {error.pointer} {error.detail}" for error in errors]
    if lines:
        raise ConfigFileError(f"{path} is not acceptable:{''.join(lines)}")


def _repeated_names(resources: Iterable[ResourceConfig]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for number, resource in enumerate(resources):
        name = resource.name.casefold()
        if name in seen:
            yield FieldError(
                pointer("services", number, "name"),
                f'is that of an earlier service. Example: "{resource.name}-{number + 1}"',
            )
        seen.add(name)
