"""Where a function of the app is written, for errors that name it."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path

__all__ = ["name_of", "placed"]


def name_of(function: Callable[..., object]) -> str:
    """Return the name of a function, or what kind of callable it is."""
    name: str = getattr(function, "__qualname__", type(function).__qualname__)
    return name


def placed(function: Callable[..., object]) -> str:
    """Return the name of a function with its file and line, where it has these."""
    if isinstance(function, functools.partial):
        function = function.func
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return name_of(function)
    file = Path(code.co_filename)
    folder = Path.cwd()
    shown = file.relative_to(folder) if file.is_relative_to(folder) else file
    return f"{name_of(function)} ({shown}, line {code.co_firstlineno})"
