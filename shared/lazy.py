"""Names that a package exports without importing the modules that they come from.

An app starts in the time that its imports take, and most of what a package offers is not needed for
the first negotiation (PEP 562).
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["lazy_exports"]


def lazy_exports(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package, which imports a module with its first name.

    For who reads the types the package imports the same names under `TYPE_CHECKING`.

    Args:
        package: `__name__` of the package.
        modules: The module below the package that each name comes from.
    """

    def export(name: str) -> object:
        if name not in modules:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package]
            )
        value: object = getattr(import_module(f"{package}.{modules[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return export
