"""Loads an app anew whenever its files change, and keeps the old one where that fails."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from ..routing.routes import RouteError
from ..settings import SettingsError
from ..worker.functions import IndexingError
from .files import Watch, forget_bytecode

__all__ = ["follow"]

_MOST_NAMES: Final = 3

_log: Final = logging.getLogger("funchost")


async def follow(
    watch: Watch, app_dir: Path, load: Callable[[], Awaitable[None]], tell: Callable[[str], None]
) -> None:
    """Load an app anew whenever its files change, for ever.

    Files that change meanwhile lead to another load after this one, so that what was saved last is
    what runs, and somebody who saves all the time sees something of it.

    Args:
        watch: Tells when they change.
        app_dir: The app's folder.
        load: Loads the app, and has it serve what comes from then on.
        tell: Takes a line about a load that went well.
    """
    while True:
        changed = await watch.changed()
        forget_bytecode(changed)
        try:
            await load()
        except (IndexingError, RouteError, SettingsError, OSError) as error:
            if isinstance(error, IndexingError) and error.stack_trace:
                _log.debug("%s", error.stack_trace)
            _log.error("not reloaded, the old code still runs: %s", error)
        else:
            tell(f"reloaded after a change of {_names(changed, app_dir)}")


def _names(paths: Iterable[Path], app_dir: Path) -> str:
    names = [
        str(path.relative_to(app_dir) if path.is_relative_to(app_dir) else path) for path in paths
    ]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
