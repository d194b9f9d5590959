"""The processes of an end-to-end test: emulator, Functions host, and SignalR clients in Node."""

import contextlib
import itertools
import json
import os
import queue
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import requests
from signalr_emulator.testing import RunningEmulator

from funchost.settings import load_host_settings
from load import processes
from load.clock import MovableClock
from load.processes import PATIENCE, ROOT, Process, emulator_process

__all__ = [
    "E2E",
    "PATIENCE",
    "ROOT",
    "Client",
    "Emulator",
    "FunctionApp",
    "Process",
    "client",
    "emulator",
    "free_ports",
    "function_app",
    "start_functions",
]

E2E: Final = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Emulator(RunningEmulator):
    process: Process

    def admits(self, negotiated: Mapping[str, str]) -> int:
        """Return the status that a client gets which comes with what it was handed out."""
        url = negotiated["url"].replace("/client/?", "/client/negotiate?")
        headers = {"Authorization": f"Bearer {negotiated['accessToken']}"}
        return requests.post(
            f"{url}&negotiateVersion=1", headers=headers, timeout=PATIENCE
        ).status_code


@dataclass(frozen=True)
class FunctionApp:
    process: Process
    url: str
    clock: MovableClock

    def post(
        self,
        path: str,
        body: Any = None,  # noqa: ANN401  whatever JSON can say, and more
        **headers: str,
    ) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(f"{self.url}/{path}", json=body, headers=named, timeout=PATIENCE)

    def negotiate(self) -> dict[str, str]:
        answer = self.post("negotiate")
        assert answer.status_code == 200, answer.text
        return cast("dict[str, str]", answer.json())

    def move_clock(self, seconds: float) -> None:
        """Set how far the app's clock is ahead of this machine's."""
        self.clock.move(seconds)


class Client:
    """A real `@microsoft/signalr` client in a Node process.

    Args:
        program: The name of the program in this folder.
        arguments: Its arguments.
    """

    def __init__(self, program: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            ["node", str(E2E / program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        reader = threading.Thread(
            target=self._read, args=(cast("IO[bytes]", self._process.stdout),), daemon=True
        )
        reader.start()

    def _read(self, output: IO[bytes]) -> None:
        for line in output:
            self._events.put(json.loads(line))

    def next(self, event: str) -> dict[str, Any]:
        """Wait for the next event, which must be of this kind."""
        seen = self._events.get(timeout=PATIENCE)
        assert seen["event"] == event, seen
        return seen

    def connection_id(self) -> str:
        return cast("str", self.next("connected")["connectionId"])

    def message(self) -> list[Any]:
        return cast("list[Any]", self.next("newMessage")["arguments"])

    def call(self, kind: str, *arguments: object) -> None:
        """Have the client do something, for instance call the hub: `invoke`, `send`, `stream`."""
        keyboard = cast("IO[bytes]", self._process.stdin)
        keyboard.write(json.dumps({kind: arguments}).encode() + b"\n")
        keyboard.flush()

    def invoke(self, target: str, *arguments: object) -> object:
        """Invoke a method and return its result, which comes before anything else."""
        self.call("invoke", target, *arguments)
        return self.next("completed").get("result")

    def failure(self, target: str, *arguments: object, kind: str = "invoke") -> str:
        """Invoke a method and return its error, which comes before anything else."""
        self.call(kind, target, *arguments)
        return cast("str", self.next("failed")["error"])

    def stop(self) -> None:
        cast("IO[bytes]", self._process.stdin).close()
        self._process.wait(PATIENCE)
        cast("IO[bytes]", self._process.stdout).close()


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens, each another one.

    Tests run in several processes at a time, so each process has ports of its own: a thousand below
    those that the system gives to whoever names none (from 32768 on Linux).
    """
    return list(itertools.islice(filter(_is_free, _ports), count))


def _own_ports() -> list[int]:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + 1_000 * number
    # Another checkout may be tested at the same time.
    begin = os.getpid() % 1_000
    return [first + (begin + each) % 1_000 for each in range(1_000)]


_ports: Final = itertools.cycle(_own_ports())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextlib.contextmanager
def emulator(
    log: Path,
    *options: str,
    role: str = "SignalR Service Owner",
    service_port: int = 0,
    control_port: int = 0,
    program: tuple[str, ...] = ("-m", "signalr_emulator"),
) -> Iterator[Emulator]:
    ports = ("--service-port", str(service_port), "--control-port", str(control_port))
    with emulator_process(log, *ports, "--role", role, *options, program=program) as started:
        yield Emulator(
            service_url=started.service_urls[0],
            control_url=started.control_url,
            app_settings=started.app_settings,
            process=started.process,
        )


def start_functions(
    settings: Mapping[str, str],
    folder: Path,
    app_folder: Path = ROOT,
    *options: str,
    clock: MovableClock | None = None,
) -> Process:
    """Start the app in the local host, with a clock that the test can move."""
    values = {"SIGNALR_HUBS": "chat,news", "NEGOTIATE_IDENTITY": "anonymous", **settings}
    return processes.start_functions(
        values,
        folder,
        clock or MovableClock(folder / "clock"),
        *options,
        app_folder=app_folder,
    )


@contextlib.contextmanager
def function_app(
    settings: Mapping[str, str], folder: Path, app_folder: Path = ROOT, *options: str
) -> Iterator[FunctionApp]:
    """Run an app, which is the one of this repository or another, until the end of the block."""
    clock = MovableClock(folder / "clock")
    process = start_functions(settings, folder, app_folder, *options, clock=clock)
    try:
        url = process.wait_for(r"^Functions host ready on (\S+)$")[1]
        yield FunctionApp(process, f"{url}{load_host_settings(app_folder).base_path}", clock)
    finally:
        assert process.stop() == 0, process.output


@contextlib.contextmanager
def client(url: str, *, protocol: str = "json", **headers: str) -> Iterator[Client]:
    pairs = (f"{name.replace('_', '-')}={value}" for name, value in headers.items())
    connected = Client("client.mjs", url, protocol, *pairs)
    try:
        yield connected
    finally:
        connected.stop()
