"""The library's import in a process that has imported little else."""

from importlib import import_module
from time import perf_counter, process_time

from .answers import answer

__all__ = ["main"]


def main() -> None:
    """Answer with milliseconds of time and of processor time."""
    began, cpu = perf_counter(), process_time()
    import_module("shared")
    answer([(perf_counter() - began) * 1e3, (process_time() - cpu) * 1e3])
