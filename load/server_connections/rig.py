"""Emulator and app server under load, and the way to break a server connection."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from ..processes import EmulatorProcess, Process, emulator_process

__all__ = ["CONNECTIONS", "Rig", "rig"]

CONNECTIONS: Final = 5
"""As many as an app server of the SDK for .NET opens."""


@dataclass(frozen=True, slots=True)
class Rig:
    """What runs.

    Args:
        emulator: The emulator.
        app_server: The app server.
        url: Where the app server listens.
    """

    emulator: EmulatorProcess
    app_server: Process
    url: str

    @property
    def app_url(self) -> str:
        """Where the routes of the app are."""
        return f"{self.url}/api"

    @property
    def programs(self) -> Mapping[str, int]:
        """The processes by name, this one included."""
        return {
            "emulator": self.emulator.process.process.pid,
            "app server": self.app_server.process.pid,
            "load": os.getpid(),
        }

    async def break_connection(self, number: int) -> Mapping[str, int]:
        """Break a server connection, and return how much it has carried at that moment.

        Args:
            number: Which one, from 0.
        """
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.url}/connections/{number}/break") as answer,
        ):
            carried: Mapping[str, int] = await answer.json()
            return carried


@contextlib.contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Run emulator and app server until the end of the block.

    Args:
        folder: Where files of the run go.
    """
    with emulator_process(folder / "emulator.log", "--service-mode", "Default") as emulator:
        app_server = Process(
            [
                *(sys.executable, "-m", "load.server_connections.program"),
                *(emulator.service_urls[0], "--connections", str(CONNECTIONS)),
            ],
            folder / "app-server.log",
            environment=emulator.app_settings,
        )
        try:
            ready = app_server.wait_for(r"^App server ready on (\S+)$")
            yield Rig(emulator, app_server, ready[1])
        finally:
            status = app_server.stop()
    assert status == 0, app_server.output  # noqa: S101  nothing else would tell
