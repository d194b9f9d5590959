"""What a connection has to know of its transport, and of what was negotiated for it."""

from dataclasses import dataclass

from ..protocols.messages import MAX_RECORD_BYTES
from ..protocols.supported import TransferFormat

__all__ = ["Traits"]


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
