"""Runs a module as `python -m` does: `python -P metered.py MODULE ARGUMENT ...`.

For each line of its input it prints the seconds of processor time that the process has taken, and
the file of the module's package, as JSON.
"""

import json
import os
import runpy
import sys
import threading
import time


def _answer(package: str) -> None:
    # Unbuffered, since at the end of the process nobody may hold a buffer's lock.
    while os.read(0, 1):
        file = sys.modules[package].__file__
        print(f"metered: {json.dumps([time.process_time(), file])}", flush=True)


def main(module: str, *arguments: str) -> None:
    """Run the module, or print that there is none."""
    sys.argv = [module, *arguments]
    threading.Thread(target=_answer, args=(module,), daemon=True).start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except ImportError as error:
        print(f"missing: {error}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
