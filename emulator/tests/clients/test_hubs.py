from dataclasses import dataclass, field

from signalr_emulator.clients.hubs import Hubs, count_unserved, deliver, deliver_to
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.protocols.messages import Completion, Invocation, Message
from signalr_emulator.protocols.supported import JSON, MESSAGEPACK, HubProtocol, as_sent, encoded
from signalr_emulator.transports.outgoing import Outgoing, record_form
from signalr_emulator.transports.sink import Form, Relay, Sink

MESSAGE = Outgoing(encoded(Invocation("say", JsonText(b"[]"))))


@dataclass
class Recipient:
    connection_id: str
    user_id: str | None = None
    hub: str = "chat"
    protocol: HubProtocol = JSON
    received: list[bytes] = field(default_factory=list)

    @property
    def form(self) -> Form:
        return record_form(self.protocol)

    @property
    def sink(self) -> Sink:
        return Relay(self.received.append)

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        raise NotImplementedError

    def send(self, message: Message) -> None:
        raise NotImplementedError

    async def invoke(self, message: Outgoing, timeout: float) -> Completion:  # noqa: ASYNC109 - as in the interface
        raise NotImplementedError


def test_indexes() -> None:
    hubs = Hubs()
    a, b, c = Recipient("a", "ann"), Recipient("b", "ann"), Recipient("c", hub="news")
    for member in (a, b, c):
        hubs.add(member)
    assert hubs.add_to_group("chat", "g", "b")
    assert set(hubs.everyone("chat")) == {"a", "b"}
    assert set(hubs.everyone("news")) == {"c"}
    assert set(hubs.user("chat", "ann")) == {"a", "b"}
    assert set(hubs.group("chat", "g")) == {"b"}
    assert set(hubs.connection("chat", "a")) == {"a"}
    assert hubs.connection_counts() == {"chat": 2, "news": 1}


def test_names_are_kept_apart_by_hub() -> None:
    hubs = Hubs()
    hubs.add(Recipient("a", "ann"))
    assert not hubs.connection("news", "a")
    assert not hubs.user("news", "ann")
    assert not hubs.add_to_group("news", "g", "a")


def test_nothing_is_left_of_a_removed_connection() -> None:
    hubs = Hubs()
    a = Recipient("a", "ann")
    hubs.add(a)
    hubs.add_to_group("chat", "g", "a")
    hubs.remove(a)
    hubs.remove(a)
    assert hubs.connection_counts() == {}
    hubs.add(a)
    assert not hubs.group("chat", "g")


def test_group_can_be_left() -> None:
    hubs = Hubs()
    hubs.add(Recipient("a"))
    hubs.add_to_group("chat", "g", "a")
    hubs.remove_from_group("chat", "g", "unknown")
    hubs.remove_from_group("news", "g", "a")
    assert set(hubs.group("chat", "g")) == {"a"}
    hubs.remove_from_group("chat", "g", "a")
    hubs.remove_from_group("chat", "g", "a")
    assert not hubs.group("chat", "g")
    assert hubs.connection_counts() == {"chat": 1}


def test_delivery_leaves_out_the_excluded() -> None:
    a, b = Recipient("a"), Recipient("b")
    deliver(MESSAGE, {"a": a, "b": b}, frozenset({"b"}))
    deliver(MESSAGE, {"a": a, "b": b})
    assert (len(a.received), len(b.received)) == (2, 1)


def test_each_gets_the_form_of_its_protocol() -> None:
    members = [
        Recipient(str(number), protocol=protocol)
        for number, protocol in enumerate((JSON, JSON, MESSAGEPACK, JSON))
    ]
    deliver_to(members, MESSAGE)
    for member in members:
        assert member.received == [MESSAGE.record(member.protocol)]


def test_wire_forms_are_made_once() -> None:
    message = Outgoing(encoded(Invocation("say", JsonText(b'["hi"]'))))
    assert message.json == b'{"type":1,"target":"say","arguments":["hi"]}\x1e'
    assert message.websocket_text[2:] == message.json
    assert message.websocket_text is message.websocket_text


def test_who_is_not_served() -> None:
    members = {"a": Recipient("a"), "b": Recipient("b"), "c": Recipient("c", protocol=MESSAGEPACK)}
    message = Outgoing(as_sent({MESSAGEPACK: b"\x00"}))
    assert count_unserved(message, members, frozenset()) == 0, "nobody has asked for it yet"
    assert (message.event, message.websocket_text, message.record(JSON)) == (b"", b"", b"")
    assert message.record(MESSAGEPACK) == b"\x00"
    assert count_unserved(message, members, frozenset()) == 2
    assert count_unserved(message, members, frozenset({"b", "c"})) == 1
