"""What a client says first, and how an app server learns of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ..authentication.claims import held_claims
from ..clients.negotiations import Negotiated
from ..protocols.handshake import check_carried, first_record
from ..protocols.json import SEPARATOR, parse_handshake
from ..protocols.supported import JSON, MESSAGEPACK, HubProtocol, TransferFormat
from ..service_protocol.messages import OpenConnection

__all__ = ["ClientRequest", "Greeting", "GreetingReader", "open_connection"]

_BLAZOR: Final = replace(MESSAGEPACK, name="blazorpack")
"""Frames as in MessagePack; Blazor Server has packages of its own for both ends."""

_PROTOCOLS: Final = {each.name: each for each in (JSON, MESSAGEPACK, _BLAZOR)}

_INSTANCE_ID: Final = "Asrs-Instance-Id"
_MIGRATE_FROM: Final = "Asrs-Migrate-From"


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """The request by which a client has connected, as far as its app server sees it.

    Attributes:
        headers: Values by name.
        query: Without the question mark and without tokens.
    """

    headers: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    query: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Greeting:
    """The handshake of a client.

    Attributes:
        protocol: What it wants to speak.
        version: Of the hub protocol.
        record: The handshake as it came, with its framing.
        rest: What came after it.
    """

    protocol: HubProtocol
    version: int
    record: bytes
    rest: bytes


class GreetingReader:
    """Collects the handshake of a client, whatever the sizes in which it arrives.

    Which protocols and versions there are is for the app server to say.

    Args:
        transfer_formats: What the client's transport carries.
    """

    def __init__(self, transfer_formats: frozenset[TransferFormat]) -> None:
        self._transfer_formats = transfer_formats
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Greeting | None:
        """Add bytes, and give the handshake once it is complete.

        Raises:
            ProtocolError: It is no handshake, or the transport does not carry the protocol.
        """
        self._buffer += data
        found = first_record(self._buffer)
        if found is None:
            return None
        record, rest = found
        asked = parse_handshake(record)
        protocol = _PROTOCOLS.get(asked.protocol) or replace(MESSAGEPACK, name=asked.protocol)
        check_carried(protocol, self._transfer_formats)
        return Greeting(protocol, asked.version, record + SEPARATOR, rest)


def open_connection(
    negotiated: Negotiated,
    request: ClientRequest,
    protocol: str,
    *,
    instance_id: str,
    migrated_from: str | None = None,
) -> OpenConnection:
    """Tell an app server of a client.

    Args:
        negotiated: Its connection.
        request: How it has connected.
        protocol: Name of its hub protocol, without which an app server takes no client.
        instance_id: Which instance of the service has it.
        migrated_from: Id of the app server that had it before.
    """
    own: Mapping[str, str | None] = {_INSTANCE_ID: instance_id, _MIGRATE_FROM: migrated_from}
    return OpenConnection(
        negotiated.connection_id,
        claims=held_claims(negotiated.identity.claims),
        headers=(
            *request.headers,
            *((name, (value,)) for name, value in own.items() if value is not None),
        ),
        query=f"?{request.query}",
        protocol=protocol,
    )
