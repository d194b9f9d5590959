"""What a check plays on: an emulator in Default mode, app servers, and clients of their hub."""

import contextlib
import itertools
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import requests

from funchost.settings import load_host_settings
from load.clock import MovableClock
from load.processes import (
    ROOT,
    EmulatorProcess,
    Process,
    emulator_process,
    free_port,
    start_functions,
)
from shared.persistent import PersistentSender

from ..agent import PATIENCE, running_agent
from ..sign_in import SignIn, sign_in
from .actors import AppServer, HubClient, RenewingClient, end
from .reverse_proxy import reverse_proxy

__all__ = ["ANSWER", "HUB", "Programs", "Stage", "stage"]

_ACCESS_KEY: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
"""The emulator's, and of no other service."""

HUB: Final = "chat"
"""Name of the app servers' hub."""

ANSWER: Final = "an answer"
"""What every client says when it is asked."""

_HOST: Final = "127.0.0.1"
_CONNECTED: Final = r"is now connected to "
_LONG: Final = "60"
"""Seconds that a client stays, which is more than any check takes."""

_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Programs:
    """What there is to run.

    Args:
        dotnet: The command that runs .NET programs, to which a program's name is added.
        client: The command of an agent, without options.
        folder: Where logs go.
    """

    dotnet: Sequence[str]
    client: Sequence[str]
    folder: Path


@dataclass(slots=True)
class Stage:
    """An emulator that runs, and what is started in front of it.

    Args:
        emulator: The emulator.
        programs: What there is to run.
        folder: Where files of the run go.
    """

    emulator: EmulatorProcess
    programs: Programs
    folder: Path
    _exits: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def service_url(self) -> str:
        """Where the SignalR service is."""
        return self.emulator.service_urls[0]

    @property
    def connection_string(self) -> str:
        """How the service is found by those who have its access key."""
        return f"Endpoint={self.service_url};AccessKey={_ACCESS_KEY};Version=1.0;"

    def app_server(self, *options: str, auth: str = "key") -> AppServer:
        """Start an app server, and wait until it is connected to the service.

        Args:
            options: More options of the program.
            auth: `key`, or `entra` with the emulator's managed identity.
        """
        port = free_port()
        process = Process(
            [
                *(*self.programs.dotnet, "app-server", "--port", str(port), "--auth", auth),
                *("--service", self.service_url, "--access-key", _ACCESS_KEY, *options),
            ],
            self.folder / f"app-server-{next(_numbers)}.log",
            environment=_identity(self.emulator),
        )
        server = AppServer(process, f"http://{_HOST}:{port}")
        self._exits.callback(server.kill)
        process.wait_for(_CONNECTED)
        process.wait_for(r"Now listening on")
        return server

    def proxy(self, *servers: AppServer) -> str:
        """Put a reverse proxy in front of app servers and service, and return its URL."""
        urls = (each.url for each in servers)
        return self._exits.enter_context(reverse_proxy(self.service_url, *urls))

    def client(self, hub_url: str, *options: str) -> HubClient:
        """Connect a client that is a user of its own.

        Args:
            hub_url: Where it negotiates.
            options: Transport and protocol as an agent takes them; JSON over WebSockets without.
        """
        user = f"user-{next(_numbers)}"
        agent = self._exits.enter_context(
            running_agent(
                [
                    *(*self.programs.client, "--url", hub_url, "--token", f"{user}.-.user"),
                    *(options or ("--transport", "websockets", "--protocol", "json")),
                ],
                self.programs.folder / "agent.log",
            )
        )
        agent.tell("on", target="welcome", parameters=2)
        agent.tell("on", target="message", parameters=2)
        agent.tell("answer", target="ask", value=ANSWER)
        agent.tell("start")
        agent.wait_for("connected")
        client = HubClient(agent)
        client.wait_for_welcome()
        return client

    def renewing_client(self, hub_url: str, *options: str) -> RenewingClient:
        """Connect a client of .NET that renews its sign-in.

        Args:
            hub_url: Where it negotiates.
            options: More options of the program: what it shows there and when.
        """
        process = Process(
            [
                *(*self.programs.dotnet, "refresh-client", "--url", hub_url),
                *("--target", "message", "--seconds", _LONG, *options),
            ],
            self.folder / f"renewing-client-{next(_numbers)}.log",
        )
        self._exits.callback(end, process, signal.SIGKILL)
        return RenewingClient(process)

    def negotiating_app(self, **settings: str) -> SignIn:
        """Run the function app, which negotiates for the hub, behind a sign-in of its clients.

        Args:
            settings: More of its settings.
        """
        every = {
            **self.emulator.app_settings,
            "SIGNALR_HUBS": HUB,
            "WEBSITE_AUTH_ENABLED": "True",
            "NEGOTIATE_IDENTITY": "app-service",
            **settings,
        }
        folder = self.folder / f"app-{next(_numbers)}"
        folder.mkdir()
        functions = start_functions(every, folder, MovableClock(folder / "clock"))
        self._exits.callback(functions.stop)
        url = functions.wait_for(r"^Functions host ready on (http://[^/\s]+)")[1]
        base_path = load_host_settings(ROOT).base_path
        return self._exits.enter_context(sign_in(f"{url}{base_path}"))

    def send(self, connection_id: str, text: str) -> None:
        """Send to a client beside its app server, whose own messages have two arguments."""
        environment = {"AzureSignalRConnectionString": self.connection_string}
        with PersistentSender.from_environment(environment) as sender:
            sender.send_to_connection(HUB, connection_id, "message", [text])

    def advance_clock(self, seconds: float) -> None:
        """Move the emulator's clock forward."""
        self._control("clock", {"advance": seconds})

    def cut(self, connection_id: str) -> None:
        """Cut a client's connection as a broken network does."""
        self._control("clients/drop", {"connectionId": connection_id})

    def _control(self, path: str, body: Mapping[str, str | float]) -> None:
        url = f"{self.emulator.control_url}/emulator/{path}"
        requests.post(url, json=body, timeout=PATIENCE).raise_for_status()

    def close(self) -> None:
        """End everything but the emulator."""
        self._exits.close()


@contextlib.contextmanager
def stage(programs: Programs, folder: Path, *options: str) -> Iterator[Stage]:
    """Run an emulator in Default mode until the end of the block.

    Args:
        programs: What there is to run.
        folder: Where files of the run go.
        options: More options of the emulator.
    """
    mode = ("--service-mode", "Default", "--access-key", _ACCESS_KEY)
    with emulator_process(folder / "emulator.log", *mode, *options) as emulator:
        made = Stage(emulator, programs, folder)
        with contextlib.closing(made):
            yield made


def _identity(emulator: EmulatorProcess) -> dict[str, str]:
    said = emulator.app_settings
    return {name: value for name, value in said.items() if re.match("IDENTITY_", name)}
