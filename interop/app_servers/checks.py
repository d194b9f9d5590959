"""What is checked with app servers."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import requests

from shared import SignalRError

from ..agent import AgentError
from ..checks import FAILED, Outcome
from ..languages.dotnet import DOTNET
from ..library import Program
from ..programs import ProgramError
from . import beside, options, renewal, two_servers
from .clients import all_checks
from .stage import Programs, Stage, stage

__all__ = ["CHECKS", "Check"]

_AUTH: Final = {"key": "access key", "entra": "managed identity"}
_ERRORS: Final = (
    AgentError,
    AssertionError,
    OSError,
    ProgramError,
    SignalRError,
    requests.RequestException,
    subprocess.SubprocessError,
)


class Check(NamedTuple):
    """Something that has to work between app servers, service and clients.

    Args:
        name: What has to work, as the table says it.
        run: Tries it, and returns a word for it, or None for a plain yes; raises one of `_ERRORS`
            where it does not work.
    """

    name: str
    run: Callable[[Stage], str | None]

    def outcome(self, programs: Programs) -> Outcome:
        """Try it with an emulator of its own.

        Args:
            programs: What there is to run.
        """
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                stage(programs, Path(folder), "--authentication-refresh") as running,
            ):
                return Outcome(self.run(running) or "yes")
        except _ERRORS as error:
            return Outcome(FAILED, str(error))


CHECKS: Final = (
    *(
        Check(f"`{each.name}` {each.version}, {text}", all_checks(each, auth))
        for each in DOTNET.libraries
        if isinstance(each, Program)
        for auth, text in _AUTH.items()
    ),
    Check("two servers: what one sends reaches the clients of the other", two_servers.sends),
    Check("two servers: either gets the results of all clients", two_servers.results),
    Check("two servers: one is killed, and its clients come back to the other", two_servers.killed),
    Check("two servers: one is stopped, and its clients come back to the other",
          two_servers.stopped),
    Check("two servers: one hands its clients over, which stay connected", two_servers.migrated),
    *(
        Check(f"a sign-in is renewed by {transport}", renewal.renewed(transport))
        for transport in ("WebSockets", "ServerSentEvents", "LongPolling")
    ),
    Check("a sign-in that the app's rule does not renew", renewal.refused),
    Check("a sign-in that ends closes its connection", renewal.ended),
    Check("`ApplicationName`", options.application),
    Check("`ServerStickyMode.Required`", options.sticky),
    Check("five connections of one server", options.connections),
    Check("stateful reconnect", options.stateful),
    Check("the function app negotiates in place of the app server", beside.negotiation),
    Check("`PersistentSender` beside the app server", beside.sender),
)  # fmt: skip
"""In the order of the table."""
