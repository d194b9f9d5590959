"""What waits for the next poll of a client, without I/O."""

from collections import deque

__all__ = ["PollQueue"]


class PollQueue:
    """Messages between two polls.

    Args:
        max_bytes: Bytes that may wait. A single message may be longer.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._records: deque[bytes] = deque()
        self.bytes = 0
        """Bytes that wait."""

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record: bytes) -> bool:
        """Add a message with its framing; gives False, and drops it, if too much waits."""
        if self._records and self.bytes + len(record) > self._max_bytes:
            return False
        self._records.append(record)
        self.bytes += len(record)
        return True

    def take(self) -> bytes:
        """Give everything that waits, as the body of one response."""
        body = b"".join(self._records)
        self._records.clear()
        self.bytes = 0
        return body
