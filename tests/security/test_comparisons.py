"""Secrets are compared in constant time: seen in the source, since time cannot be measured here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("broadcast", "demo", "emulator/src", "funchost", "negotiate", "shared")
SECRET = re.compile(r"(signature|secret|password|digest|hmac|identity_header|access_?key)s?$")
COMPARES = {
    "shared/functions/upstream/signature.py",
    "funchost/server/keys.py",
    "emulator/src/signalr_emulator/control/app_service.py",
    "emulator/src/signalr_emulator/entra/applications.py",
}
"""Where a secret that somebody shows is compared with the real one."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text())


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower()
        case ast.Call(func=function):
            return name_of(function)
        case _:
            return ""


def compared(comparison: ast.Compare) -> Iterator[ast.expr]:
    """Yield what is compared with another value; nobody learns a secret from its being there."""
    sides = [comparison.left, *comparison.comparators]
    constants = any(isinstance(side, ast.Constant) for side in sides)
    operators = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
    if not constants and any(isinstance(each, operators) for each in comparison.ops):
        yield from sides


def test_no_secret_is_compared_by_an_operator() -> None:
    found = [
        f"{file}:{node.lineno}"
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(SECRET.search(name_of(side)) for side in compared(node))
    ]
    assert found == []


def test_where_a_secret_is_shown_it_is_compared_in_constant_time() -> None:
    calling = {
        file
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name_of(node.func) == "compare_digest"
    }
    assert calling == COMPARES
