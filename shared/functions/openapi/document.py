"""Writes the table of operations as an OpenAPI 3.1 document.

Schemas are those of the types that validate requests and make answers.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import Struct

from ...settings.names import HUB_PATTERN, MAX_NAME_LENGTH
from ..broadcast.body import MAX_ITEMS
from ..broadcast.items import Item
from ..broadcast.validation import Hub, Name
from ..http_function import RoutedFunction
from .operations import OPERATIONS, Answer, Operation, Problem

__all__ = ["document", "document_text"]

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_STRING: Final = {"type": "string"}
_NAMES: Final[Mapping[object, dict[str, Any]]] = {
    Name: {**_STRING, "minLength": 1, "maxLength": MAX_NAME_LENGTH},
    Hub: {**_STRING, "pattern": f"^{HUB_PATTERN}$"},
}
_AS_IN_PATH: Final = "As in the path; needed for a name with a slash or the text %2F."
_WRONG_METHOD: Final = Answer(
    "The resource does not know the method.", Problem, {"Allow": "The methods that it knows."}
)
_NO_KEY: Final = Answer("The function key is missing or wrong.")

type _Schema = dict[str, Any]


def document_text(
    registered: Iterable[RoutedFunction], path: str, *, has_default_hub: bool = True
) -> bytes:
    """Return the document as JSON; arguments as of `document`."""
    return msgspec.json.encode(document(registered, path, has_default_hub=has_default_hub))


def document(
    registered: Iterable[RoutedFunction], path: str, *, has_default_hub: bool = True
) -> _Schema:
    """Return the document.

    Args:
        registered: The functions that there are.
        path: The document's own route below the host's route prefix.
        has_default_hub: Whether a request may name no hub.
    """
    there = [
        (routed, operation)
        for routed in registered
        for operation in OPERATIONS
        if operation.function == routed.function
    ]
    schemas = _Schemas((operation for _, operation in there), has_default_hub=has_default_hub)
    paths: dict[str, _Schema] = {}
    for routed, operation in there:
        described = paths.setdefault(f"/{routed.path}", {})
        described[operation.method.lower()] = _operation(operation, routed, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Keyless SignalR",
            "version": "1.0.0",
            "description": "Lets clients connect to Azure SignalR Service and sends to them.",
        },
        "servers": [{"url": _base(path)}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "functionKeyHeader": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "functionKeyQuery": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
    }


def _base(path: str) -> str:
    """Return what leads from the document to where the paths begin.

    A relative URL of a server counts from the document's own address (OpenAPI 3.1, Server Object),
    so it is right under any route prefix, and behind a proxy that has another one.
    """
    return "/".join([".."] * path.count("/")) or "."


class _Schemas:
    """The schemas of every type of some operations, and of their parameters."""

    def __init__(self, operations: Iterable[Operation], *, has_default_hub: bool) -> None:
        self._defaults = {"hub"} if has_default_hub else set()
        types = [each for each in _types(operations) if each is not dict]
        references, self.components = msgspec.json.schema_components(
            types, schema_hook=_NAMES.__getitem__, ref_template="#/components/schemas/{name}"
        )
        self._references = dict(zip(types, references, strict=True))
        for component in self.components.values():
            # What follows the first line of a docstring is for readers of the source.
            component["description"] = component["description"].partition("\n")[0]
        for each in types:
            if issubclass(each, Item):
                self.components[each.__name__] |= each.rules

    def reference(self, wanted: type) -> _Schema:
        """Return what stands for a type in the document."""
        return {"type": "object"} if wanted is dict else self._references[wanted]

    def parameters(self, struct: type[Struct]) -> _Schema:
        """Return the schemas of a struct's fields by the names that the request has them by."""
        properties: _Schema = msgspec.json.schema(
            struct, schema_hook=_NAMES.__getitem__, ref_template="{name}"
        )["$defs"][struct.__name__]["properties"]
        return properties

    def required(self, struct: type[Struct]) -> Container[str]:
        """Return the names of a struct's fields that a request has to have."""
        fields = msgspec.structs.fields(struct)
        return {each.encode_name for each in fields if each.required} - self._defaults


def _types(operations: Iterable[Operation]) -> Iterator[type]:
    yield Problem  # of the 405 that each of them has
    for operation in operations:
        if operation.items is not None:
            yield operation.items
        for answer in operation.answers.values():
            if answer.body is not None:
                yield answer.body


def _operation(operation: Operation, routed: RoutedFunction, schemas: _Schemas) -> _Schema:
    answers = {**operation.answers, HTTPStatus.METHOD_NOT_ALLOWED: _WRONG_METHOD}
    if operation.is_keyed:
        answers[HTTPStatus.UNAUTHORIZED] = _NO_KEY
    has_bodies = operation.method != "HEAD"
    described: _Schema = {
        "operationId": routed.qualified(operation.name),
        "summary": operation.summary,
        "security": [{"functionKeyHeader": []}, {"functionKeyQuery": []}]
        if operation.is_keyed
        else [],
        "responses": {
            str(status.value): _answer(answer, schemas, has_body=has_bodies)
            for status, answer in sorted(answers.items())
        },
    }
    if operation.parameters is not None:
        described["parameters"] = _parameters(routed.path, operation.parameters, schemas)
    for name, meaning in operation.headers.items():
        header = _parameter(name, "header", meaning, _STRING, is_required=True)
        described.setdefault("parameters", []).append(header)
    if operation.items is not None:
        described["requestBody"] = _request_body(operation.items, schemas)
    return described


def _answer(answer: Answer, schemas: _Schemas, *, has_body: bool) -> _Schema:
    described: _Schema = {"description": answer.description}
    if answer.headers:
        described["headers"] = {
            name: {"description": meaning, "required": True, "schema": _STRING}
            for name, meaning in answer.headers.items()
        }
    if has_body and answer.body is not None:
        media_type = _PROBLEM if answer.body is Problem else _JSON
        described["content"] = {media_type: {"schema": schemas.reference(answer.body)}}
    return described


def _parameters(path: str, struct: type[Struct], schemas: _Schemas) -> list[_Schema]:
    in_path = set(re.findall(r"\{(\w+)\}", path))
    required = schemas.required(struct)
    described: list[_Schema] = []
    for name, schema in schemas.parameters(struct).items():
        meaning = schema.pop("description")
        is_required = name in required
        if name in in_path:
            described.append(_parameter(name, "path", meaning, schema, is_required=True))
            meaning, is_required = f"{meaning} {_AS_IN_PATH}", False
        described.append(_parameter(name, "query", meaning, schema, is_required=is_required))
    return described


def _parameter(
    name: str, place: str, meaning: str, schema: _Schema, *, is_required: bool
) -> _Schema:
    return {
        "name": name,
        "in": place,
        "required": is_required,
        "description": meaning,
        "schema": schema,
    }


def _request_body(items: type[Item], schemas: _Schemas) -> _Schema:
    one = schemas.reference(items)
    several = {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_ITEMS}
    return {"required": True, "content": {_JSON: {"schema": {"anyOf": [one, several]}}}}
