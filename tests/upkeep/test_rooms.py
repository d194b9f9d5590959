"""Packages consist of rooms: folders of a dozen modules at most, which import one way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_MODULES = 12
ROOMS = {
    "doctor": (
        "finding", "redaction", "network", "emulator", "diagnoses", "checks", "running",
        "configuration", "runner", "report", "plan",
    ),
    "funchost": (
        "__init__", "log", "shutdown", "ports", "worker", "routing", "authentication", "server",
        "json_file", "settings", "options", "configuration", "serving", "reload",
    ),
    "bench": (
        "interval", "noise", "pairs", "processes", "meter", "report", "plot", "tables", "fanout",
        "growth", "functions", "rows", "simulate", "against", "server_connections", "emulator_rest",
        "rest", "locustfile",
    ),
    "bench/simulate": ("model", "series", "plots", "summary", "tables"),
    "load": (
        "moved_clock", "clock", "processes", "account", "clients", "plan", "traffic", "rig",
        "faults", "run", "chaos", "report", "storm", "server_connections", "tables",
    ),
    "interop": (
        "clients", "library", "languages", "agent", "sign_in", "app", "checks",
        "programs", "results", "app_servers",
    ),
    "shared": (
        "lazy", "errors", "spelling", "unwritable", "settings", "telemetry", "identity", "keys",
        "transport", "bodies", "rest", "service_protocol", "endpoints", "server_connections",
        "base_client", "client", "aio", "persistent", "command", "functions",
    ),
    "shared/functions": (
        "problems", "address", "json_body", "issuers", "local_features",
        "places", "http_function", "health",
        "negotiate", "broadcast", "events", "upstream", "openapi", "misspelt_settings",
        "deferred", "signalr_functions",
    ),
}  # fmt: skip
"""The folder of each package, and its rooms from the ground up.

A module beside the rooms stands in their order like one. On top of all are `__main__` and, where
it is not named, `__init__`. A room that has rooms of its own gets a row for them, under its path.
"""

every_package = pytest.mark.parametrize("package", ROOMS)


def modules(package: str) -> Iterator[Path]:
    yield from sorted((ROOT / package).rglob("*.py"))


def room_of(path: Path, package: str) -> str | None:
    """Return the room of a module, or of a module's name without ending; `None` for others."""
    folder = ROOT / package
    if path == folder:
        return "__init__"
    return path.relative_to(folder).parts[0].removesuffix(".py") if folder in path.parents else None


def relative_imports(module: Path) -> Iterator[tuple[int, Path]]:
    """Yield the line of each relative import, and the path that it names, without ending."""
    for node in ast.walk(ast.parse(module.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        for name in node.names:
            # What is imported is a module, or something that the module before it holds.
            path = base / name.name
            is_module = path.is_dir() or path.with_suffix(".py").is_file()
            yield node.lineno, path if is_module else base


@every_package
def test_the_table_names_what_is_there(package: str) -> None:
    named = {*ROOMS[package], "__init__", "__main__"}
    there = {room_of(module, package) for module in modules(package)}
    assert there - named == set()
    assert set(ROOMS[package]) - there == set()


@every_package
def test_imports_go_one_way(package: str) -> None:
    order = list(dict.fromkeys((*ROOMS[package], "__init__", "__main__")))
    upwards = [
        f"{module.relative_to(ROOT)}:{line}: {own} imports {other}"
        for module in modules(package)
        for line, path in relative_imports(module)
        if (own := room_of(module, package)) and (other := room_of(path, package))
        if order.index(other) > order.index(own)
    ]
    assert upwards == []


@every_package
def test_imports_inside_a_package_are_relative(package: str) -> None:
    own = import_name(ROOT / package)
    absolute = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in modules(package)
        for name in absolute_imports(module)
        if f"{name}.".startswith(f"{own}.")
    ]
    assert absolute == []


def import_name(folder: Path) -> str:
    outer = folder.parent
    return (
        f"{import_name(outer)}.{folder.name}" if (outer / "__init__.py").is_file() else folder.name
    )


def absolute_imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name


@every_package
def test_a_room_has_a_dozen_modules_at_most(package: str) -> None:
    folders = {module.parent for module in modules(package)}
    counts = {
        folder.relative_to(ROOT).as_posix(): len(list(folder.glob("*.py"))) for folder in folders
    }
    assert {name: count for name, count in counts.items() if count > MOST_MODULES} == {}


@every_package
def test_a_module_does_not_repeat_the_name_of_its_room(package: str) -> None:
    repeating = [
        module.relative_to(ROOT).as_posix()
        for module in modules(package)
        if module.parent != ROOT / package
        if f"{module.stem}_".startswith(f"{module.parent.name}_")
    ]
    assert repeating == []
