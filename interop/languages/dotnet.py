""".NET: Microsoft.AspNetCore.SignalR.Client.

Its programs are built elsewhere. `INTEROP_DOTNET` names a command that runs them, so that
`$INTEROP_DOTNET client-11 --url URL --service URL` makes all checks with the newest version.
"""

import os
import shlex
from typing import Final

from ..library import Language, Program, Protocol, Transport, combinations

__all__ = ["DOTNET"]

_SETTING: Final = "INTEROP_DOTNET"
_VERSIONS: Final = ("11", "10", "9", "8")

_command: Final = shlex.split(os.environ.get(_SETTING, ""))

DOTNET: Final = Language(
    "dotnet",
    # Without the setting its name is what cannot be found.
    (_command[0] if _command else f"the command that {_SETTING} names",),
    [
        Program(
            "Microsoft.AspNetCore.SignalR.Client",
            version,
            combinations(*Transport, protocols=tuple(Protocol)),
            [*_command, f"client-{version}"],
        )
        for version in _VERSIONS
    ],
)
