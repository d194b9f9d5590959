"""The folders of the package: how large they may be, and which may import from which."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

EMULATOR = Path(__file__).parents[1]
PACKAGE = EMULATOR / "src" / "signalr_emulator"
SECTION = (EMULATOR / "README.md").read_text().partition("## How it is made")[2]
ROOMS = re.findall(r"^\| `(\w+)` \|", SECTION, re.MULTILINE)
KNOWN_TO_ALL = {"errors", "clock"}
"""Modules beside the rooms that a room may import from."""

MOST_FILES = 12


def room_of(path: Path) -> str:
    """Give the room of a module, or nothing for one beside the rooms."""
    return path.relative_to(PACKAGE).parent.as_posix().removeprefix(".")


def imported(path: Path) -> Iterator[str]:
    """Yield what a module imports of the package, as names from the package on."""
    room = room_of(path)
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(level=0, module=str(module)):
                modules = [module]
            case ast.ImportFrom(level=level, module=module, names=names):
                start = f"{room}." if room and level == 1 else ""
                ends = [module] if module else [alias.name for alias in names]
                assert level == 1 or (room and level == 2), f"{path} leaves the package"
                yield from (f"{start}{end}" for end in ends)
                continue
            case _:
                continue
        foreign = [name for name in modules if name.split(".")[0] != PACKAGE.name]
        assert foreign == modules, f"{path} imports {modules}: begin with a dot inside the package"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_from_rooms_before_it_only(room: str) -> None:
    allowed = {*ROOMS[: ROOMS.index(room) + 1], *KNOWN_TO_ALL}
    wrong = [
        f"{path.name}: {name}"
        for path in (PACKAGE / room).glob("*.py")
        for name in imported(path)
        if name.split(".")[0] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(KNOWN_TO_ALL))
def test_what_all_know_knows_nothing_of_ours(name: str) -> None:
    assert list(imported(PACKAGE / f"{name}.py")) == []


def test_every_import_of_a_module_beside_the_rooms_is_relative() -> None:
    names = {name for path in PACKAGE.glob("*.py") for name in imported(path)}
    assert {name.split(".")[0] for name in names} & set(ROOMS)


def test_every_folder_is_a_room_and_no_folder_lies_in_another() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}
    assert sorted(folder.relative_to(PACKAGE).as_posix() for folder in folders) == sorted(ROOMS)


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_a_room_has_a_dozen_files_at_most(room: str) -> None:
    files = [path.name for path in (PACKAGE / room).glob("*.py")]
    assert "__init__.py" in files
    assert len(files) <= MOST_FILES


@pytest.mark.parametrize("room", ROOMS)
def test_a_file_does_not_repeat_the_name_of_its_room(room: str) -> None:
    names = [path.stem for path in (PACKAGE / room).glob("*.py")]
    assert [name for name in names if room.removesuffix("s") in name] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_lives_there_and_exports_nothing(room: str) -> None:
    module = ast.parse((PACKAGE / room / "__init__.py").read_text())
    assert ast.get_docstring(module)
    assert len(module.body) == 1


def test_tests_lie_in_folders_named_as_the_rooms() -> None:
    folders = {path.parent.name for path in Path(__file__).parent.glob("*/test_*.py")}
    assert folders <= set(ROOMS)
