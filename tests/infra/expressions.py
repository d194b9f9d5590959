"""What Bicep expressions come to."""

import uuid
from collections.abc import Callable, Mapping
from functools import reduce
from itertools import chain
from typing import Any, Final

from tree_sitter import Node

from tests.infra.bicep import children

SUBSCRIPTION: Final = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590"
TENANT: Final = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"

type Lookup = Callable[[str], Any]
"""Returns what a name stands for; with "()" behind it, a function."""


def guid(*parts: object) -> str:
    """Return an id that is always the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(str(each) for each in parts)))


def evaluate(node: Node, lookup: Lookup) -> Any:
    """Return the value of an expression.

    Args:
        node: The expression.
        lookup: What names in it stand for.

    Raises:
        LookupError: It names something that is not there, or a function that infra/ has no use for.
    """
    parts = children(node)
    match node.type:
        case "identifier":
            return lookup(_text(node))
        case "string":
            return "".join(_string_part(each, lookup) for each in parts)
        case "number":
            return int(_text(node))
        case "boolean":
            return _text(node) == "true"
        case "null":
            return None
        case "array":
            return [evaluate(each, lookup) for each in parts]
        case "object":
            return dict(_property(each, lookup) for each in parts)
        case "parenthesized_expression":
            return evaluate(parts[0], lookup)
        case "ternary_expression":
            condition, yes, no = parts
            return evaluate(yes if evaluate(condition, lookup) else no, lookup)
        case "unary_expression":
            return not evaluate(parts[0], lookup)
        case "binary_expression":
            return _binary(node, parts, lookup)
        case "member_expression" | "subscript_expression":
            return _access(node, (), lookup)
        case "lambda_expression":
            return _lambda(parts[0], lambda inner: evaluate(parts[1], inner), lookup)
        case "for_statement":
            return [evaluate(parts[2], inner) for inner in iterations(node, lookup)]
        case "call_expression":
            name = _text(parts[0])
            function = FUNCTIONS[name] if name in FUNCTIONS else lookup(f"{name}()")
            return function(*(evaluate(each, lookup) for each in children(parts[1])))
        case _:
            raise LookupError(f"no expression: {node.type}")


def _access(node: Node, keys: tuple[Any, ...], lookup: Lookup) -> Any:
    """Return what stands under keys in the value of an expression.

    The grammar takes `a ? b : c.d` for `(a ? b : c).d`, and lambdas likewise.
    """
    parts = children(node)
    match node.type:
        case "member_expression":
            return _access(parts[0], (_text(parts[1]), *keys), lookup)
        case "subscript_expression":
            return _access(parts[0], (evaluate(parts[1], lookup), *keys), lookup)
        case "ternary_expression":
            condition, yes, no = parts
            met = evaluate(condition, lookup)
            return evaluate(yes, lookup) if met else _access(no, keys, lookup)
        case "lambda_expression":
            return _lambda(parts[0], lambda inner: _access(parts[1], keys, inner), lookup)
        case _:
            return reduce(lambda value, key: value[key], keys, evaluate(node, lookup))


def iterations(node: Node, lookup: Lookup) -> list[Lookup]:
    """Return what names stand for in each turn of a loop."""
    variables, items, _ = children(node)
    names = [_text(each) for each in children(variables)] or [_text(variables)]
    return [
        _with(dict(zip(names, (item, index), strict=False)), lookup)
        for index, item in enumerate(evaluate(items, lookup))
    ]


def _property(node: Node, lookup: Lookup) -> tuple[str, Any]:
    key, value = children(node)
    name = _text(key) if key.type == "identifier" else evaluate(key, lookup)
    return name, evaluate(value, lookup)


def _string_part(node: Node, lookup: Lookup) -> str:
    if node.type == "interpolation":
        return str(evaluate(children(node)[0], lookup))
    text = _text(node)
    return {"\\n": "\n"}.get(text, text.removeprefix("\\"))


def _binary(node: Node, parts: list[Node], lookup: Lookup) -> bool:
    left, right = (evaluate(each, lookup) for each in parts)
    match next(_text(each) for each in node.children if not each.is_named):
        case "==":
            return bool(left == right)
        case ">":
            return bool(left > right)
        case operator:
            raise LookupError(f"no operator: {operator}")


def _lambda(variable: Node, body: Callable[[Lookup], Any], lookup: Lookup) -> Callable[[Any], Any]:
    return lambda item: body(_with({_text(variable): item}, lookup))


def _with(local: Mapping[str, Any], lookup: Lookup) -> Lookup:
    return lambda name: local[name] if name in local else lookup(name)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _union(*values: Any) -> Any:
    if isinstance(values[0], list):
        return list(dict.fromkeys(chain.from_iterable(values)))
    return dict(chain.from_iterable(each.items() for each in values))


def _object(items: list[Any], key: Callable[[Any], str], value: Callable[[Any], Any]) -> Any:
    return {key(each): value(each) for each in items}


# A function that is not here fails the tests: so does every one that lists keys.
FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "empty": lambda value: not value,
    "environment": lambda: {
        "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"}
    },
    "guid": guid,
    "join": lambda items, separator: separator.join(items),
    "map": lambda items, function: [function(each) for each in items],
    "replace": lambda text, old, new: text.replace(old, new),
    "string": lambda value: str(value).replace("'", '"'),
    "subscription": lambda: {"id": SUBSCRIPTION, "tenantId": TENANT},
    "subscriptionResourceId": lambda type_, name: f"{SUBSCRIPTION}/providers/{type_}/{name}",
    "toObject": _object,
    "union": _union,
    "uniqueString": lambda *parts: guid(*parts).replace("-", "")[:13],
}
