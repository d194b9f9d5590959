"""One message on its way to many clients: each wire form of it is made once."""

import logging
from functools import cached_property

from ..errors import JsonError
from ..protocols.json import encode_message
from ..protocols.messagepack import encode_messagepack
from ..protocols.messages import Invocation
from ..protocols.supported import HubProtocol, TransferFormat
from .event_stream import event_chunk
from .frames import binary_frame, text_frame

__all__ = ["Outgoing"]

_LOGGER = logging.getLogger(__name__)


class Outgoing:
    """An invocation that goes to any number of clients.

    Args:
        invocation: What the clients receive.

    Raises:
        JsonError: An argument has no JSON form.
    """

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self.json = encode_message(invocation)
        """The record of the JSON hub protocol."""

    @cached_property
    def messagepack(self) -> bytes:
        """The message of the MessagePack hub protocol; empty if it has no such form."""
        try:
            return encode_messagepack(self._invocation)
        except JsonError as error:
            _LOGGER.warning("A message is not sent to MessagePack clients: it %s.", error)
            return b""

    @cached_property
    def websocket_text(self) -> bytes:
        """The JSON record in a WebSocket frame, ready for a socket."""
        return text_frame(self.json)

    @cached_property
    def websocket_binary(self) -> bytes:
        """The MessagePack message in a WebSocket frame, ready for a socket."""
        return binary_frame(self.messagepack) if self.messagepack else b""

    @cached_property
    def event(self) -> bytes:
        """The JSON record as a server-sent event in a chunk, ready for a socket."""
        return event_chunk(self.json)

    def record(self, protocol: HubProtocol) -> bytes:
        """Give the message in a protocol, with its framing; empty if it has no such form."""
        return self.messagepack if protocol.transfer_format is TransferFormat.BINARY else self.json
