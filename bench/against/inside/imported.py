"""The library's import in a process that has imported little else."""

from importlib import import_module
from time import perf_counter

from bench.against.inside.answers import answer

__all__ = ["main"]


def main() -> None:
    """Answer with milliseconds."""
    began = perf_counter()
    import_module("shared")
    answer([(perf_counter() - began) * 1e3])
