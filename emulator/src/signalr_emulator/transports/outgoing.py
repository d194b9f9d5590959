"""One message on its way to many clients: each wire form of it is made once."""

import logging
from collections.abc import Callable
from functools import cached_property
from operator import attrgetter

from ..errors import JsonError
from ..protocols.supported import JSON, MESSAGEPACK, HubProtocol, Written
from ..websocket.frames import binary_frame, text_frame
from .event_stream import event_chunk

__all__ = ["Outgoing", "record_form"]

_LOGGER = logging.getLogger(__name__)


class Outgoing:
    """A message that goes to any number of clients.

    Args:
        written: Gives it in a hub protocol, as the clients receive it.
    """

    def __init__(self, written: Written) -> None:
        self._written = written
        self.unwritten: set[HubProtocol] = set()
        """The protocols of clients that it would have gone to, had it been written in them."""

    @cached_property
    def json(self) -> bytes:
        """The record of the JSON hub protocol; empty if it is not written in it."""
        return self._write(JSON)

    @cached_property
    def messagepack(self) -> bytes:
        """The message of the MessagePack hub protocol; empty if it is not written in it."""
        return self._write(MESSAGEPACK)

    @cached_property
    def websocket_text(self) -> bytes:
        """The JSON record in a WebSocket frame, ready for a socket."""
        return text_frame(self.json) if self.json else b""

    @cached_property
    def websocket_binary(self) -> bytes:
        """The MessagePack message in a WebSocket frame, ready for a socket."""
        return binary_frame(self.messagepack) if self.messagepack else b""

    @cached_property
    def event(self) -> bytes:
        """The JSON record as a server-sent event in a chunk, ready for a socket."""
        return event_chunk(self.json) if self.json else b""

    def record(self, protocol: HubProtocol) -> bytes:
        """Give the message in a protocol, with its framing; empty if it is not written in it."""
        if protocol is JSON:
            return self.json
        return self.messagepack if protocol is MESSAGEPACK else self._write(protocol)

    def _write(self, protocol: HubProtocol) -> bytes:
        try:
            record = self._written(protocol)
            problem = "is not written in their protocol"
        except JsonError as error:
            record, problem = b"", str(error)
        if not record:
            self.unwritten.add(protocol)
            _LOGGER.warning("A message is not sent to %s clients: it %s.", protocol.name, problem)
        return record


_JSON: Callable[[Outgoing], bytes] = attrgetter("json")
_MESSAGEPACK: Callable[[Outgoing], bytes] = attrgetter("messagepack")


def record_form(protocol: HubProtocol) -> Callable[[Outgoing], bytes]:
    """Give what gives a message in a protocol, with its framing."""
    if protocol is JSON:
        return _JSON
    return _MESSAGEPACK if protocol is MESSAGEPACK else lambda message: message.record(protocol)
