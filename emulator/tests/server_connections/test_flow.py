"""An app server pauses for a client that does not keep up, and goes on when it has."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from signalr_emulator.server_connections.flow import HIGH, LOW, FlowControl
from signalr_emulator.service_protocol.fields import FlowConnection, FlowOperation
from signalr_emulator.service_protocol.messages import ConnectionFlowControl


class Timer:
    """A timer that runs when the test says so."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Timers:
    """What a loop has of timers."""

    def __init__(self) -> None:
        self._timers: list[Timer] = []

    def call_later(self, _delay: float, call: Callable[[], None]) -> Timer:
        self._timers.append(Timer(call))
        return self._timers[-1]

    def run(self) -> None:
        timers, self._timers = self._timers, []
        for timer in timers:
            if not timer.is_cancelled:
                timer.call()


class Client:
    """A client whose socket takes what the test says."""

    def __init__(self) -> None:
        self.waiting = 0
        self.timers = Timers()
        self.told: list[FlowOperation] = []
        self.flow = FlowControl(
            "one",
            lambda: self.waiting,
            self._tell,
            cast("Any", self.timers),
        )

    def _tell(self, message: ConnectionFlowControl) -> None:
        assert (message.connection_id, message.connection_type) == ("one", FlowConnection.CLIENT)
        self.told.append(message.operation)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize("waiting", [0, HIGH])
def test_a_client_that_keeps_up_needs_no_pause(client: Client, waiting: int) -> None:
    client.waiting = waiting
    client.flow.written()
    client.timers.run()
    assert client.told == []


def test_the_pause_is_asked_for_once_and_ends_when_little_waits(client: Client) -> None:
    client.waiting = HIGH + 1
    client.flow.written()
    client.flow.written()
    assert client.told == [FlowOperation.PAUSE]
    client.waiting = LOW + 1
    client.timers.run()
    assert client.told == [FlowOperation.PAUSE]
    client.waiting = LOW
    client.timers.run()
    assert client.told == [FlowOperation.PAUSE, FlowOperation.RESUME]
    client.timers.run()
    client.waiting = HIGH + 1
    client.flow.written()
    assert client.told[2:] == [FlowOperation.PAUSE]


def test_who_is_gone_or_moved_is_spoken_of_no_more(client: Client) -> None:
    client.waiting = HIGH + 1
    client.flow.written()
    client.flow.stop()
    client.waiting = 0
    client.timers.run()
    assert client.told == [FlowOperation.PAUSE]
