"""The JSON Schema of the configuration file, and what is wrong with a file by it.

Source: JSON Schema, draft 2020-12. Three formats of its own go beyond what a schema can say.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from cryptography import x509
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from ..admission.rules import host_name
from ..documents.json_text import Json
from ..documents.problems import FieldError, pointer
from ..errors import EmulatorError, UpstreamSettingsError
from ..upstream.settings import parse_template
from ..upstream.settings_file import UpstreamFile

__all__ = ["problems", "schema_text"]

_SETTINGS = "upstream-settings"
"""The format of the name of a settings.json."""

_TYPES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

_RULES: Mapping[str, Callable[[Any], str]] = {
    "type": lambda name: f"has to be {_TYPES[name]}",
    "enum": lambda values: f"has to be one of {', '.join(map(json.dumps, values))}",
    "minimum": lambda limit: f"has to be at least {limit}",
    "exclusiveMinimum": lambda limit: f"has to be more than {limit}",
    "maximum": lambda limit: f"has to be at most {limit}",
    "minItems": lambda count: f"has to have at least {count} item",
    "maxItems": lambda count: f"has to have at most {count} items",
}
"""What is wrong, by the keyword of the schema and its value; the value in the file is not told,
as it may be a key."""


def schema_text() -> str:
    """Give the schema as JSON."""
    return (files(__name__) / "config.schema.json").read_text(encoding="utf-8")


def problems(document: Json, folder: Path) -> list[FieldError]:
    """Tell everything that is wrong with a configuration.

    Args:
        document: The configuration.
        folder: What the names of files in it are relative to.
    """
    schema = json.loads(schema_text())
    validator = Draft202012Validator(schema, format_checker=_formats(folder))
    found = (each for error in validator.iter_errors(document) for each in _explained(error))
    # A set, since the library reports each missing property once, without its name.
    return sorted(set(found), key=lambda each: each.pointer)


def _formats(folder: Path) -> FormatChecker:
    checker = FormatChecker(["uuid"])
    for name, check in (
        ("host-name", host_name),
        ("upstream-template", parse_template),
        (_SETTINGS, lambda text: UpstreamFile(folder / text)),
        (
            "certificate-file",
            lambda text: x509.load_pem_x509_certificate((folder / text).read_bytes()),
        ),
    ):
        checker.checks(name, raises=(UpstreamSettingsError, OSError, ValueError))(_passes(check))
    return checker


def _passes(check: Callable[[str], object]) -> Callable[[object], bool]:
    def passes(value: object) -> bool:
        if isinstance(value, str):
            check(value)
        return True

    return passes


def _explained(error: ValidationError) -> Iterator[FieldError]:
    path = error.absolute_path
    # The library's types allow for errors without them, which a validator does not give.
    schema: Any = error.schema
    instance: Any = error.instance
    rule: Any = error.validator_value
    if error.validator == "additionalProperties":
        known = schema["properties"]
        for name in instance.keys() - known.keys():
            yield FieldError(pointer(*path, name), _unknown(name, list(known)))
        return
    if error.validator == "required":
        for name in set(rule) - instance.keys():
            example = _example(schema["properties"][name])
            yield FieldError(pointer(*path, name), f"is missing. {example}")
        return
    yield FieldError(pointer(*path), f"{_detail(error, schema)}. {_example(schema)}")


def _detail(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if isinstance(error.cause, OSError):
        return f"names a file that cannot be read: {error.cause.strerror}"
    if isinstance(error.cause, EmulatorError):
        in_file = error.validator_value == _SETTINGS
        return f"names a file with a fault: {error.cause}" if in_file else str(error.cause)
    rule = _RULES.get(str(error.validator))
    if rule is not None:
        return rule(error.validator_value)
    return f"does not fit its description: {schema['description'].removesuffix('.')}"


def _unknown(name: str, known: list[str]) -> str:
    similar = get_close_matches(name, known, n=1) or known
    return f"is unknown. Known here: {', '.join(similar)}"


def _example(schema: Mapping[str, Any]) -> str:
    return f"Example: {json.dumps(schema['examples'][0], ensure_ascii=False)}"
