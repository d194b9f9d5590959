"""Stateful reconnect of a client that an app server answers: the service counts, and sends again.

The app server has no part in it: Microsoft.Azure.SignalR 1.34.0 says only whether its hub allows
it, and writes neither acks nor sequences.
"""

from ..clients.resend_buffer import ResendBuffer
from ..protocols.messages import (
    Ack,
    CancelInvocation,
    Completion,
    ReceivedInvocation,
    ReceivedStreamItem,
    Sequence,
)
from ..protocols.supported import HubProtocol, Reader

__all__ = ["StatefulReconnect"]

_SENT_WITH_NUMBER = (ReceivedInvocation, ReceivedStreamItem, Completion)
_RECEIVED_WITH_NUMBER = (*_SENT_WITH_NUMBER, CancelInvocation)


class StatefulReconnect:
    """What one client and the service have to repeat after a lost transport.

    Args:
        protocol: What the client speaks.
        max_record: The longest message that it may send, in bytes.
        max_unacknowledged: Bytes that may wait for its ack.
    """

    def __init__(self, protocol: HubProtocol, max_record: int, max_unacknowledged: int) -> None:
        self._protocol = protocol
        self._max_record = max_record
        self._buffer = ResendBuffer(max_unacknowledged)
        self._received = self._reader()
        self._sent = self._reader()

    @property
    def ack_at(self) -> float:
        """Monotonic time at which the client is to get an ack, in seconds."""
        return self._buffer.ack_at

    def received(self, data: bytes, now: float) -> bytes:
        """Give what is for the app server of what a client has sent, each message once.

        Args:
            data: Any number of messages or parts of them.
            now: Monotonic time, in seconds.

        Raises:
            ProtocolError: The client breaks its hub protocol.
        """
        passed: list[bytes] = []
        for record in self._received.feed(data):
            match self._protocol.parse(record):
                case Ack(sequence_id):
                    self._buffer.acked(sequence_id)
                case Sequence(sequence_id):
                    self._buffer.sequence(sequence_id)
                case message:
                    counts = isinstance(message, _RECEIVED_WITH_NUMBER)
                    if not counts or self._buffer.is_new(now):
                        passed.append(self._protocol.framed(record))
        return b"".join(passed)

    def sent(self, payload: bytes) -> bool:
        """Keep what is sent until the client has it; gives False if too much waits for that.

        Args:
            payload: Any number of messages, with their framing.

        Raises:
            ProtocolError: Whoever has written them breaks the hub protocol.
        """
        return all(
            self._buffer.sent(self._protocol.framed(record))
            for record in self._sent.feed(payload)
            if isinstance(self._protocol.parse(record), _SENT_WITH_NUMBER)
        )

    def ack(self) -> bytes:
        """Give the ack that is due."""
        return self._protocol.encode(Ack(self._buffer.ack()))

    def lost(self) -> None:
        """Take note that the transport is lost, and with it what has come of a message."""
        self._buffer.lost()
        self._received = self._reader()

    def resume(self) -> list[bytes]:
        """Give what the client gets first on its next transport."""
        sequence_id, records = self._buffer.resume()
        return [self._protocol.encode(Sequence(sequence_id)), *records]

    def _reader(self) -> Reader:
        return self._protocol.reader(self._max_record)
