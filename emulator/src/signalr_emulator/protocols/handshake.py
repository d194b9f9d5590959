"""The first record of a connection, in which a client says what it speaks."""

from dataclasses import dataclass

from ..errors import ProtocolError
from .json import SEPARATOR, HandshakeRequest, parse_handshake
from .supported import PROTOCOLS, HubProtocol, TransferFormat

__all__ = ["STATEFUL_VERSION", "Agreement", "Handshake", "check_carried", "first_record"]

STATEFUL_VERSION = 2
"""The highest version; like ASP.NET Core, lower ones are accepted, 0 of signalrcore among them."""

_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is spoken from now on.

    Attributes:
        protocol: The hub protocol.
        version: Its version.
        rest: What the client sent after the handshake.
    """

    protocol: HubProtocol
    version: int
    rest: bytes


class Handshake:
    """Collects the handshake, whatever the sizes in which it arrives.

    Args:
        transfer_formats: What the transport carries.
    """

    def __init__(self, transfer_formats: frozenset[TransferFormat]) -> None:
        self._transfer_formats = transfer_formats
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Agreement | None:
        """Add bytes, and give what is agreed once the handshake is complete.

        Raises:
            ProtocolError: It is not a handshake, or asks for what cannot be spoken.
        """
        self._buffer += data
        found = first_record(self._buffer)
        if found is None:
            return None
        record, rest = found
        request = parse_handshake(record)
        return Agreement(self._protocol(request), request.version, rest)

    def _protocol(self, request: HandshakeRequest) -> HubProtocol:
        protocol = PROTOCOLS.get(request.protocol)
        if protocol is None:
            raise ProtocolError(f"The protocol '{request.protocol}' is not supported.")
        if request.version > STATEFUL_VERSION:
            raise ProtocolError(
                f"Version {request.version} of the protocol '{protocol.name}' is not supported."
            )
        check_carried(protocol, self._transfer_formats)
        return protocol


def first_record(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Take out of what has come the handshake, without its separator, and what follows it.

    Gives None, and leaves everything there, until it is complete.

    Raises:
        ProtocolError: It is too long.
    """
    record, separator, rest = buffer.partition(SEPARATOR)
    if len(record) > _MAX_BYTES:
        raise ProtocolError(f"The handshake is longer than {_MAX_BYTES} bytes.")
    if not separator:
        return None
    buffer.clear()
    return bytes(record), bytes(rest)


def check_carried(protocol: HubProtocol, transfer_formats: frozenset[TransferFormat]) -> None:
    """Refuse a hub protocol that a transport cannot carry.

    Raises:
        ProtocolError: It needs another transfer format.
    """
    if protocol.transfer_format not in transfer_formats:
        raise ProtocolError(f"The transport cannot carry the protocol '{protocol.name}'.")
