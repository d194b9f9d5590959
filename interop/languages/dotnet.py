""".NET: Microsoft.AspNetCore.SignalR.Client.

Its programs are built elsewhere. `INTEROP_DOTNET` names a command that runs them, so that
`$INTEROP_DOTNET client-11 --url URL --service URL` makes all checks with the newest version. App
servers are run by it too.
"""

import os
import shlex
from typing import Final

from ..library import Language, Program, Protocol, Transport, combinations

__all__ = ["COMMAND", "DOTNET"]

_SETTING: Final = "INTEROP_DOTNET"
_VERSIONS: Final = ("11", "10", "9", "8")

COMMAND: Final = shlex.split(os.environ.get(_SETTING, ""))
"""The command, to which a program's name and options are added; empty without the setting."""

DOTNET: Final = Language(
    "dotnet",
    # Without the setting its name is what cannot be found.
    (COMMAND[0] if COMMAND else f"the command that {_SETTING} names",),
    [
        Program(
            "Microsoft.AspNetCore.SignalR.Client",
            version,
            combinations(*Transport, protocols=tuple(Protocol)),
            [*COMMAND, f"client-{version}"],
        )
        for version in _VERSIONS
    ],
)
