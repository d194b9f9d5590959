"""What an emulator says of itself: a clock that was moved, roles that are switched off."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeGuard
from urllib.parse import urlsplit

from shared.transport.flow import NoAnswerError

from .network import Network

__all__ = ["EmulatorState", "is_moved", "read_emulator", "span"]


_MINUTES: Final = 60


class EmulatorState(NamedTuple):
    """What somebody has changed in an emulator, in its inspector or by a test.

    Args:
        control_url: Its control plane, where the inspector is.
        seconds_ahead: How far its clock is ahead of this machine's.
        switched_off: Roles that are assigned and switched off, by object ids of principals.
    """

    control_url: str
    seconds_ahead: float
    switched_off: Mapping[str, tuple[str, ...]]

    @property
    def reset_clock(self) -> str:
        """The command that moves its clock back."""
        return f"curl -X DELETE {self.control_url}/emulator/clock"

    def give_role(self, role: str) -> str:
        """Return the command that gives the app a role, while the emulator runs."""
        return f"""curl -X PUT {self.control_url}/emulator/role -d '{{"role": "{role}"}}'"""


def read_emulator(identity_endpoint: str, network: Network) -> EmulatorState | None:
    """Ask the emulator whose identity endpoint it is, or return `None` where there is none.

    Args:
        identity_endpoint: What `IDENTITY_ENDPOINT` says.
        network: The way there.
    """
    parts = urlsplit(identity_endpoint)
    if not parts.netloc:
        return None
    control_url = f"{parts.scheme}://{parts.netloc}"
    clock = _get(f"{control_url}/emulator/clock", network)
    state = _get(f"{control_url}/emulator/state", network)
    if "offset" not in clock:
        return None
    off: dict[str, tuple[str, ...]] = {}
    for each in state.get("roleAssignments", ()):
        if each.get("enabled") is False:
            principal = each["principalId"]
            off[principal] = (*off.get(principal, ()), each["role"])
    return EmulatorState(control_url, float(clock["offset"]), off)


def is_moved(emulator: EmulatorState | None) -> TypeGuard[EmulatorState]:
    """Tell whether it is an emulator whose clock was moved."""
    return emulator is not None and emulator.seconds_ahead != 0


def span(seconds: float) -> str:
    """Return a span of time as people say it."""
    minutes = round(abs(seconds) / 60)
    if minutes < _MINUTES:
        return f"{minutes} min" if minutes else f"{abs(seconds):.0f} s"
    return f"{minutes / _MINUTES:.3g} h"


def _get(url: str, network: Network) -> Mapping[str, Any]:
    outcome = network.request("GET", url)
    if isinstance(outcome, NoAnswerError) or outcome.status != HTTPStatus.OK:
        return {}
    try:
        answer = json.loads(outcome.body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
