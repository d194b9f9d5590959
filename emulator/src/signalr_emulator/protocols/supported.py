"""The hub protocols that a client can ask for in its handshake."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from .json import RecordReader, encode_message, parse_message
from .messagepack import (
    FrameReader,
    encode_messagepack,
    parse_messagepack,
)
from .messages import Message, Ping, Received

__all__ = ["JSON", "MESSAGEPACK", "PROTOCOLS", "HubProtocol", "Reader", "TransferFormat"]


class TransferFormat(Enum):
    """What a transport has to be able to carry, by its name in a negotiation."""

    TEXT = "Text"
    BINARY = "Binary"


class Reader(Protocol):
    """Cuts bytes into messages."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes and give every message that they complete, without its framing.

        Raises:
            ProtocolError: The framing is malformed, or a message is too long.
        """


@dataclass(frozen=True, slots=True, eq=False)
class HubProtocol:
    """One way to write messages.

    Attributes:
        name: What a handshake calls it.
        transfer_format: What it needs of a transport.
        content_type: Media type of one message without its framing.
        reader: Makes what cuts a connection's bytes into messages, of so many bytes at most.
        parse: Parses one message without its framing; None for one to ignore.
        encode: Writes one message with its framing.
        ping: A ping, written.
    """

    name: str
    transfer_format: TransferFormat
    content_type: str
    reader: Callable[[int], Reader]
    parse: Callable[[bytes], Received | None]
    encode: Callable[[Message], bytes]
    ping: bytes


JSON = HubProtocol(
    name="json",
    transfer_format=TransferFormat.TEXT,
    content_type="application/json",
    reader=RecordReader,
    parse=parse_message,
    encode=encode_message,
    ping=encode_message(Ping()),
)

MESSAGEPACK = HubProtocol(
    name="messagepack",
    transfer_format=TransferFormat.BINARY,
    content_type="application/x-msgpack",
    reader=FrameReader,
    parse=parse_messagepack,
    encode=encode_messagepack,
    ping=encode_messagepack(Ping()),
)

PROTOCOLS = {protocol.name: protocol for protocol in (JSON, MESSAGEPACK)}
"""Every protocol by its name."""
