"""The last of what happened: so many things at most, and so many bytes of them."""

from collections import deque
from collections.abc import Iterator

__all__ = ["Recent"]


class Recent[T]:
    """Keeps the newest things, and knows how many it has let go.

    Args:
        most: How many are kept.
        most_bytes: How many bytes they may take together; the newest is kept whatever it takes.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self.forgotten = 0
        """How many there were before those that are kept."""

    def __iter__(self) -> Iterator[T]:
        """Give what is kept, the newest first."""
        return (each for each, _ in self._kept)

    def __len__(self) -> int:
        """Tell how many are kept."""
        return len(self._kept)

    def add(self, newest: T, size: int) -> None:
        """Keep one more.

        Args:
            newest: What happened.
            size: The bytes that are kept for it, roughly.
        """
        kept = self._kept
        kept.appendleft((newest, size))
        self._bytes += size
        while len(kept) > self._most or (self._bytes > self._most_bytes and len(kept) > 1):
            self._bytes -= kept.pop()[1]
            self.forgotten += 1

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = self.forgotten = 0
