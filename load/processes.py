"""The processes under load: emulator and Functions host."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .clock import MovableClock

__all__ = [
    "PATIENCE",
    "ROOT",
    "EmulatorProcess",
    "Process",
    "emulator_process",
    "free_port",
    "start_functions",
]

ROOT: Final = Path(__file__).parents[1]
PATIENCE: Final = 30.0
"""Seconds that a process has to say something, and to end."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A child process whose output can be searched and waited for.

    Args:
        command: What to run, in the repository's folder.
        log: Where its output goes.
        keyboard: Its standard input.
        environment: Variables beside those of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        keyboard: int = subprocess.DEVNULL,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603  our own commands
                command,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
                cwd=ROOT,
                stdin=keyboard,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for whoever has started it, and ends it in order.
                process_group=0,
            )

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has said what a regular expression finds.

        Raises:
            AssertionError: It never did.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            match = re.search(pattern, self.output, re.MULTILINE)
            if match is not None:
                return match
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} never came:\n{self.output}")

    def stop(self) -> int:
        """End it in order, and return its status."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@dataclass(frozen=True, slots=True)
class EmulatorProcess:
    """An emulator that runs.

    Args:
        process: The process.
        service_urls: Where its SignalR services listen.
        control_url: Where its control plane listens.
        app_settings: The settings with which an app finds it.
    """

    process: Process
    service_urls: tuple[str, ...]
    control_url: str
    app_settings: Mapping[str, str]


@contextlib.contextmanager
def emulator_process(
    log: Path, *options: str, program: Sequence[str] = ("-m", "signalr_emulator")
) -> Iterator[EmulatorProcess]:
    """Run the emulator, with new keys, until the end of the block.

    Args:
        log: Where its output goes.
        options: Options of the command; ports of its own choice unless they name others.
        program: What Python runs.
    """
    ports = ("--service-port", "0", "--control-port", "0")
    chosen = () if "--service-port" in options else ports
    process = Process([sys.executable, *program, "--fresh", *chosen, *options], log)
    try:
        process.wait_for(r"^Emulator ready\.$")
        said = process.output
        yield EmulatorProcess(
            process=process,
            service_urls=tuple(re.findall(r"^SignalR service: +(\S+)$", said, re.MULTILINE)),
            control_url=process.wait_for(r"^Control plane: +(\S+)$")[1],
            app_settings=dict(re.findall(r"^(\w+)=(\S+)$", said, re.MULTILINE)),
        )
    finally:
        status = process.stop()
    assert status == 0, process.output  # noqa: S101  nothing else would tell


def start_functions(
    settings: Mapping[str, str],
    folder: Path,
    clock: MovableClock,
    *options: str,
    app_folder: Path = ROOT,
    port: int = 0,
) -> Process:
    """Start an app in the local host.

    Args:
        settings: Its settings.
        folder: Where settings file and log go.
        clock: Its wall clock.
        options: More options of the host.
        app_folder: Where the app is.
        port: Where it listens; 0 for any free one.
    """
    settings_file = folder / "local.settings.json"
    settings_file.write_text(json.dumps({"IsEncrypted": False, "Values": dict(settings)}))
    return Process(
        [
            *(sys.executable, "-m", "funchost", "--app-dir", str(app_folder)),
            *("--port", str(port), "--settings", str(settings_file)),
            *options,
        ],
        folder / "functions.log",
        environment=clock.environment,
    )
