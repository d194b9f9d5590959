"""What a client says first, in whatever pieces it comes, and which protocols are named in it."""

import pytest
from signalr_emulator.clients.transport import Traits
from signalr_emulator.errors import ProtocolError
from signalr_emulator.protocols.supported import TransferFormat
from signalr_emulator.server_connections.opening import GreetingReader

ANY = Traits().transfer_formats
TEXT = frozenset((TransferFormat.TEXT,))
HANDSHAKE = b'{"protocol":"json","version":1}\x1e'


def named(protocol: str, version: int = 1) -> bytes:
    return b'{"protocol":"%s","version":%d}\x1e' % (protocol.encode(), version)


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_the_rest_is_kept_whatever_the_cut(cut: int) -> None:
    reader, rest = GreetingReader(ANY), b""
    data = HANDSHAKE + b'{"type":6}\x1e\x1e'
    greeting = None
    for start in range(0, len(data), cut):
        piece = data[start : start + cut]
        if greeting is not None:
            rest += piece
        elif (greeting := reader.feed(piece)) is not None:
            rest += greeting.rest
    assert greeting is not None
    assert (greeting.record, rest) == (HANDSHAKE, b'{"type":6}\x1e\x1e')
    assert (greeting.protocol.name, greeting.version) == ("json", 1)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("json", TransferFormat.TEXT),
        ("messagepack", TransferFormat.BINARY),
        ("blazorpack", TransferFormat.BINARY),
        ("JSON", TransferFormat.BINARY),
        ("smoke-signals", TransferFormat.BINARY),
    ],
)
def test_protocols_by_their_names(name: str, form: TransferFormat) -> None:
    greeting = GreetingReader(ANY).feed(named(name, 9))
    assert greeting is not None
    assert (greeting.protocol.name, greeting.protocol.transfer_format) == (name, form)
    assert greeting.version == 9


@pytest.mark.parametrize("name", ["messagepack", "blazorpack", "smoke-signals"])
def test_what_a_transport_of_text_cannot_carry(name: str) -> None:
    with pytest.raises(ProtocolError, match=f"cannot carry the protocol '{name}'"):
        GreetingReader(TEXT).feed(named(name))
    assert GreetingReader(TEXT).feed(HANDSHAKE) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"\x1e", b"hello\x1e", b"{}\x1e", b"[]\x1e", b'{"protocol":"json"}\x1e',
        b'{"protocol":1,"version":1}\x1e', b'{"protocol":"json","version":"1"}\x1e',
        b'{"protocol":"json","version":1,"version":1', b"\xff\x1e", b"\x91\x06\x1e",
    ],
)  # fmt: skip
def test_what_is_no_handshake(data: bytes) -> None:
    reader = GreetingReader(ANY)
    if not data.endswith(b"\x1e"):
        assert reader.feed(data) is None
        return
    with pytest.raises(ProtocolError):
        reader.feed(data)


@pytest.mark.parametrize("end", [b"", b"\x1e"])
def test_a_handshake_has_a_length(end: bytes) -> None:
    reader = GreetingReader(ANY)
    assert reader.feed(b"x" * 4096) is None
    with pytest.raises(ProtocolError, match="longer than 4096 bytes"):
        reader.feed(b"x" + end)
