"""An emulator for a test: a process of its own, and its control plane as methods.

>>> from signalr_emulator.testing import running_emulator
>>> with running_emulator() as emulator:  # doctest: +SKIP
...     os.environ |= emulator.app_settings
...     emulator.add_fault(operation="getAccessKey", status=503, times=2)
...     emulator.advance_clock(3600)
"""

import json
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from .cli import READY
from .documents.json_text import Json

__all__ = ["ControlError", "RunningEmulator", "running_emulator"]

_TIMEOUT = 10.0

# A proxy of the environment is on another machine.
_open = build_opener(ProxyHandler({})).open


class ControlError(Exception):
    """The emulator refuses what a test asks of its control plane; the message says why."""


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator that runs.

    Attributes:
        service_url: Where the (first) SignalR service listens.
        control_url: Where the control plane listens.
        app_settings: The settings with which an app finds the emulator.
    """

    service_url: str
    control_url: str
    app_settings: Mapping[str, str]

    def advance_clock(self, seconds: float) -> float:
        """Let time pass for keys and tokens; gives the new time in epoch seconds.

        Args:
            seconds: How much, not negative.
        """
        clock: dict[str, float] = self._call("POST", "clock", {"advance": seconds})
        return clock["now"]

    def reset_clock(self) -> None:
        """Move the emulator's clock back to real time."""
        self._call("DELETE", "clock")

    def state(self) -> dict[str, Any]:
        """Give what `GET /emulator/state` answers: counts, live keys, connections, roles."""
        state: dict[str, Any] = self._call("GET", "state")
        return state

    def add_fault(self, **fault: Json) -> str:
        """Disturb requests; gives the fault's id.

        Args:
            fault: The fields of `POST /emulator/faults`, for instance `operation="sendToUser"`,
                `status=429`, `headers={"Retry-After": "1"}`, `times=3`, `share=0.1`, `delay=2`
                or `action="reset"`.

        Raises:
            ControlError: A field is not understood.
        """
        added: dict[str, str] = self._call("POST", "faults", fault)
        return added["id"]

    def clear_fault(self, fault_id: str) -> None:
        """Take a fault away.

        Raises:
            ControlError: There is no such fault.
        """
        self._call("DELETE", f"faults/{quote(fault_id, safe='')}")

    def clear_faults(self) -> None:
        """Take every fault away."""
        self._call("DELETE", "faults")

    def revoke_key(self, key_id: str) -> None:
        """End a temporary access key before its time.

        Raises:
            ControlError: There is no such key.
        """
        self._call("POST", f"keys/{quote(key_id, safe='')}/revoke")

    def drop_clients(self, **chosen: Json) -> int:
        """Cut connections as a broken network does; gives how many.

        Args:
            chosen: Which: `hub`, `userId`, `connectionId`, `share` with `seed`; all if empty.
        """
        dropped: dict[str, int] = self._call("POST", "clients/drop", chosen)
        return dropped["dropped"]

    def drop_server_connections(self, **chosen: Json) -> int:
        """Cut connections of app servers as a broken network does; gives how many.

        Args:
            chosen: Which: `hub`, `serverId`, `connectionId`, `share` with `seed`; all if empty.
        """
        dropped: dict[str, int] = self._call("POST", "server-connections/drop", chosen)
        return dropped["dropped"]

    def rebalance(self, **chosen: Json) -> int:
        """Ask on server connections for one more each; gives on how many.

        Args:
            chosen: Which, as in `drop_server_connections`.
        """
        told: dict[str, int] = self._call("POST", "server-connections/rebalance", chosen)
        return told["told"]

    def go_offline(self, **chosen: Json) -> int:
        """End clients of app servers as with the instance of the service that has them.

        Gives to how many server connections this was told.

        Args:
            chosen: Whose clients: server connections, as in `drop_server_connections`.
        """
        told: dict[str, int] = self._call("POST", "server-connections/offline", chosen)
        return told["told"]

    def _call(self, method: str, path: str, body: Json = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - an http URL on this machine
            f"{self.control_url}/emulator/{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with _open(request, timeout=_TIMEOUT) as response:
                text = response.read()
        except HTTPError as error:
            with error:
                raise ControlError(json.loads(error.read())["detail"]) from None
        return json.loads(text) if text else None


@contextmanager
def running_emulator(*options: str) -> Iterator[RunningEmulator]:
    """Run `signalr-emulator` on free ports, with new keys, until the end of the block.

    Args:
        options: More options of the command, for instance `--role`, `none`.

    Raises:
        ControlError: It did not start; the message is what it said.
    """
    command = [sys.executable, "-m", "signalr_emulator"]
    defaults = ["--fresh", "--service-port", "0", "--control-port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, *defaults, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        # Otherwise a full pipe would stop the emulator some day; what comes is not kept.
        reader = threading.Thread(target=deque, args=(process.stdout, 0), daemon=True)
        try:
            running = _read(process)
            reader.start()
            yield running
        finally:
            process.terminate()
            # The output is closed next, which whoever still reads it would take for an error.
            if reader.is_alive():
                reader.join()


def _read(process: subprocess.Popen[str]) -> RunningEmulator:
    output = process.stdout
    if output is None:
        raise ControlError("The emulator says nothing.")
    lines: list[str] = []
    for line in output:
        lines.append(line.rstrip("\n"))
        if lines[-1] == READY:
            break
    else:
        raise ControlError("\n".join(lines))
    said = "\n".join(lines)
    return RunningEmulator(
        service_url=_found(r"^SignalR service: +(\S+)$", said),
        control_url=_found(r"^Control plane: +(\S+)$", said),
        app_settings=dict(re.findall(r"^(\w+)=(\S+)$", said, re.MULTILINE)),
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ControlError(text)
    return match[1]
