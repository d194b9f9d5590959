"""One message on its way to many clients: each wire form of it is made once."""

from functools import cached_property

from signalr_emulator.frames import text_frame
from signalr_emulator.hub_protocol import Invocation, encode_message

__all__ = ["Outgoing"]


class Outgoing:
    """An invocation that goes to any number of clients.

    Args:
        invocation: What the clients receive.

    Raises:
        JsonError: An argument has no JSON form.
    """

    def __init__(self, invocation: Invocation) -> None:
        self.json = encode_message(invocation)
        """The record of the JSON hub protocol."""

    @cached_property
    def websocket_text(self) -> bytes:
        """The record in a WebSocket frame, ready for a socket."""
        return text_frame(self.json)
