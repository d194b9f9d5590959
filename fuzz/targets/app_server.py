"""What an app server sends over a whole server connection: session, handlers and its clients."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from signalr_emulator import Clock, Config
from signalr_emulator.authentication.client_tokens import ClientIdentity
from signalr_emulator.clients.transport import Traits
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.faults.disturbances import Disturbances
from signalr_emulator.protocols.messagepack import framed
from signalr_emulator.protocols.supported import HubProtocol, TransferFormat
from signalr_emulator.server_connections.client import RelayedClient
from signalr_emulator.server_connections.connection import Connection
from signalr_emulator.server_connections.live import ServerConnection
from signalr_emulator.server_connections.opening import ClientRequest
from signalr_emulator.server_endpoint.routes import message_handlers
from signalr_emulator.server_endpoint.session import Session
from signalr_emulator.service_protocol.codec import message_reader, read, write
from signalr_emulator.service_protocol.fields import FOR_EVER
from signalr_emulator.service_protocol.messages import (
    ClientCompletion,
    ClientInvocation,
    CloseConnection,
    ConnectionData,
    ConnectionKind,
    ErrorCompletion,
    HandshakeRequest,
    Ping,
)
from signalr_emulator.service_protocol.requests import (
    CloseConnectionsWithAck,
    CloseGroupConnectionsWithAck,
    GroupMemberQuery,
    JoinGroupWithAck,
    LeaveGroupWithAck,
    RefreshAuth,
    UserJoinGroupWithAck,
)
from signalr_emulator.service_protocol.sends import (
    BroadcastData,
    GroupBroadcastData,
    MultiConnectionData,
    UserData,
)
from signalr_emulator.service_protocol.table import Message
from signalr_emulator.state.resource import Resource
from signalr_emulator.state.service import Service
from signalr_emulator.transports.deadlines import Deadlines
from signalr_emulator.transports.outgoing import record_form
from signalr_emulator.transports.sink import Form, Relay, Sink

from fuzz.target import pieces, target

if TYPE_CHECKING:
    from signalr_emulator.server_endpoint.socket import ServerSocket

__all__: list[str] = []

_NOW: Final = 1_700_000_000.0
_CLOCK: Final = Clock(lambda: _NOW)
_CONFIG: Final = Config(service_mode=ServiceMode.DEFAULT)
_SERVICE: Final = Service.create(
    _CONFIG, clock=_CLOCK, signing_key=SigningKey.generate(), seed=bytes(32)
)
_LOOP: Final = asyncio.new_event_loop()
_GREETING: Final = b'{"protocol":"json","version":1}\x1e'
_ANSWER: Final = b"{}\x1e"
_FAILED: Final = b"The service has failed."
_SAID: Final = (("json", b'{"type":1,"invocationId":"i","target":"t","arguments":[]}\x1e'),)
_OPENED: Final = ConnectionData("one", _ANSWER, data_type=1)
_VECTORS: Final = (
    Path(__file__).parents[2] / "tests" / "shared" / "service_protocol" / "vectors.jsonl"
)


class _Socket:
    """Keeps what is written."""

    has_room = True

    def __init__(self) -> None:
        self.written = bytearray()
        self._is_closed = False

    def write(self, data: bytes) -> None:
        if not self._is_closed:
            self.written += data

    async def room(self) -> None:
        """There is room."""

    def close(self) -> None:
        self._is_closed = True

    def abort(self) -> None:
        self._is_closed = True


class _Transport:
    """Keeps what a client gets."""

    waiting = 0

    def __init__(self) -> None:
        self.sent = bytearray()
        self._is_closed = False

    def send(self, payload: bytes, _transfer_format: TransferFormat) -> None:
        if not self._is_closed:
            self.sent += payload

    def form(self, protocol: HubProtocol) -> Form:
        return record_form(protocol)

    @property
    def sink(self) -> Sink:
        return Relay(lambda record: self.send(record, TransferFormat.BINARY))

    def close(self) -> None:
        self._is_closed = True

    def abort(self) -> None:
        self._is_closed = True


def _recorded() -> list[bytes]:
    """Return each type's message as the SDK for .NET writes it when all of it is set."""
    lines = map(json.loads, _VECTORS.read_text(encoding="utf-8").splitlines())
    return [framed(bytes.fromhex(each["hex"])) for each in lines if each.get("variant") == "Full"]


def _stream(*messages: Message, size: int = 255) -> bytes:
    return bytes([size]) + b"".join(map(write, messages))


@target(
    _stream(_OPENED, BroadcastData(("two",), _SAID), MultiConnectionData(("one", "two"), _SAID)),
    _stream(JoinGroupWithAck("one", "g", 1), GroupBroadcastData("g", (), _SAID, ("ann",)), size=6),
    _stream(_OPENED, ConnectionData("one", b'{"type":7}\x1e'), CloseConnection("one")),
    _stream(ConnectionData("one", b"{", is_partial=True), ConnectionData("one", b"}\x1e"), size=0),
    _stream(ClientInvocation("i", "other", "s", _SAID), ErrorCompletion("i", "other", "s", "no")),
    _stream(ClientInvocation("i", "one", "s", _SAID), ClientCompletion("i", "one", "", "", b"x")),
    _stream(UserJoinGroupWithAck("ann", "g", 1, ttl=60), GroupMemberQuery("g", 2, 3, None, 1)),
    _stream(RefreshAuth("token", (("role", "r"),), FOR_EVER, 1), UserData("ann", _SAID)),
    _stream(CloseConnectionsWithAck("", 1, ["one"]), CloseGroupConnectionsWithAck("g", "", 2, [])),
    _stream(LeaveGroupWithAck("two", None, 1), Ping(("status", "1")), Ping(("servers", ""))),
    _stream(Ping(("shutdown", "fin:1")), Ping(("shutdown", "fin:2")), Ping(("shutdown", None))),
    *(_stream() + each for each in _recorded()),
)  # fmt: skip
def app_server_session(data: bytes) -> None:
    """Whatever an app server sends, however it is cut: no failure, and no harm to another one."""
    whole, cut = pieces(data)
    at_once = _LOOP.run_until_complete(_carried_out([whole]))
    assert _FAILED not in at_once
    for body in message_reader().feed(at_once):
        assert read(body) is not None
    if at_once != _LOOP.run_until_complete(_carried_out(cut)):
        raise AssertionError("what is said depends on how it is cut")


async def _carried_out(parts: list[bytes]) -> bytes:
    """Return what an app server gets that has sent something, beside another one."""
    resource = Resource.create(
        _CONFIG.resources[0],
        _CONFIG,
        clock=_CLOCK,
        tenant=_SERVICE.tenant,
        seed=bytes(32),
        journal=_SERVICE.journal,
    )
    resource.servers.instance_id = "instance"
    other = _server("other server", _Socket())
    other.kind = ConnectionKind.DEFAULT
    resource.servers.add(other)
    bystander, heard = _client(resource, "other", "ben")
    bystander.from_server(ConnectionData("other", _ANSWER, data_type=1))

    socket = _Socket()
    session = Session(
        Connection("server", lambda _asked: None, _CONFIG.server_timing, _LOOP.time()),
        _server("server", socket),
        servers=resource.servers,
        expire=resource.user_groups.expire,
        socket=cast("ServerSocket", socket),
        handlers=message_handlers(_SERVICE, resource),
        disturbances=Disturbances(_SERVICE.faults, "chat", None),
        carried_out=lambda _server, _message, _error: None,
    )
    session.take(write(HandshakeRequest(1, ConnectionKind.DEFAULT)))
    for connection_id in ("one", "two"):
        _client(resource, connection_id, "ann", "server")
    for part in parts:
        session.take(part)
        # What is put off because a broadcast goes on.
        await asyncio.sleep(0)
    session.end()
    await asyncio.sleep(0)
    assert resource.servers.all() == [other]
    left = resource.hubs.everyone("chat")
    # Of its clients those are left that have moved to the other one.
    assert left.keys() == other.clients.keys()
    if "other" in left:
        bystander.from_server(ConnectionData("other", b"still here\x1e"))
        assert heard.sent.endswith(b"still here\x1e")
    for client in list(other.clients.values()):
        client.closed_by_server()
    return bytes(socket.written)


def _server(connection_id: str, socket: _Socket) -> ServerConnection:
    return ServerConnection(connection_id, connection_id, "chat", socket)


def _client(
    resource: Resource, connection_id: str, user: str, server_id: str = "other server"
) -> tuple[RelayedClient, _Transport]:
    """Make a client that has greeted, and whose app server has yet to answer."""
    claims = {"asrs.s.sn": server_id, "asrs.s.ssticky": "Required"}
    negotiated = resource.negotiations.open(ClientIdentity(user, claims), "chat", 1, _LOOP.time())
    negotiated.connection_id = connection_id
    client = RelayedClient(
        negotiated=negotiated,
        request=ClientRequest(),
        hubs=resource.hubs,
        servers=resource.servers,
        timing=_CONFIG.timing,
        traits=Traits(),
        max_held=_CONFIG.max_write_buffer,
        loop=_LOOP,
        deadlines=Deadlines(),
        on_end=lambda: resource.negotiations.end(negotiated),
    )
    transport = _Transport()
    client.attach(transport)
    client.data_received(_GREETING)
    return client, transport
