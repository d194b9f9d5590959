"""The hub protocols that a client can ask for in its handshake."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from . import json, messagepack
from .messages import Envelope, Message, Ping, Received

__all__ = [
    "JSON",
    "MESSAGEPACK",
    "PROTOCOLS",
    "HubProtocol",
    "Reader",
    "TransferFormat",
    "Written",
    "as_sent",
    "encoded",
]


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
        framed: Puts its framing to one message that is written.
        open_envelope: Looks at one invocation or item with its framing, and nothing else.
        with_invocation_id: Puts an invocation id into an invocation that is written.
        ping: A ping, written.
    """

    name: str
    transfer_format: TransferFormat
    content_type: str
    reader: Callable[[int], Reader]
    parse: Callable[[bytes], Received | None]
    encode: Callable[[Message], bytes]
    framed: Callable[[bytes], bytes]
    open_envelope: Callable[[bytes], Envelope]
    with_invocation_id: Callable[[bytes, str], bytes]
    ping: bytes


type Written = Callable[[HubProtocol], bytes]
"""Gives a message in a hub protocol, with its framing; nothing if it is not written in it.

May raise `JsonError` where a value has no form in the protocol.
"""


def as_sent(frames: Mapping[HubProtocol, bytes]) -> Written:
    """Give a message as somebody has written it.

    Args:
        frames: The message with its framing, by the protocol in which it is written.
    """
    return lambda protocol: frames.get(protocol, b"")


def encoded(message: Message) -> Written:
    """Write a message in whichever hub protocol it is asked for."""
    return lambda protocol: protocol.encode(message)


JSON = HubProtocol(
    name="json",
    transfer_format=TransferFormat.TEXT,
    content_type="application/json",
    reader=json.RecordReader,
    parse=json.parse_message,
    encode=json.encode_message,
    framed=json.framed,
    open_envelope=json.open_envelope,
    with_invocation_id=json.with_invocation_id,
    ping=json.encode_message(Ping()),
)

MESSAGEPACK = HubProtocol(
    name="messagepack",
    transfer_format=TransferFormat.BINARY,
    content_type="application/x-msgpack",
    reader=messagepack.FrameReader,
    parse=messagepack.parse_messagepack,
    encode=messagepack.encode_messagepack,
    framed=messagepack.framed,
    open_envelope=messagepack.open_envelope,
    with_invocation_id=messagepack.with_invocation_id,
    ping=messagepack.encode_messagepack(Ping()),
)

PROTOCOLS = {protocol.name: protocol for protocol in (JSON, MESSAGEPACK)}
"""Every protocol by its name."""
