"""Holds what arrived against what was sent. Pure.

A message has to come exactly once to each connection of its audience that was surely there from
before it was sent until it had to have arrived. For the others it may come or not. To none may it
come twice, nor to one that it is not for, nor before another that was sent later.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from math import inf

from .ledger import Connection, Kind, Ledger, Membership, Message

__all__ = ["Verdict", "Violation", "ViolationKind", "check", "missing"]


class ViolationKind(Enum):
    """What can be wrong with a delivery."""

    LOST = "lost"
    """It did not come, though it was accepted and the connection was there."""

    DOUBLED = "doubled"
    """It came twice to one client."""

    MISORDERED = "misordered"
    """It came after another that was sent after it."""

    MISDIRECTED = "misdirected"
    """It came to a client that it is not for."""

    UNKNOWN = "unknown"
    """Nobody has sent it by then."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A delivery that should be otherwise.

    Args:
        kind: What is wrong with it.
        number: The message.
        client: The client.
        connection_id: Its connection.
        at: When the message was sent, or came if it was never sent.
    """

    kind: ViolationKind
    number: int
    client: int
    connection_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run came to.

    Args:
        violations: Everything that should be otherwise.
        expected: Deliveries that had to be.
        received: Deliveries that were.
    """

    violations: tuple[Violation, ...]
    expected: int
    received: int

    @property
    def counts(self) -> dict[str, int]:
        """How many violations of each kind there are, none included."""
        found = Counter(each.kind for each in self.violations)
        return {kind.value: found[kind] for kind in ViolationKind}


def check(ledger: Ledger, *, patience: float, end: float = inf) -> Verdict:
    """Judge a run that is over.

    Args:
        ledger: What happened.
        patience: Seconds from a sender's answer until the message must have arrived: a connection
            that ended sooner need not have got it.
        end: When everything must have arrived: who was there until then must have got all.
    """
    expected, lost = _missing(ledger, ledger.messages.values(), patience, end)
    violations = [
        *lost,
        *_doubled(ledger),
        *(each for connection in ledger.connections for each in _wrong(ledger, connection)),
        *(each for connection in ledger.connections for each in _misordered(ledger, connection)),
    ]
    received = sum(len(each.numbers) for each in ledger.connections)
    return Verdict(tuple(violations), expected, received)


def missing(ledger: Ledger, *, patience: float, since: float) -> int:
    """Count the deliveries that are due and have not come.

    Args:
        ledger: What has happened so far.
        patience: As for `check`.
        since: Messages that were sent before are not looked at.
    """
    recent = (each for each in ledger.messages.values() if each.sent_at >= since)
    return len(_missing(ledger, recent, patience, inf)[1])


def _missing(
    ledger: Ledger, messages: Iterable[Message], patience: float, end: float
) -> tuple[int, list[Violation]]:
    audiences = _Audiences(ledger.connections)
    arrived = {id(each): frozenset(each.numbers) for each in ledger.connections}
    expected = 0
    lost: list[Violation] = []
    for message in messages:
        if not message.accepted:
            continue
        due = min(message.settled_at + patience, end)
        for connection in audiences.certain(message):
            if connection.opened_at > message.sent_at or connection.certain_until(end) < due:
                continue
            expected += 1
            if message.number not in arrived[id(connection)]:
                lost.append(_violation(ViolationKind.LOST, message, connection))
    return expected, lost


class _Audiences:
    """Finds the connections that a message is for."""

    def __init__(self, connections: list[Connection]) -> None:
        self._all = connections
        self._by_id = {each.connection_id: each for each in connections}
        self._by_user: defaultdict[str, list[Connection]] = defaultdict(list)
        self._stays: defaultdict[str, list[tuple[Connection, Membership]]] = defaultdict(list)
        for each in connections:
            self._by_user[each.user].append(each)
            for stay in each.memberships:
                self._stays[stay.group].append((each, stay))

    def certain(self, message: Message) -> Iterator[Connection]:
        """Give those that it is surely for, if they were there."""
        for connection in self._named(message):
            if connection.connection_id not in message.excluded:
                yield connection

    def _named(self, message: Message) -> Iterable[Connection]:
        name = message.audience.name
        match message.audience.kind:
            case Kind.EVERYONE:
                return self._all
            case Kind.USER:
                return self._by_user[name]
            case Kind.CONNECTION:
                return [self._by_id[name]] if name in self._by_id else []
            case Kind.GROUP:
                return [
                    connection
                    for connection, stay in self._stays[name]
                    if stay.joined <= message.sent_at and message.settled_at <= stay.leave_asked
                ]


def _doubled(ledger: Ledger) -> Iterator[Violation]:
    """Look for what came twice to a client, over one or several of its connections."""
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for connection in ledger.connections:
        known = seen[connection.client]
        for number in connection.numbers:
            if number in known and number in ledger.messages:
                yield _violation(ViolationKind.DOUBLED, ledger.messages[number], connection)
            known.add(number)


def _wrong(ledger: Ledger, connection: Connection) -> Iterator[Violation]:
    """Look for what nobody has sent, or not to this one."""
    for number, at in zip(connection.numbers, connection.times, strict=True):
        message = ledger.messages.get(number)
        if message is None or at < message.sent_at:
            yield Violation(
                ViolationKind.UNKNOWN, number, connection.client, connection.connection_id, at
            )
        elif not _may_be_for(message, connection, at):
            yield _violation(ViolationKind.MISDIRECTED, message, connection)


def _may_be_for(message: Message, connection: Connection, at: float) -> bool:
    if connection.connection_id in message.excluded:
        return False
    name = message.audience.name
    match message.audience.kind:
        case Kind.EVERYONE:
            return True
        case Kind.USER:
            return connection.user == name
        case Kind.CONNECTION:
            return connection.connection_id == name
        case Kind.GROUP:
            return any(
                stay.group == name and stay.join_asked <= at and message.sent_at <= stay.left
                for stay in connection.memberships
            )


def _misordered(ledger: Ledger, connection: Connection) -> Iterator[Violation]:
    """Look for what came after something that was sent when it was settled already.

    Of a list, one recipient's messages keep their order, and one to everyone keeps its place among
    all; what is for different recipients may overtake each other.
    """
    latest_sent = 0.0
    places: dict[object, int] = {}
    for number in connection.numbers:
        message = ledger.messages.get(number)
        if message is None or not message.accepted:
            continue
        before = [(message.request, message.audience), (message.request, Kind.EVERYONE)]
        if message.audience.kind is Kind.EVERYONE:
            before = [(message.request, None)]
        is_late = any(places.get(place, -1) > message.index for place in before)
        if message.settled_at < latest_sent or is_late:
            yield _violation(ViolationKind.MISORDERED, message, connection)
        latest_sent = max(latest_sent, message.sent_at)
        for place in (
            (message.request, message.audience),
            (message.request, message.audience.kind),
            (message.request, None),
        ):
            places[place] = max(places.get(place, -1), message.index)


def _violation(kind: ViolationKind, message: Message, connection: Connection) -> Violation:
    return Violation(
        kind, message.number, connection.client, connection.connection_id, message.sent_at
    )
