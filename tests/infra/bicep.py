"""Bicep files as their declarations: what the language has, of what infra/ uses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

ROOT: Final = Path(__file__).parents[2]
INFRA: Final = ROOT / "infra"
_PARSER: Final = Parser(Language(tree_sitter_bicep.language()))

type Sources = Mapping[str, str]
"""The files under infra/, and those above that they read, by their path from there."""

SOURCES: Final[Sources] = {
    path.relative_to(INFRA, walk_up=True).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "host.json", *sorted(INFRA.rglob("*")))
    if path.is_file()
}
BICEP: Final = tuple(name for name in SOURCES if name.endswith(".bicep"))


class BicepError(Exception):
    """What `bicep build` would not take, with file and line."""


@dataclass(frozen=True)
class Declaration:
    """What a name stands for.

    Args:
        kind: `parameter`, `variable`, `resource`, `module`, `output` or `type`.
        name: The name.
        reference: Type and version of a resource, path of a module, type of a parameter or output.
        body: Its value; `None` for a parameter without default.
        decorators: Arguments of each decorator, by its name.
        existing: Whether it names a resource that another file or person makes.
        line: Where it stands.
    """

    kind: str
    name: str
    reference: str
    body: Node | None
    decorators: Mapping[str, list[Node]]
    existing: bool
    line: int


@dataclass(frozen=True)
class File:
    """A Bicep file.

    Args:
        name: Its path under infra/.
        declarations: By their names; an output may have the name of something else.
        outputs: Likewise.
        target: `resourceGroup`, or the scope that it names.
    """

    name: str
    declarations: dict[str, Declaration] = field(default_factory=dict)
    outputs: dict[str, Declaration] = field(default_factory=dict)
    target: str = "resourceGroup"

    def of(self, kind: str) -> list[Declaration]:
        """Return the declarations of a kind, in their order."""
        return [each for each in self.declarations.values() if each.kind == kind]


def read(name: str, content: str) -> File:
    """Read a file.

    Args:
        name: Its path under infra/.
        content: What it says.

    Raises:
        BicepError: Its syntax is wrong, or a name is declared twice, used without a declaration or
            declared without a use.
    """
    root = _PARSER.parse(content.encode()).root_node
    for node in _all(root):
        if node.is_error or node.is_missing:
            raise _error(name, node, f"cannot be read: {text(node).splitlines()[0]!r}")
        if node.type == "array" and _runs_on(node):
            raise _error(name, node, "has items without a comma; give the item a name of its own")
    file = File(name, target=_target(root))
    decorators: dict[str, list[Node]] = {}
    for node in children(root):
        if node.type == "decorators":
            decorators = dict(_decorator(each) for each in children(node))
        elif node.type.endswith("_declaration"):
            found = _declaration(node, decorators)
            decorators = {}
            names = file.outputs if found.kind == "output" else file.declarations
            if found.name in names:
                raise _error(name, node, f"{found.name} is declared twice")
            names[found.name] = found
    _check_names(file, root)
    return file


def children(node: Node) -> list[Node]:
    """Return the parts of a node that mean something."""
    return [each for each in node.named_children if each.type != "comment"]


def text(node: Node) -> str:
    """Return what a node says in the file."""
    return (node.text or b"").decode()


def _declaration(node: Node, decorators: Mapping[str, list[Node]]) -> Declaration:
    name, *parts = children(node)
    kind = node.type.removesuffix("_declaration")
    typed = parts and (parts[0].type == "type" or kind in {"resource", "module"})
    reference = text(parts.pop(0)).strip("'") if typed else ""
    existing = any(each.type == "existing" for each in node.children)
    return Declaration(
        kind,
        text(name),
        reference,
        parts[0] if parts else None,
        decorators,
        existing,
        node.start_point.row + 1,
    )


def _decorator(node: Node) -> tuple[str, list[Node]]:
    function, arguments = children(children(node)[0])
    return text(function), children(arguments)


def _target(root: Node) -> str:
    named = [each for each in children(root) if each.type == "target_scope_assignment"]
    return text(children(named[0])[0]).strip("'") if named else "resourceGroup"


def _check_names(file: File, root: Node) -> None:
    used = {each for node in children(root) for each in _used(node, frozenset())}
    for name, line in used:
        if name not in file.declarations:
            raise BicepError(f"{file.name}:{line}: {name} is not declared")
    for each in file.declarations.values():
        needed = each.kind in {"parameter", "variable", "type"} or each.existing
        if needed and each.name not in {name for name, _ in used}:
            raise BicepError(f"{file.name}:{each.line}: {each.name} is not used")


def _used(node: Node, local: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield the names that an expression uses, with their lines; `local` are those it makes."""
    if node.type == "identifier":
        if text(node) not in local:
            yield text(node), node.start_point.row + 1
        return
    parts = children(node)
    match node.type:
        case "decorators" | "target_scope_assignment":
            return
        case kind if kind.endswith("_declaration"):
            parts = parts[1:]
        case "object_property":
            parts = parts[1:] if parts[0].type == "identifier" else parts
        case "call_expression":
            parts = parts[1:]
        case "lambda_expression" | "for_statement":
            local |= {text(each) for each in _leaves(parts[0])}
            parts = parts[1:]
        case _:
            pass
    for each in parts:
        yield from _used(each, local)


def _runs_on(array: Node) -> bool:
    """Tell whether items share a line with no comma between, as the grammar reads `[a[0].b]`."""
    items = children(array)
    between = (
        (array.text or b"")[left.end_byte - array.start_byte : right.start_byte - array.start_byte]
        for left, right in pairwise(items)
    )
    return any(b"," not in each and b"\n" not in each for each in between)


def _leaves(node: Node) -> Iterator[Node]:
    if not node.named_child_count:
        yield node
    for each in node.named_children:
        yield from _leaves(each)


def _all(node: Node) -> Iterator[Node]:
    yield node
    for each in node.children:
        yield from _all(each)


def _error(name: str, node: Node, problem: str) -> BicepError:
    return BicepError(f"{name}:{node.start_point.row + 1}: {problem}")
