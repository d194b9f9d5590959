import pytest
from signalr_emulator.authentication.client_tokens import ClientIdentity
from signalr_emulator.clients.negotiations import Negotiations, negotiate_reply
from signalr_emulator.errors import ConnectionInUseError, UnknownConnectionError

from emulator.tests.cost import cost

ALICE = ClientIdentity("alice")


def test_connects_once_within_its_time() -> None:
    negotiations = Negotiations(connect_within=15)
    negotiated = negotiations.open(ALICE, "chat", 1, now=0)
    assert negotiations.connect(negotiated.connection_token, "chat", now=14.9) is negotiated
    with pytest.raises(ConnectionInUseError):
        negotiations.connect(negotiated.connection_token, "chat", now=14.9)
    negotiations.end(negotiated)
    with pytest.raises(UnknownConnectionError):
        negotiations.connect(negotiated.connection_token, "chat", now=14.9)


def test_is_forgotten_when_nobody_connects() -> None:
    negotiations = Negotiations(connect_within=15)
    early, late = (
        negotiations.open(ALICE, "chat", 1, now=0),
        negotiations.open(ALICE, "chat", 1, now=1),
    )
    with pytest.raises(UnknownConnectionError):
        negotiations.connect(early.connection_token, "chat", now=15)
    assert negotiations.connect(late.connection_token, "chat", now=15) is late


def test_a_negotiation_is_found_after_many_have_connected_as_after_few() -> None:
    def after(count: int) -> float:
        negotiations = Negotiations(connect_within=15)
        tokens = [
            negotiations.open(ALICE, "chat", 1, now=0).connection_token for _ in range(count + 1)
        ]
        for token in tokens[:count]:
            negotiations.connect(token, "chat", now=0)
        return cost(lambda: negotiations.waiting(tokens[count], "chat", now=0))

    assert after(20_000) < 5 * after(20)


def test_belongs_to_its_hub() -> None:
    negotiations = Negotiations(connect_within=15)
    negotiated = negotiations.open(ALICE, "chat", 1, now=0)
    with pytest.raises(UnknownConnectionError):
        negotiations.connect(negotiated.connection_token, "news", now=0)


def test_versions() -> None:
    negotiations = Negotiations(connect_within=15)
    transports = [
        {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
        {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
        {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
    ]
    old, new, newer = (negotiations.open(ALICE, "chat", version, now=0) for version in (0, 1, 7))
    assert negotiate_reply(old) == {
        "negotiateVersion": 0,
        "connectionId": old.connection_token,
        "availableTransports": transports,
    }
    assert negotiate_reply(new) == {
        "negotiateVersion": 1,
        "connectionId": new.connection_id,
        "connectionToken": new.connection_token,
        "availableTransports": transports,
    }
    assert new.connection_id != new.connection_token
    assert newer.version == 1
