"""A build's emulator, a process of its own that is spoken to over its ports as Azure is."""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Final
from urllib.parse import urlsplit

import jwt
import requests
from msgspec import msgpack

from ..fanout.clients import Clients
from ..rows.senders import session
from .build import Build
from .measurement import Slice, Start, Surroundings
from .process import Process, UnmeasurableError, server

__all__ = ["CLIENTS", "IN_HUB_PROTOCOLS", "IN_JSON", "fan_out", "memory", "unheard_sends"]

CLIENTS: Final = 200
"""Clients of one side: with both sides' sockets this program stays below usual limits."""

_FIRST_CLIENTS: Final = 50
"""Clients that connect before memory is measured: what is made once is made for them."""

_UNHEARD: Final = 200
_HEARD: Final = 20
_ARGUMENTS: Final = ["x" * 512, [{"id": n, "price": n / 8, "at": "2024-02-29"} for n in range(12)]]
_COMPACT: Final = (",", ":")


@dataclass(frozen=True, slots=True)
class Message:
    """A message of 1 KB, as a call sends it.

    Args:
        content_type: Of the body.
        body: What is sent.
        heard: No more than the bytes that reach a client.
    """

    content_type: str
    body: bytes
    heard: int


def _in_json() -> Message:
    body = json.dumps({"target": "say", "arguments": _ARGUMENTS}, separators=_COMPACT).encode()
    return Message("application/json", body, len(body))


def _in_hub_protocols() -> Message:
    fields = {"type": 1, "target": "say", "arguments": _ARGUMENTS}
    record = json.dumps(fields, separators=_COMPACT).encode() + b"\x1e"
    packed = msgpack.encode([1, {}, None, "say", _ARGUMENTS, []])
    framed = bytes((len(packed) & 0x7F | 0x80, len(packed) >> 7)) + packed
    body = msgpack.encode({"json": record, "messagepack": framed})
    return Message("application/octet-stream", body, len(record))


IN_JSON: Final = _in_json()
IN_HUB_PROTOCOLS: Final = _in_hub_protocols()
"""The same message as the .NET SDK sends it where it speaks several hub protocols."""

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
        port = urlsplit(self.url).port or 80
        clients.connect(port, repeat(path, count), is_signalr=True)

    def send(self, hub: str, message: Message) -> None:
        """Send a message to everyone in a hub."""
        url = f"{self.url}/api/hubs/{hub}/:send?api-version=2022-06-01"
        self.request("POST", url, message)

    def memory(self) -> int:
        """Return the bytes that the process has in memory."""
        command = ["ps", "-o", "rss=", "-p", str(self.process.id)]
        return int(subprocess.check_output(command)) * 1024  # noqa: S603  our own command

    def request(self, method: str, url: str, sent: Message | None = None) -> requests.Response:
        """Ask the emulator, which has to do what it is asked for."""
        body, headers = (sent.body, {"Content-Type": sent.content_type}) if sent else (None, None)
        answer = self.posting.request(method, url, data=body, headers=headers, timeout=15)
        if not answer.ok:
            reason = f"{urlsplit(url).path} answered {answer.status_code}"
            raise UnmeasurableError(self.process.build, f"fails in that build: {reason}")
        return answer


def unheard_sends(message: Message) -> Start:
    """Return what measures the microseconds of processor time for a send that nobody receives."""

    @contextmanager
    def start(build: Build, _around: Surroundings) -> Iterator[Slice]:
        with _running(build) as emulator:
            measure = partial(_sends, emulator, "unheard", message, _UNHEARD)
            measure()
            yield lambda: [measure()]

    return start


def fan_out(message: Message) -> Start:
    """Return what measures the microseconds of processor time for each client that receives."""

    @contextmanager
    def start(build: Build, _around: Surroundings) -> Iterator[Slice]:
        with _running(build) as emulator, Clients() as clients:
            emulator.connect(clients, CLIENTS)

            def measure() -> list[float]:
                took = _sends(emulator, "heard", message, _HEARD)
                # A frame has some bytes more, which the next turn reads if this one does not.
                clients.read(_HEARD * CLIENTS * message.heard)
                return [took / CLIENTS]

            measure()
            yield measure

    return start


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


def _sends(emulator: _Emulator, hub: str, message: Message, count: int) -> float:
    """Return the microseconds of processor time that the emulator takes for a message."""
    cpu = emulator.process.cpu()
    for _ in range(count):
        emulator.send(hub, message)
    return (emulator.process.cpu() - cpu) / count * 1e6


@contextmanager
def _running(build: Build) -> Iterator[_Emulator]:
    options = ("--service-port", "0", "--control-port", "0")
    with (
        # Where builds that keep their keys find those of nobody.
        tempfile.TemporaryDirectory() as state,
        server(build, "signalr_emulator", *options, settings={"XDG_STATE_HOME": state}) as process,
        session(1) as posting,
    ):
        settings: dict[str, str] = {}
        while not _READY.match(line := process.line()):
            if found := _SETTING.match(line):
                settings[found[1]] = found[2]
        emulator = _Emulator(process, settings[_SERVICE_URI], posting)
        posting.headers["Authorization"] = f"Bearer {_token(emulator, settings)}"
        yield emulator


def _token(emulator: _Emulator, settings: Mapping[str, str]) -> str:
    """Ask for an Entra token as azure-identity does on App Service."""
    emulator.posting.headers["X-IDENTITY-HEADER"] = settings["IDENTITY_HEADER"]
    query = "api-version=2019-08-01&resource=https://signalr.azure.com"
    answer = emulator.request("GET", f"{settings['IDENTITY_ENDPOINT']}?{query}")
    token: str = answer.json()["access_token"]
    return token
