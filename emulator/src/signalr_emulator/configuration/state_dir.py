"""Where the keys are kept that outlive an emulator, if nobody chooses."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["default_state_dir"]

_NAME = "signalr-emulator"


def default_state_dir(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> Path | None:
    """Give the user's own folder, or None for a user without a home.

    Sources: XDG Base Directory Specification (a relative path is to be ignored); Apple, "File
    System Programming Guide"; Microsoft, "Known folders".

    Args:
        environment: Environment variables.
        platform: As in `sys.platform`.
    """
    named = environment.get("XDG_STATE_HOME", "")
    if Path(named).is_absolute():
        return Path(named) / _NAME
    try:
        home = Path.home()
    except RuntimeError:
        return None
    match platform:
        case "darwin":
            return home / "Library" / "Application Support" / _NAME
        case "win32":
            return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / _NAME
        case _:
            return home / ".local" / "state" / _NAME
