"""What fails a run in which server connections break, and what a break explains."""

import asyncio
import os
from math import inf

import pytest

from load.account.checker import check
from load.account.journal import Failure, FailureKind, Journal
from load.account.ledger import EVERYONE, Ledger
from load.account.measures import Sampler
from load.report import Report
from load.run import PATIENCE, Options, Outcome
from load.server_connections.connection import BrokenError, ServerConnection, Socket
from load.server_connections.hub import IN_FLIGHT, NOT_FOUND, Hub
from load.server_connections.report import breaks_report
from load.server_connections.run import Break, unexplained
from shared.service_protocol.messages import Message, Ping

LOST = "webSockets: CLOSE 1000 (The connection to the app server is lost.)"
BREAK = Break(began=100.0, closed=105.0, clients=400, in_flight=2)


def failure(kind: FailureKind, detail: str, began: float = 101.0) -> Failure:
    return Failure(kind, detail, began, began + 1.0)


@pytest.mark.parametrize(
    "caused",
    [
        failure(FailureKind.LOSS, LOST),
        failure(FailureKind.LOSS, "serverSentEvents send: 404"),
        failure(FailureKind.CONNECTION, "longPolling send: 404"),
        failure(FailureKind.SEND, f"broadcast: 503 {IN_FLIGHT}"),
        failure(FailureKind.GROUP, f"groups: 503 {IN_FLIGHT}"),
        failure(FailureKind.GROUP, f"groups: 503 {NOT_FOUND}"),
    ],
)
def test_a_break_explains_what_it_causes_in_its_time(caused: Failure) -> None:
    assert unexplained([caused], [BREAK]) == []
    assert unexplained([caused], []) == [caused]
    sooner, later = (failure(caused.kind, caused.detail, began) for began in (98.0, 106.0))
    assert unexplained([sooner, later], [BREAK]) == [sooner, later]


@pytest.mark.parametrize(
    "foreign",
    [
        failure(FailureKind.LOSS, "webSockets: CLOSE 1006"),
        failure(FailureKind.LOSS, "serverSentEvents send: 500"),
        failure(FailureKind.LOSS, "longPolling: 404"),
        failure(FailureKind.SEND, "broadcast: 500"),
        failure(FailureKind.SEND, f"broadcast: 503 {NOT_FOUND}"),
        failure(FailureKind.NEGOTIATION, "negotiate: 503"),
        failure(FailureKind.INVOCATION, "no completion"),
    ],
)
def test_a_break_explains_nothing_else(foreign: Failure) -> None:
    assert unexplained([foreign], [BREAK]) == [foreign]


class Run:
    """A run with two clients, of whom a break has cut off one, which came back."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.journal = Journal()
        self.breaks = [BREAK]
        self.cut_off = self.ledger.open(0, "ann", "a", 1.0)
        self.cut_off.lost_at = 101.0
        self.stayed = self.ledger.open(1, "ben", "b", 1.0)
        self.back = self.ledger.open(0, "ann", "c", 103.5)
        self.journal.failures.append(failure(FailureKind.LOSS, LOST))

    def send(self, *, accepted: bool) -> int:
        message = self.ledger.send(EVERYONE, 100.0)
        message.settle(100.1, accepted=accepted)
        return message.number

    def report(self) -> Report:
        verdict = check(self.ledger, patience=PATIENCE)
        sampler = Sampler(lambda: {"emulator": os.getpid(), "app server": os.getpid()})
        sampler.sample()
        outcome = Outcome(verdict, self.ledger, self.journal, sampler, 60.0)
        return breaks_report(Options(2, 60.0, 1), outcome, self.breaks)


def test_a_message_in_flight_may_come_or_not_and_is_told() -> None:
    run = Run()
    run.stayed.receive(run.send(accepted=False), 100.2)
    run.send(accepted=False)
    run.journal.failures += [failure(FailureKind.SEND, f"broadcast: 503 {IN_FLIGHT}")] * 2
    report = run.report()
    assert report.problems == []
    told = report.content["breaks"]
    assert (told["inFlight"], told["arrived"], told["cutOff"], told["losses"]) == (2, 1, 0, 1)
    assert told["backMilliseconds"]["max"] == 2500.0


def test_an_accepted_message_has_to_come_to_whom_no_break_concerns() -> None:
    run = Run()
    run.send(accepted=True)
    assert run.report().problems == ["1 deliveries lost"]


def test_a_run_without_a_break_and_one_whose_clients_stay_away_fail() -> None:
    run = Run()
    run.breaks = []
    assert "no server connection broke" in run.report().problems
    run.breaks = [BREAK._replace(closed=inf)]
    assert run.report().problems == ["clients did not come back"]


def test_an_app_server_without_a_connection_accepts_nothing() -> None:
    async def unreachable() -> Socket:
        raise NotImplementedError

    async def outcomes() -> tuple[str, str]:
        hub = Hub()
        hub.use([ServerConnection(unreachable, hub.take, hub.ended)])
        action = {"action": "add", "connectionId": "a", "groupName": "g"}
        return await hub.send([{"target": "t", "arguments": []}]), await hub.group(action)

    assert asyncio.run(outcomes()) == (IN_FLIGHT, IN_FLIGHT)


def test_nothing_is_said_by_a_connection_that_is_not_open() -> None:
    def take(_server: ServerConnection, _message: Message) -> None:
        raise NotImplementedError

    async def unreachable() -> Socket:
        raise NotImplementedError

    connection = ServerConnection(unreachable, take, lambda _server: None)
    with pytest.raises(BrokenError):
        asyncio.run(connection.say(Ping()))
