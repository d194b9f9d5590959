"""Emulator and function app under load, and the ways to disturb them."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp

from funchost.settings import load_host_settings

from .account.measures import descendants
from .clock import MovableClock
from .processes import ROOT, EmulatorProcess, Process, emulator_process, free_port, start_functions

__all__ = ["Rig", "rig"]

_HOST: Final = "127.0.0.1"
_AUDIENCE: Final = "api://upstream"
_WORKER: Final = b"funchost.worker.process"


@dataclass(slots=True)
class Rig:
    """What runs.

    Args:
        emulator: The emulator.
        settings: The app's settings.
        folder: Where files of the run go.
        port: Where the app listens.
        base_path: What the paths of its functions begin with: `/api`, or "".
        ahead: How far the emulator's clock is ahead of this machine's, in seconds.
        skew: How far the app's clock is ahead of the emulator's, in seconds.
    """

    emulator: EmulatorProcess
    settings: dict[str, str]
    folder: Path
    port: int
    base_path: str
    ahead: float = 0.0
    skew: float = 0.0
    _clock: MovableClock = field(init=False)
    _functions: Process = field(init=False)

    def __post_init__(self) -> None:
        """Start the app."""
        self._clock = MovableClock(self.folder / "clock")
        self.start_app()

    @property
    def app_url(self) -> str:
        """Where the functions are."""
        return _functions_url(self.port, self.base_path)

    @property
    def programs(self) -> dict[str, int]:
        """The processes by name, this one included."""
        return {
            "emulator": self.emulator.process.process.pid,
            "functions": self._functions.process.pid,
            "load": os.getpid(),
        }

    def start_app(self) -> None:
        """Start the function app and wait until it is ready."""
        self._functions = start_functions(self.settings, self.folder, self._clock, port=self.port)
        try:
            self._functions.wait_for(r"^Functions host ready on ")
        except BaseException:
            self._functions.stop()
            raise

    def stop_app(self) -> None:
        """End the function app in order."""
        status = self._functions.stop()
        assert status == 0, self._functions.output  # noqa: S101  nothing else would tell

    async def restart_app(self) -> None:
        """End the function app in order and start it anew."""
        await asyncio.to_thread(self.stop_app)
        await asyncio.to_thread(self.start_app)

    def kill_worker(self) -> None:
        """Kill one of the host's worker processes."""
        workers = [each for each in descendants(self._functions.process.pid) if _is_worker(each)]
        os.kill(workers[0], signal.SIGKILL)

    async def pass_time(self, seconds: float) -> None:
        """Move the clocks of emulator and app forward together."""
        await self.control("POST", "clock", {"advance": seconds})
        self.ahead += seconds
        self._clock.move(self.ahead + self.skew)

    def set_skew(self, seconds: float) -> None:
        """Set how far the app's clock is ahead of the emulator's."""
        self.skew = seconds
        self._clock.move(self.ahead + self.skew)

    async def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        """Ask the emulator's control plane.

        Args:
            method: HTTP method.
            path: Path after `/emulator/`.
            body: What is sent, as JSON.
        """
        url = f"{self.emulator.control_url}/emulator/{path}"
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.request(method, url, json=body) as answer,
        ):
            return None if answer.status == HTTPStatus.NO_CONTENT else await answer.json()

    @contextlib.asynccontextmanager
    async def disturbing(self, **fault: object) -> AsyncIterator[None]:
        """Have the emulator disturb requests until the end of the block; arguments as it knows."""
        added = await self.control("POST", "faults", fault)
        try:
            yield
        finally:
            await self.control("DELETE", f"faults/{added['id']}")


@contextlib.contextmanager
def rig(
    folder: Path, *, endpoints: int, workers: int, settings: Mapping[str, str] | None = None
) -> Iterator[Rig]:
    """Run emulator and app until the end of the block.

    Args:
        folder: Where files of the run go.
        endpoints: How many SignalR services there are.
        workers: How many worker processes the host has.
        settings: More of the app's settings.
    """
    port = free_port()
    base_path = load_host_settings(ROOT).base_path
    template = f"{_functions_url(port, base_path)}/upstream/{{hub}}/{{category}}/{{event}}"
    upstream_identity = f"managed-identity={_AUDIENCE}"
    upstream = [
        *("--upstream", f"{template} category=messages {upstream_identity}"),
        # The example app tells everyone of each client that goes, which costs the square of the
        # crowd when many go at once.
        *("--upstream", f"{template} category=connections event=connected {upstream_identity}"),
    ]
    services = ["--service-port", "0"] * endpoints
    with emulator_process(
        folder / "emulator.log", *services, "--control-port", "0", *upstream
    ) as emulator:
        every = {**_settings(emulator, workers), **(settings or {})}
        running = Rig(emulator, every, folder, port, base_path)
        try:
            yield running
        finally:
            running.stop_app()


def _settings(emulator: EmulatorProcess, workers: int) -> dict[str, str]:
    found = re.search(r"AZURE_TENANT_ID=(\S+)", emulator.process.output)
    assert found is not None  # noqa: S101  the emulator prints it
    return {
        **emulator.app_settings,
        "SIGNALR_HUBS": "chat",
        "WEBSITE_AUTH_ENABLED": "True",
        "NEGOTIATE_IDENTITY": "app-service",
        "UPSTREAM_TENANT_ID": found[1],
        "UPSTREAM_AUDIENCE": _AUDIENCE,
        "UPSTREAM_KEYS_URL": f"{emulator.control_url}/{found[1]}/discovery/v2.0/keys",
        "FUNCTIONS_WORKER_PROCESS_COUNT": str(workers),
    }


def _functions_url(port: int, base_path: str) -> str:
    return f"http://{_HOST}:{port}{base_path}"


def _is_worker(pid: int) -> bool:
    return _WORKER in Path(f"/proc/{pid}/cmdline").read_bytes()
