import ast
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import shared
from shared import errors, functions

packages = pytest.mark.parametrize("package", [shared, functions], ids=lambda each: each.__name__)


@packages
def test_the_list_of_exports_is_whole(package: ModuleType) -> None:
    for name in package.__all__:
        getattr(package, name)
    offered = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert offered - set(package.__all__) <= {"TYPE_CHECKING", "lazy_exports"}


@packages
def test_everything_can_be_imported_by_who_imports_nothing_else(package: ModuleType) -> None:
    names = ", ".join(package.__all__)
    subprocess.run([sys.executable, "-c", f"from {package.__name__} import {names}"], check=True)


@packages
def test_what_is_imported_later_is_what_type_checkers_see(package: ModuleType) -> None:
    tree = ast.parse(Path(str(package.__file__)).read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        name.name: each.module
        for each in typed.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    }
    (modules,) = (node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    assert ast.literal_eval(modules) == seen


def test_what_is_not_exported_is_an_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"^module 'shared' has no attribute 'Hub'$"):
        getattr(shared, "Hub")  # noqa: B009  as any name
    with pytest.raises(ImportError, match="cannot import name 'Hub'"):
        exec("from shared import Hub")  # noqa: S102  what mypy would refuse


def test_every_error_can_be_caught_by_a_name_of_the_package() -> None:
    assert set(errors.__all__) <= set(shared.__all__)
    for name in errors.__all__:
        assert issubclass(getattr(shared, name), shared.SignalRError)
