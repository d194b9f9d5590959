"""What a connection has to remember so that nothing is lost or doubled when it is reopened.

Source: HubProtocol.md of dotnet/aspnetcore, stateful reconnect. Both sides number the messages
that do something, from 1 on and never anew; pings, closes, acks and sequences have no number. The
receiver acks the highest number that it has handled. After a reconnection each side says with a
sequence which number comes next and sends again what was not acked.
"""

import math
from collections import deque

from ..errors import ProtocolError

__all__ = ["ACK_DELAY", "ResendBuffer"]

ACK_DELAY = 1.0
"""From a message to its ack, in seconds, so that many messages share one."""


class ResendBuffer:
    """Numbers and keeps what was sent, and tells new messages from repeated ones.

    Args:
        max_bytes: Bytes that may wait for an ack.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: deque[tuple[int, bytes]] = deque()
        self._kept_bytes = 0
        self._sent = 0
        self._next_received = 1
        self._received = 0
        self._waits_for_sequence = False
        self.ack_at = math.inf
        """Monotonic time at which an ack is due, in seconds."""

    def sent(self, record: bytes) -> bool:
        """Keep a message that is sent now; gives False if too much waits for acks."""
        self._sent += 1
        self._kept.append((self._sent, record))
        self._kept_bytes += len(record)
        return self._kept_bytes <= self._max_bytes

    def acked(self, sequence_id: int) -> None:
        """Forget every message up to this number.

        Raises:
            ProtocolError: So many messages were never sent.
        """
        if sequence_id > self._sent:
            raise ProtocolError("An ack names a message that was never sent.")
        while self._kept and self._kept[0][0] <= sequence_id:
            _, record = self._kept.popleft()
            self._kept_bytes -= len(record)

    def is_new(self, now: float) -> bool:
        """Count a message that has arrived; gives False if it was handled before.

        Args:
            now: Monotonic time, in seconds.
        """
        if self._waits_for_sequence:
            return False
        number = self._next_received
        self._next_received += 1
        # A repeated message needs an ack too: the first one was lost.
        self.ack_at = min(self.ack_at, now + ACK_DELAY)
        if number <= self._received:
            return False
        self._received = number
        return True

    def ack(self) -> int:
        """Give the number to ack; no ack is due any more."""
        self.ack_at = math.inf
        return self._received

    def lost(self) -> None:
        """Expect a sequence before anything else."""
        self._waits_for_sequence = True
        self.ack_at = math.inf

    def sequence(self, sequence_id: int) -> None:
        """Continue to count from this number.

        Raises:
            ProtocolError: Messages in between are missing.
        """
        if sequence_id > self._received + 1 or sequence_id < 1:
            raise ProtocolError("A sequence does not continue the messages that have arrived.")
        self._next_received = sequence_id
        self._waits_for_sequence = False

    def resume(self) -> tuple[int, list[bytes]]:
        """Give the number of the sequence to send, and every message to send after it."""
        records = [record for _, record in self._kept]
        return (self._kept[0][0] if self._kept else self._sent + 1), records
