"""What `make start` runs at the moment: it says so here.

`shared.command.running` reads it, for the doctor and the command line. It is not imported here,
since a start that waits for the whole library takes longer.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

__all__ = ["announced"]

_FOLDER: Final = Path(".venv", "running")


@contextlib.contextmanager
def announced(root: Path, app_url: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Say within the block that an app runs.

    Of its environment only what the process itself has not is written down: nothing of a person.

    Args:
        root: The folder of the app.
        app_url: Where its functions are, route prefix included.
        environment: The environment of the app.
    """
    own = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    # A file for each port, since several apps may run.
    file = root / _FOLDER / f"{urlsplit(app_url).port}.json"
    partial = file.with_suffix(f".{os.getpid()}")
    # Where nothing can be written the app runs all the same: who looks for it takes options.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({"appUrl": app_url, "settings": own}), encoding="utf-8")
        partial.replace(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()
