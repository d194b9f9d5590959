"""Where a message that goes to many clients ends for one of them.

Of what is done for each of thousands of recipients, every call and every object in between shows in
the rate. So a client says in which form it takes messages, which is made and looked up once for
all, and its sink what to send to, which is the socket itself as long as nothing waits.
"""

from collections.abc import Callable
from typing import Protocol

from ..sockets.writer import Way
from .outgoing import Outgoing

__all__ = ["NOTHING", "NOWHERE", "Form", "Relay", "Sink"]

type Form = Callable[[Outgoing], bytes]
"""Gives a message in a wire form; empty if it is not written in the client's protocol."""


class Sink(Protocol):
    """Takes messages of one client, in its form, without waiting."""

    @property
    def way(self) -> Way:
        """What takes a message first."""

    def put_rest(self, data: bytes, dealt_with: int) -> None:
        """Take what the way has left of a message.

        Args:
            data: What was given to the way.
            dealt_with: Bytes of it that are dealt with.
        """


class Relay:
    """A sink that hands messages on.

    Args:
        put: Takes each of them.
    """

    __slots__ = ("_put",)

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put

    @property
    def way(self) -> Way:
        """The sink itself."""
        return self

    def send(self, data: bytes, /) -> int:
        """Hand a message on."""
        self._put(data)
        return len(data)

    def put_rest(self, data: bytes, dealt_with: int) -> None:
        """Do nothing: nothing is left."""


def _nothing(_message: Outgoing) -> bytes:
    return b""


NOTHING: Form = _nothing
"""The form of messages for a client that is not reachable."""

NOWHERE = Relay(lambda _data: None)
"""Its sink."""
