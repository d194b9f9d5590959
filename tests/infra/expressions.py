"""What Bicep expressions come to: of the language, what infra/ has a use for."""

import json
import uuid
from collections.abc import Callable, Mapping
from functools import reduce
from itertools import chain
from typing import Any, Final

from tree_sitter import Node

from tests.infra.bicep import children, text

SUBSCRIPTION: Final = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590"
TENANT: Final = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"

type Value = Any
"""Text, number, truth, list, object or function; Bicep knows its type at run time."""

type Lookup = Callable[[str], Value]
"""Returns what a name stands for; with "()" behind it, a function."""


def guid(*parts: object) -> str:
    """Return an id that is always the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(str(each) for each in parts)))


def evaluate(node: Node, lookup: Lookup) -> Value:
    """Return the value of an expression.

    Args:
        node: The expression.
        lookup: What names in it stand for.

    Raises:
        LookupError: It names something that is not there, or a function that infra/ has no use for.
    """
    return _EXPRESSIONS[node.type](node, children(node), lookup)


def iterations(node: Node, lookup: Lookup) -> list[Lookup]:
    """Return what names stand for in each turn of a loop."""
    variables, items, _ = children(node)
    names = [text(each) for each in children(variables)] or [text(variables)]
    return [
        _with(dict(zip(names, (item, index), strict=False)), lookup)
        for index, item in enumerate(evaluate(items, lookup))
    ]


def _string(_: Node, parts: list[Node], lookup: Lookup) -> str:
    return "".join(
        str(evaluate(children(part)[0], lookup))
        if part.type == "interpolation"
        else text(part).removeprefix("\\")
        for part in parts
    )


def _object(_: Node, parts: list[Node], lookup: Lookup) -> Value:
    pairs = (children(part) for part in parts)
    return {
        text(key) if key.type == "identifier" else evaluate(key, lookup): evaluate(value, lookup)
        for key, value in pairs
    }


def _call(_: Node, parts: list[Node], lookup: Lookup) -> Value:
    name, arguments = text(parts[0]), children(parts[1])
    function = _FUNCTIONS[name] if name in _FUNCTIONS else lookup(f"{name}()")
    return function(*(evaluate(each, lookup) for each in arguments))


def _binary(node: Node, parts: list[Node], lookup: Lookup) -> bool:
    operator = next(text(each) for each in node.children if not each.is_named)
    left, right = (evaluate(each, lookup) for each in parts)
    holds: Mapping[str, Callable[[], Value]] = {
        "==": lambda: left == right,
        ">": lambda: left > right,
        "||": lambda: left or right,
    }
    return bool(holds[operator]())


def _access(node: Node, _: list[Node], lookup: Lookup, keys: tuple[Value, ...] = ()) -> Value:
    """Return what stands under keys in the value of an expression.

    The grammar takes `a ? b : c.d` for `(a ? b : c).d`, and `x => x.y` for `(x => x).y`.
    """
    parts = children(node)
    match node.type:
        case "member_expression":
            return _access(parts[0], [], lookup, (text(parts[1]), *keys))
        case "subscript_expression":
            return _access(parts[0], [], lookup, (evaluate(parts[1], lookup), *keys))
        case "ternary_expression":
            met = evaluate(parts[0], lookup)
            return evaluate(parts[1], lookup) if met else _access(parts[2], [], lookup, keys)
        case "lambda_expression":
            variable, body = parts
            return lambda item: _access(body, [], _with({text(variable): item}, lookup), keys)
        case _:
            return reduce(lambda value, key: value[key], keys, evaluate(node, lookup))


def _with(local: Mapping[str, Value], lookup: Lookup) -> Lookup:
    return lambda name: local[name] if name in local else lookup(name)


def _union(*values: Value) -> Value:
    """Merge lists, or objects with the objects inside them; else the last value counts."""
    if all(isinstance(each, list) for each in values):
        return list(dict.fromkeys(chain.from_iterable(values)))
    return reduce(_merged, values)


def _merged(one: Value, other: Value) -> Value:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {**one, **{key: _merged(one.get(key), value) for key, value in other.items()}}


_EXPRESSIONS: Final[Mapping[str, Callable[[Node, list[Node], Lookup], Value]]] = {
    "array": lambda _, parts, lookup: [evaluate(each, lookup) for each in parts],
    "binary_expression": _binary,
    "boolean": lambda node, _, __: text(node) == "true",
    "call_expression": _call,
    "for_statement": lambda node, parts, lookup: [
        evaluate(parts[2], each) for each in iterations(node, lookup)
    ],
    "identifier": lambda node, _, lookup: lookup(text(node)),
    "lambda_expression": _access,
    "member_expression": _access,
    "number": lambda node, _, __: int(text(node)),
    "object": _object,
    "parenthesized_expression": lambda _, parts, lookup: evaluate(parts[0], lookup),
    "string": _string,
    "subscript_expression": _access,
    "ternary_expression": _access,
    "unary_expression": lambda _, parts, lookup: not evaluate(parts[0], lookup),
}

# A function that is not here fails the tests. So does every one that lists keys.
_FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "contains": lambda whole, part: part in whole,
    "empty": lambda value: not value,
    "endsWith": str.endswith,
    "environment": lambda: {
        "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"}
    },
    "filter": lambda items, holds: [each for each in items if holds(each)],
    "flatten": lambda lists: list(chain.from_iterable(lists)),
    "guid": guid,
    "join": lambda items, separator: separator.join(items),
    "map": lambda items, function: [function(each) for each in items],
    "replace": lambda whole, old, new: whole.replace(old, new),
    "split": lambda whole, separator: whole.split(separator),
    "string": lambda value: json.dumps(value) if isinstance(value, list) else str(value),
    "subscription": lambda: {"id": SUBSCRIPTION, "tenantId": TENANT},
    "subscriptionResourceId": lambda type_, name: f"{SUBSCRIPTION}/providers/{type_}/{name}",
    "toObject": lambda items, key, value: {key(each): value(each) for each in items},
    "union": _union,
    "toLower": str.lower,
    "trim": str.strip,
    "uniqueString": lambda *parts: guid(*parts).replace("-", "")[:13],
}
