"""What a client library is: which versions, what they speak, how an agent of them is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

__all__ = [
    "CLIENTS",
    "Combination",
    "Language",
    "Library",
    "Program",
    "Protocol",
    "Transport",
    "combinations",
]

CLIENTS: Final = Path(__file__).parent / "clients"
"""The agents' programs."""


class Transport(StrEnum):
    """How messages travel, as an agent's command line names it."""

    WEBSOCKETS = "websockets"
    SERVER_SENT_EVENTS = "serverSentEvents"
    LONG_POLLING = "longPolling"


class Protocol(StrEnum):
    """How messages are written, as an agent's command line names it."""

    JSON = "json"
    MESSAGEPACK = "messagepack"


class Combination(NamedTuple):
    """A transport with a protocol."""

    transport: Transport
    protocol: Protocol

    def __str__(self) -> str:
        """Return the words of the command line."""
        return f"{self.transport} {self.protocol}"


@dataclass(frozen=True, slots=True)
class Library:
    """One version of a client library.

    Args:
        name: Its name where it is published.
        version: Its version there.
        combinations: What it speaks.
        prepare: Makes what its agent needs in a folder of its own, once, and returns the agent's
            command, to which options are added. It raises `CalledProcessError` or `OSError`.
        cannot: Why checks are left out, by the capability that the library lacks.
    """

    name: str
    version: str
    combinations: Sequence[Combination]
    prepare: Callable[[Path], Sequence[str]]
    cannot: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return name and version."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Program:
    """One version of a client library in a program that makes its own checks.

    Args:
        name: Its name where it is published.
        version: The first number of its version there.
        combinations: What it speaks.
        command: The program's command line, without options.
    """

    name: str
    version: str
    combinations: Sequence[Combination]
    command: Sequence[str]

    def __str__(self) -> str:
        """Return name and version."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Language:
    """The libraries of one language.

    Args:
        name: As it is chosen on the command line.
        tools: Programs without which nothing of it can run.
        libraries: Its libraries, the newest version first.
    """

    name: str
    tools: Sequence[str]
    libraries: Sequence[Library | Program]


def combinations(*transports: Transport, protocols: Sequence[Protocol]) -> list[Combination]:
    """Return every transport with every protocol that it carries.

    Args:
        transports: The transports.
        protocols: The protocols. Server-Sent Events are text, so they carry no MessagePack.
    """
    return [
        Combination(transport, protocol)
        for transport in transports
        for protocol in protocols
        if (transport, protocol) != (Transport.SERVER_SENT_EVENTS, Protocol.MESSAGEPACK)
    ]
