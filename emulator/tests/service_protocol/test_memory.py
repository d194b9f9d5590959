"""An app server cannot make the emulator grow by messages that are not well-formed."""

from signalr_emulator.service_protocol.codec import message_reader, read, write
from signalr_emulator.service_protocol.fields import Timestamp
from signalr_emulator.service_protocol.messages import CloseConnection, ConnectionData, Ping
from signalr_emulator.service_protocol.requests import RefreshAuth
from signalr_emulator.service_protocol.sends import MultiUserData

from emulator.tests.growth import growth

MESSAGES = (
    Ping(("a", None)),
    ConnectionData("c", b"ab", 7, 1),
    CloseConnection("c", "e", (("h", ("v",)),)),
    RefreshAuth("t", (("a", "b"),), expires=Timestamp(7, 1), ack_id=1),
    MultiUserData(("u", "v"), (("json", b"ab"),)),
)


def test_spoilt_messages_of_servers_leave_nothing_in_memory() -> None:
    bodies = [body for each in MESSAGES for body in message_reader().feed(write(each))]
    kept = growth([read], bodies)
    assert min(kept.read, kept.refused) > 1_000
    assert kept.traced < 100_000
    assert kept.resident < 1_000_000
