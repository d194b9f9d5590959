"""What clients and callers send to the emulator."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import jwt
from signalr_emulator.admission.rules import LOOPBACK_ORIGINS, Admission, parse_host
from signalr_emulator.authentication.access_keys import AccessKeys
from signalr_emulator.authentication.callers import Authenticator, CalledUrl
from signalr_emulator.authentication.client_tokens import validate_client_token
from signalr_emulator.clients.connection import Connection
from signalr_emulator.clients.connection_events import Event
from signalr_emulator.clients.transport import Traits
from signalr_emulator.clock import Clock
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.entra.tenant import SigningKey, Tenant
from signalr_emulator.errors import (
    AuthenticationError,
    ForbiddenError,
    InvalidRequestError,
    JsonError,
    ProtocolError,
    ServiceMessageError,
    WebSocketError,
)
from signalr_emulator.operations.binary_payload import parse_binary_item, parse_binary_payload
from signalr_emulator.operations.commands import parse_commands
from signalr_emulator.operations.filters import Candidate, parse_filter
from signalr_emulator.operations.pages import page
from signalr_emulator.operations.payloads import parse_item, parse_payload
from signalr_emulator.protocols.messagepack import framed
from signalr_emulator.protocols.messages import (
    MAX_RECORD_BYTES,
    Close,
    Completion,
    Invocation,
    Message,
    Ping,
    ReceivedInvocation,
    ReceivedStreamItem,
    Sequence,
    StreamInvocation,
    StreamItem,
)
from signalr_emulator.protocols.supported import JSON, MESSAGEPACK, HubProtocol, Reader, Written
from signalr_emulator.service_protocol.codec import message_reader, read, write
from signalr_emulator.transports.outgoing import Outgoing
from signalr_emulator.transports.timing import Timing
from signalr_emulator.websocket.frames import CloseCode, Opcode, binary_frame
from signalr_emulator.websocket.reading import FrameReader
from websockets.frames import Frame
from websockets.protocol import Protocol, Side
from websockets.streams import StreamReader

from fuzz.target import pieces, target, text

__all__: list[str] = []

_LONGEST: Final = 300
"""The longest message of a WebSocket, in bytes."""

_LONGEST_FRAME: Final = _LONGEST + 14

_MESSAGES: Final[tuple[Message, ...]] = (
    Invocation("send", JsonText('[1,"ä",null,[true],{"a":-1.50}]'.encode()), "7"),
    StreamInvocation("8", "count", JsonText(b"[18446744073709551615]")),
    StreamItem("8", JsonText(b'{"deep":[[]]}')),
    Completion("7", JsonText(b'"done"')),
    Completion("7", error="no"),
    Close("bye", allow_reconnect=True),
    Ping(),
    Sequence(3),
)


def _written(protocol: HubProtocol) -> list[bytes]:
    return [protocol.encode(message) for message in _MESSAGES]


def _streams(protocol: HubProtocol, handshake: bytes = b"") -> list[bytes]:
    """Return streams of messages, whole and to be cut into single bytes."""
    whole = handshake + b"".join(_written(protocol))
    return [b"\xff" + whole, b"\x00" + whole, *(b"\x02" + each for each in _written(protocol))]


def _handshake(protocol: HubProtocol, version: int = 1) -> bytes:
    return f'{{"protocol":"{protocol.name}","version":{version}}}\x1e'.encode()


@target(*_streams(JSON), b'\x03{"type":1,"target":"\\ud800","arguments":[1e400]}\x1e')
def json_stream(data: bytes) -> None:
    """Records are the same however they are cut, and a message is read as it is written."""
    _stream(JSON, data)


@target(
    *_streams(MESSAGEPACK),
    b"\x00\x80\x80\x80\x80\x10",
    b"\xff\x0b\x96\x01\x80\xa11\xa1t\x91\xa1\xff\x90",  # text that is not UTF-8
    b"\xff\x09\x95\x03\x80\xa11\x03\x81\x90\x00",  # an array as the key of a map
    b"\xff\x14\x95\x03\x80\xa11\x03\xc7\x0c\xff" + b"\xff" * 12,  # a date of no calendar
)
def messagepack_stream(data: bytes) -> None:
    """As `json_stream`."""
    _stream(MESSAGEPACK, data)


@target(
    *_streams(JSON, _handshake(JSON)),
    *_streams(MESSAGEPACK, _handshake(MESSAGEPACK)),
    *_streams(JSON, _handshake(JSON, 2)),
)
def connection(data: bytes) -> None:
    """What a client does leads to the same events, however its bytes are cut."""
    whole, cut = pieces(data)
    assert _events([whole]) == _events(cut)


_VECTORS: Final = (
    Path(__file__).parents[2] / "tests" / "shared" / "service_protocol" / "vectors.jsonl"
)


def _recorded() -> list[bytes]:
    """Return each type's message as the SDK for .NET writes it when all of it is set."""
    lines = map(json.loads, _VECTORS.read_text(encoding="utf-8").splitlines())
    return [framed(bytes.fromhex(each["hex"])) for each in lines if each.get("variant") == "Full"]


@target(
    *(b"\x03" + each for each in _recorded()),
    b"\xff" + b"".join(_recorded()),
    b"\x00\x80\x80\x80\x80\x80\x01",
    b"\x00\x0c\x94\x0b\xa1c\xa1g\x82\x03\xa1x\x01\x4d",  # an extension that a join has not
)
def app_server_stream(data: bytes) -> None:
    """What app servers send is read, skipped or refused, and what is read can be sent on."""
    whole, cut = pieces(data)
    bodies = _records(message_reader(), [whole])
    assert bodies == _records(message_reader(), cut)
    for body in bodies:
        if not isinstance(body, bytes):
            continue
        try:
            message = read(body)
        except ServiceMessageError:
            continue
        if message is None:
            continue
        with suppress(ServiceMessageError):
            (again,) = _records(message_reader(), [write(message)])
            assert isinstance(again, bytes)
            assert read(again) == message


_ADMISSION: Final = Admission("127.0.0.1", origins=frozenset((LOOPBACK_ORIGINS,)))


@target(
    b"localhost:8888\nhttp://localhost:8888", b"[::1]:80\nnull", b"127.0.0.1.\nhttps://[::1]",
    b"u@localhost\nhttp://u@localhost", b"127.0.0.1.nip.example\nhttp://localhost.a",
)  # fmt: skip
def emulator_admission(data: bytes) -> None:
    """Any host and origin are accepted or refused, and only this machine's are accepted."""
    host, _, origin = text(data).partition("\n")
    with suppress(InvalidRequestError, ForbiddenError):
        _ADMISSION.check_origin(origin, _ADMISSION.host([host], is_required=True))
        for each in (host, origin.partition("://")[2]):
            found = parse_host(each)
            assert found is not None
            assert found.is_loopback


@target(b'{"target":"t","arguments":[1]}', b'{"Target":"t","ARGUMENTS":null}')
def rest_body(data: bytes) -> None:
    """A message of a REST call is refused, or can be written for clients."""
    with suppress(InvalidRequestError):
        _write(parse_payload(data).written, JSON)
    with suppress(InvalidRequestError):
        _write(parse_item(data, "1"), JSON)


@target(
    b"\x82\xa6target\xa1t\xa9arguments\x91\xc4\x01\xff",
    b'\x81\xa4json\xc4\x28{"type":1,"target":"t","arguments":[1]}\x1e',
    b"\x81\xabmessagepack\xc4\x08\x07\x96\x01\x80\xc0\xa1t\x90\x90",
    b"\x81\xabmessagepack\xc4\x05\x04\x94\x02\x80\xa18\x05",
)
def rest_messagepack(data: bytes) -> None:
    """As `rest_body`, for messages and items of streams."""
    with suppress(InvalidRequestError):
        _write(parse_binary_payload(data).written)
    with suppress(InvalidRequestError):
        _write(parse_binary_item(data, "8"))


@target(
    b'[{"type":"SendMessage","message":{"target":"t"}},{"type":"JoinGroup","group":"g"},'
    b'{"type":"CloseConnection","reason":"r"}]'
)
def commands(data: bytes) -> None:
    """Commands are read or refused."""
    with suppress(InvalidRequestError):
        parse_commands(data)


@target(b"userId eq 'ann' and not ('admins' in groups or connectionId ne 'x''y') or userId eq null")
def connection_filter(data: bytes) -> None:
    """A filter is refused or can be asked."""
    with suppress(InvalidRequestError):
        parse_filter(text(data))(Candidate("c", "ann", frozenset({"admins"})))


@target(b"YWJj", b"\xff")
def continuation(data: bytes) -> None:
    """A continuation is refused or gives a page."""
    with suppress(InvalidRequestError):
        page(["a", "b"], size=1, top=None, continuation=text(data))


@target(b"", b"x" * 125, b"x" * 126, b"x" * 70_000)
def websocket_frame(data: bytes) -> None:
    """Another implementation reads the frame that holds some bytes."""
    reader = StreamReader()
    reader.feed_data(binary_frame(data))
    reading = Frame.parse(reader.read_exact, mask=False)
    try:
        next(reading)
    except StopIteration as stop:
        assert stop.value.data == data
        return
    raise AssertionError("the frame is longer than what was written")


def _masked(opcode: int, payload: bytes, *, first: int = 0x80) -> bytes:
    """Frame a short payload as clients do, with a mask that changes nothing."""
    return bytes((first | opcode, 0x80 | len(payload))) + bytes(4) + payload


@target(
    b"\xff" + _masked(1, b"Hello") + _masked(9, b"p") + _masked(8, b"\x03\xe8"),
    b"\x00" + _masked(1, b"a", first=0) + _masked(9, b"") + _masked(0, b"b"),
    b"\x02" + _masked(2, b"x" * 125) + b"\x82\xfe\x00\x85\x01\x02\x03\x04" + b"y" * 133,
    b"\xff\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00",
    b"\xff" + _masked(1, b"\xff") + _masked(8, b"\x03\xed"),
)
def websocket_stream(data: bytes) -> None:
    """Frames of a client mean the same however they are cut, and to another implementation."""
    whole, cut = pieces(data)
    found = _frames([whole])
    assert found == _frames(cut)
    if not found or not isinstance(found[-1], int):
        assert found == _frames_of_websockets(whole)
        return
    # The other one waits for the whole frame before it refuses it, looks for what is wrong in
    # another order, and leaves it to whoever takes a message whether its text is UTF-8.
    theirs = _frames_of_websockets(whole + bytes(_LONGEST_FRAME))
    assert theirs[: len(found) - 1] == found[:-1]
    assert isinstance(theirs[-1], int) or found[-1] == CloseCode.INVALID_TEXT


def _frames(parts: list[bytes]) -> list[tuple[int, bytes] | int]:
    """Return messages and frames that control, up to the close or the status of a refusal."""
    reader = FrameReader(_LONGEST)
    found: list[tuple[int, bytes] | int] = []
    for part in parts:
        reader.feed(part)
        try:
            while (received := reader.next()) is not None:
                found.append((int(received.opcode), received.payload))
                if received.opcode is Opcode.CLOSE:
                    return found
        except WebSocketError as error:
            found.append(error.code)
            return found
    return found


def _frames_of_websockets(data: bytes) -> list[tuple[int, bytes] | int]:
    server = Protocol(Side.SERVER, max_size=_LONGEST)
    server.receive_data(data)
    found: list[tuple[int, bytes] | int] = []
    opcode, message = 0, b""
    for frame in server.events_received():
        assert isinstance(frame, Frame)
        content = bytes(frame.data)
        if frame.opcode >= Opcode.CLOSE:
            found.append((int(frame.opcode), content))
            continue
        opcode, message = int(frame.opcode) or opcode, message + content
        if frame.fin:
            found.append((opcode, message))
            opcode, message = 0, b""
    if server.parser_exc is not None and server.close_sent is not None:
        found.append(server.close_sent.code)
    return found


_NOW: Final = 1_700_000_000.0
_CLOCK: Final = Clock(lambda: _NOW)
_KEYS: Final = AccessKeys(_CLOCK, bytes(32), ("k" * 40,))
_TENANT: Final = Tenant("11111111-1111-1111-1111-111111111111", SigningKey.generate(), _CLOCK)
_AUTHENTICATOR: Final = Authenticator(_TENANT, _KEYS, _CLOCK)
_AUDIENCE: Final = "http://localhost/client/?hub=chat"
_CLAIMS: Final = {"aud": _AUDIENCE, "exp": _NOW + 60, "asrs.s.uid": "ann", "asrs.s.ttl": "9"}


@target(
    jwt.encode(_CLAIMS, "k" * 40, "HS256").encode(),
    jwt.encode(_CLAIMS, "x" * 64, "HS512", headers={"kid": "1"}).encode(),
    b"eyJhbGciOiJub25lIn0.e30.",
    b"eyJhbGciOiJSUzI1NiJ9.e30.eA",
)
def bearer_token(data: bytes) -> None:
    """A token is one of ours or refused, as a client's and as a caller's."""
    token = text(data)
    if not token.isascii():
        return
    with suppress(AuthenticationError):
        audiences = frozenset({_AUDIENCE})
        validate_client_token(token, audiences=audiences, keys=_KEYS, clock=_CLOCK)
    with suppress(AuthenticationError):
        url = CalledUrl("/api/hubs/chat/:send", "", frozenset({"http://localhost"}))
        _AUTHENTICATOR.caller(f"Bearer {token}", lambda: url)


def _stream(protocol: HubProtocol, data: bytes) -> None:
    whole, cut = pieces(data)
    records = _records(protocol.reader(MAX_RECORD_BYTES), [whole])
    assert records == _records(protocol.reader(MAX_RECORD_BYTES), cut)
    for record in records:
        if isinstance(record, bytes):
            _message(protocol, record)


def _records(reader: Reader, parts: list[bytes]) -> list[bytes | str]:
    """Return what a reader cuts out of a stream, and at the end why it stopped, if it did."""
    found: list[bytes | str] = []
    try:
        for part in parts:
            found.extend(reader.feed(part))
    except ProtocolError as error:
        found.append(str(error))
    return found


def _message(protocol: HubProtocol, record: bytes) -> None:
    try:
        message = protocol.parse(record)
    except ProtocolError:
        return
    if message is None or isinstance(message, ReceivedInvocation | ReceivedStreamItem):
        return
    with suppress(JsonError):
        (again,) = _records(protocol.reader(MAX_RECORD_BYTES), [protocol.encode(message)])
        assert isinstance(again, bytes)
        assert protocol.parse(again) == message
    for other in (JSON, MESSAGEPACK):
        with suppress(JsonError):
            other.encode(message)


def _events(parts: list[bytes]) -> list[Event]:
    client = Connection(0.0, Timing(), Traits(is_stateful=True))
    return [event for part in parts for event in client.receive(part, 0.0)]


def _write(written: Written, *needed: HubProtocol) -> None:
    """Write a message as clients get it: read back, with an id of its own, it is still one."""
    message = Outgoing(written)
    forms = (message.websocket_text, message.websocket_binary, message.event)
    assert any(forms)
    for protocol in (JSON, MESSAGEPACK):
        record = message.record(protocol)
        assert record or protocol not in needed
        if not record:
            continue
        envelope = protocol.open_envelope(record)
        if envelope.target is not None:
            identified = protocol.open_envelope(protocol.with_invocation_id(record, "s1"))
            assert identified == replace(envelope, invocation_id="s1")
