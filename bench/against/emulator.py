"""A build's emulator, a process of its own that is spoken to over its ports as Azure is."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import jwt
import requests

from ..fanout.clients import Clients
from ..rows.senders import session
from .build import Build
from .measurement import Slice, Surroundings
from .process import Process, UnmeasurableError, server

__all__ = ["CLIENTS", "fan_out", "memory", "unheard_sends"]

CLIENTS: Final = 200
"""Clients of one side: with both sides' sockets this program stays below usual limits."""

_FIRST_CLIENTS: Final = 50
"""Clients that connect before memory is measured: what is made once is made for them."""

_UNHEARD: Final = 200
_HEARD: Final = 20
_ARGUMENT: Final = "x" * 1024
_MESSAGE: Final = json.dumps({"target": "say", "arguments": [_ARGUMENT]}).encode()
_SERVICE_URI: Final = "AzureSignalRConnectionString__serviceUri"
_SETTING: Final = re.compile(r"^(\w+)=(\S+)$")
_READY: Final = re.compile(r"^Emulator ready\.$")


@dataclass(frozen=True, slots=True)
class _Emulator:
    """An emulator that runs.

    Args:
        process: The process.
        url: Where its service listens.
        posting: Kept connections to it, with the Entra token of the app's identity.
    """

    process: Process
    url: str
    posting: requests.Session

    def connect(self, clients: Clients, count: int) -> None:
        """Connect clients to the hub `heard`."""
        key = self.request("GET", f"{self.url}/api/v1/auth/accessKey").json()
        claims = {"aud": f"{self.url}/client/?hub=heard", "exp": int(time.time()) + 600}
        token = jwt.encode(claims, key["AccessKey"], "HS256", headers={"kid": key["KeyId"]})
        path = f"/client/?hub=heard&access_token={token}"
        clients.connect(urlsplit(self.url).port or 80, path, count, is_signalr=True)

    def send(self, hub: str) -> None:
        """Send a message of 1 KB to everyone in a hub."""
        self.request("POST", f"{self.url}/api/hubs/{hub}/:send?api-version=2022-06-01", _MESSAGE)

    def memory(self) -> int:
        """Return the bytes that the process has in memory."""
        command = ["ps", "-o", "rss=", "-p", str(self.process.id)]
        return int(subprocess.check_output(command)) * 1024  # noqa: S603  our own command

    def request(self, method: str, url: str, body: bytes | None = None) -> requests.Response:
        """Ask the emulator, which has to do what it is asked for."""
        answer = self.posting.request(method, url, data=body, timeout=15)
        if not answer.ok:
            reason = f"{urlsplit(url).path} answered {answer.status_code}"
            raise UnmeasurableError(self.process.build, f"fails in that build: {reason}")
        return answer


@contextmanager
def unheard_sends(build: Build, _around: Surroundings) -> Iterator[Slice]:
    """Measure the microseconds of processor time for a message that nobody receives."""
    with _running(build) as emulator:
        measure = partial(_sends, emulator, "unheard", _UNHEARD)
        measure()
        yield lambda: [measure()]


@contextmanager
def fan_out(build: Build, _around: Surroundings) -> Iterator[Slice]:
    """Measure the microseconds of processor time for each client that receives a message."""
    with _running(build) as emulator, Clients() as clients:
        emulator.connect(clients, CLIENTS)

        def measure() -> list[float]:
            took = _sends(emulator, "heard", _HEARD)
            # A frame has some bytes more, which the next turn reads if this one does not.
            clients.read(_HEARD * CLIENTS * len(_ARGUMENT))
            return [took / CLIENTS]

        measure()
        yield measure


@contextmanager
def memory(build: Build, _around: Surroundings) -> Iterator[Slice]:
    """Measure the memory of a connection in KB."""
    with _running(build) as emulator, Clients() as clients:
        emulator.connect(clients, _FIRST_CLIENTS)

        def measure() -> list[float]:
            before = emulator.memory()
            emulator.connect(clients, CLIENTS)
            return [(emulator.memory() - before) / CLIENTS / 1024]

        yield measure


def _sends(emulator: _Emulator, hub: str, count: int) -> float:
    """Return the microseconds of processor time that the emulator takes for a message."""
    cpu = emulator.process.cpu()
    for _ in range(count):
        emulator.send(hub)
    return (emulator.process.cpu() - cpu) / count * 1e6


@contextmanager
def _running(build: Build) -> Iterator[_Emulator]:
    options = ("--service-port", "0", "--control-port", "0")
    with (
        server(build, "signalr_emulator", *options, settings={}) as process,
        session(1) as posting,
    ):
        settings: dict[str, str] = {}
        while not _READY.match(line := process.line()):
            if found := _SETTING.match(line):
                settings[found[1]] = found[2]
        emulator = _Emulator(process, settings[_SERVICE_URI], posting)
        posting.headers["Authorization"] = f"Bearer {_token(emulator, settings)}"
        posting.headers["Content-Type"] = "application/json"
        yield emulator


def _token(emulator: _Emulator, settings: Mapping[str, str]) -> str:
    """Ask for an Entra token as azure-identity does on App Service."""
    emulator.posting.headers["X-IDENTITY-HEADER"] = settings["IDENTITY_HEADER"]
    query = "api-version=2019-08-01&resource=https://signalr.azure.com"
    answer = emulator.request("GET", f"{settings['IDENTITY_ENDPOINT']}?{query}")
    token: str = answer.json()["access_token"]
    return token
