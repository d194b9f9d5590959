"""What a client and its transport know of each other."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ..protocols.messages import MAX_RECORD_BYTES
from ..protocols.supported import HubProtocol, TransferFormat
from ..transports.sink import Form, Sink

__all__ = ["Lost", "Traits", "Transport"]


class Transport(Protocol):
    """Carries bytes to one client without waiting; after `close` it drops them."""

    def send(self, payload: bytes, transfer_format: TransferFormat) -> None:
        """Send messages of the hub protocol."""

    def form(self, protocol: HubProtocol) -> Form:
        """Give the form of messages that go to many clients."""

    @property
    def sink(self) -> Sink:
        """What takes messages that go to many clients."""

    @property
    def waiting(self) -> int:
        """Bytes that the client has yet to take."""

    def close(self) -> None:
        """Close the transport after what was sent."""

    def abort(self) -> None:
        """Cut the transport now."""


class Lost(Enum):
    """How a transport has ended."""

    ORDERLY = "orderly"
    """The client has closed it."""

    BROKEN = "broken"
    """It broke; the client may not know."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the transport of a connection is able to do.

    Attributes:
        transfer_formats: What it carries.
        is_stateful: Whether it was negotiated with stateful reconnect.
        keeps_itself_alive: Whether the transport itself notices that a client is gone; such
            clients send no pings.
        max_unacknowledged: Bytes that may wait for an ack in stateful reconnect.
        max_record: The longest message that the client may send, in bytes.
    """

    transfer_formats: frozenset[TransferFormat] = frozenset(TransferFormat)
    is_stateful: bool = False
    keeps_itself_alive: bool = False
    max_unacknowledged: int = 16 * 1024 * 1024
    max_record: int = MAX_RECORD_BYTES
