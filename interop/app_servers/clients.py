"""Clients of .NET at an app server that the service carries, by the checks of their programs."""

from collections.abc import Callable, Iterator
from typing import Final

from ..agent import AgentError
from ..library import Program
from ..programs import Report, reports
from .stage import Stage

__all__ = ["all_checks"]

_SHOWN: Final = 3
"""Failures that are told."""


def all_checks(program: Program, auth: str) -> Callable[[Stage], str]:
    """Make a check: the client does with the service what it does without.

    The proxy lets the program cut the network between its client and the service, since it knows
    no other address than that of the app server.

    Args:
        program: The program.
        auth: How the app server signs in at the service.
    """

    def check(stage: Stage) -> str:
        url = stage.proxy(stage.app_server(auth=auth))
        made = [
            each for each in reports(program, "--hub-url", f"{url}/chat") if each["kind"] == "check"
        ]
        failed = list(_failed(made))
        if failed or not made:
            told = "; ".join(failed[:_SHOWN])
            raise AgentError(f"{len(failed)} of {len(made)} checks have failed: {told}")
        return f"{len(made)} of {len(made)} checks"

    return check


def _failed(made: list[Report]) -> Iterator[str]:
    for each in made:
        if not each["ok"]:
            yield f"{each['check']} ({each['transport']}, {each['protocol']}): {each.get('error')}"
