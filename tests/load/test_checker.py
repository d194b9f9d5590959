"""Hand-made histories: what the checker has to find, and what it may not take for a mistake."""

from math import inf

from load.account.checker import ViolationKind, check, missing
from load.account.ledger import EVERYONE, Audience, Connection, Kind, Ledger, Membership, Message

PATIENCE = 10.0
ROOM = Audience(Kind.GROUP, "room")
ANN = Audience(Kind.USER, "ann")


class Story:
    """Two clients that are there all the time, and messages of a second each."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ann = self.ledger.open(0, "ann", "a", 1.0)
        self.bob = self.ledger.open(1, "bob", "b", 1.0)

    def sent(self, audience: Audience, at: float, *, accepted: bool = True) -> Message:
        message = self.ledger.send(audience, at)
        message.settle(at + 1, accepted=accepted)
        return message

    def listed(self, at: float, *audiences: Audience) -> list[Message]:
        messages = [
            self.ledger.send(audience, at, request=1000, index=index)
            for index, audience in enumerate(audiences)
        ]
        for message in messages:
            message.settle(at + 1, accepted=True)
        return messages

    def violations(self) -> list[tuple[ViolationKind, int, str]]:
        found = check(self.ledger, patience=PATIENCE).violations
        return [(each.kind, each.number, each.connection_id) for each in found]


def arrives(message: Message, *connections: Connection) -> None:
    for connection in connections:
        connection.receive(message.number, message.sent_at + 0.5)


def stay(connection: Connection, join: float, leave: float = inf) -> Membership:
    membership = Membership("room", join, join + 1, leave, leave + 1)
    connection.memberships.append(membership)
    return membership


def test_nothing_is_wrong_with_what_arrives_once_and_in_order() -> None:
    story = Story()
    stay(story.bob, 2)
    for audience, there in (
        (EVERYONE, (story.ann, story.bob)),
        (ANN, (story.ann,)),
        (ROOM, (story.bob,)),
        (Audience(Kind.CONNECTION, "b"), (story.bob,)),
    ):
        arrives(story.sent(audience, 10.0 + len(story.ledger.messages)), *there)
    verdict = check(story.ledger, patience=PATIENCE)
    assert verdict.violations == ()
    assert (verdict.expected, verdict.received) == (5, 5)
    assert not any(verdict.counts.values())


def test_a_lost_message_is_found_for_every_kind_of_audience() -> None:
    for audience, loser in (
        (EVERYONE, "a"),
        (ANN, "a"),
        (ROOM, "b"),
        (Audience(Kind.CONNECTION, "b"), "b"),
    ):
        story = Story()
        stay(story.bob, 2)
        message = story.sent(audience, 10.0)
        if audience is EVERYONE:
            arrives(message, story.bob)
        assert story.violations() == [(ViolationKind.LOST, message.number, loser)]


def test_a_message_is_not_lost_to_who_was_not_surely_there() -> None:
    story = Story()
    message = story.sent(EVERYONE, 10.0)
    arrives(message, story.ann, story.bob)
    late = story.ledger.open(2, "cem", "c", 10.1)
    left = story.ledger.open(3, "dan", "d", 1.0)
    left.heard_at, left.leaving_at = 20.9, 60.0
    cut = story.ledger.open(4, "eve", "e", 1.0)
    cut.heard_at, cut.lost_at = 20.9, 60.0
    assert story.violations() == []

    late.opened_at = 9.9
    left.heard_at = cut.heard_at = 21.0
    assert story.violations() == [
        (ViolationKind.LOST, message.number, name) for name in ("c", "d", "e")
    ]


def test_who_stays_until_the_end_misses_nothing() -> None:
    story = Story()
    message = story.sent(EVERYONE, 10.0)
    story.ann.leaving_at, story.bob.leaving_at = 14.0, 16.0
    assert story.violations() == []
    found = check(story.ledger, patience=PATIENCE, end=15.0).violations
    assert [(each.kind, each.number, each.connection_id) for each in found] == [
        (ViolationKind.LOST, message.number, "b")
    ]


def test_what_was_not_accepted_may_come_or_not() -> None:
    story = Story()
    story.sent(EVERYONE, 10.0, accepted=False)
    arrives(story.sent(EVERYONE, 12.0, accepted=False), story.ann)
    assert story.violations() == []


def test_a_doubled_message_is_found_on_one_connection_and_on_two_of_one_client() -> None:
    story = Story()
    message = story.sent(EVERYONE, 10.0)
    arrives(message, story.ann, story.bob, story.bob)
    assert story.violations() == [(ViolationKind.DOUBLED, message.number, "b")]

    story = Story()
    message = story.sent(EVERYONE, 10.0, accepted=False)
    arrives(message, story.ann, story.bob)
    arrives(message, story.ledger.open(1, "bob", "b2", 10.2))
    assert story.violations() == [(ViolationKind.DOUBLED, message.number, "b2")]


def test_a_misordered_message_is_found_whoever_the_audiences_are() -> None:
    story = Story()
    first, second = story.sent(ANN, 10.0), story.sent(EVERYONE, 11.0)
    arrives(second, story.bob, story.ann)
    arrives(first, story.ann)
    assert story.violations() == []  # the second was under way before the first was answered

    second.sent_at = 11.1
    story.ann.times[0] = 11.2
    assert story.violations() == [(ViolationKind.MISORDERED, first.number, "a")]


def test_a_list_keeps_one_recipients_order_and_everyones_place() -> None:
    for audiences, swapped in (
        ((ANN, ANN), True),
        ((ANN, EVERYONE), True),
        ((EVERYONE, ANN), True),
        ((ANN, Audience(Kind.CONNECTION, "a")), False),
    ):
        story = Story()
        stay(story.ann, 2)
        first, second = story.listed(10.0, *audiences)
        arrives(second, story.ann)
        arrives(first, story.ann)
        for message in (first, second):
            if message.audience is EVERYONE:
                arrives(message, story.bob)
        expected = [(ViolationKind.MISORDERED, first.number, "a")] if swapped else []
        assert story.violations() == expected, audiences


def test_a_misdirected_message_is_found_for_every_kind_of_audience() -> None:
    for audience in (ANN, ROOM, Audience(Kind.CONNECTION, "a")):
        story = Story()
        stay(story.ann, 2)
        message = story.sent(audience, 10.0)
        arrives(message, story.ann, story.bob)
        assert story.violations() == [(ViolationKind.MISDIRECTED, message.number, "b")], audience


def test_an_excluded_connection_gets_nothing_and_misses_nothing() -> None:
    story = Story()
    message = story.ledger.send(EVERYONE, 10.0, excluded=frozenset({"b"}))
    message.settle(11.0, accepted=True)
    arrives(message, story.ann)
    assert story.violations() == []
    arrives(message, story.bob)
    assert story.violations() == [(ViolationKind.MISDIRECTED, message.number, "b")]


def test_a_group_is_certain_between_the_answers_and_possible_between_the_questions() -> None:
    story = Story()
    stay(story.ann, join=10.0, leave=20.0)  # each answered a second later
    for at in (9.5, 10.5, 19.5, 20.5):
        story.sent(ROOM, at)
    assert story.violations() == []

    surely = story.sent(ROOM, 15.0)
    assert story.violations() == [(ViolationKind.LOST, surely.number, "a")]
    arrives(surely, story.ann)
    for at in (19.5, 20.5):
        arrives(story.sent(ROOM, at), story.ann)
    assert story.violations() == []

    gone = story.sent(ROOM, 21.5)
    arrives(gone, story.ann)
    assert story.violations() == [(ViolationKind.MISDIRECTED, gone.number, "a")]


def test_a_member_that_was_refused_is_neither_certain_nor_excluded() -> None:
    story = Story()
    story.ann.memberships.append(Membership("room", 5.0))
    story.sent(ROOM, 10.0)
    arrives(story.sent(ROOM, 12.0), story.ann)
    assert story.violations() == []


def test_a_message_that_nobody_sent_is_found() -> None:
    story = Story()
    story.ann.receive(77, 10.0)
    early = story.sent(ANN, 20.0)
    story.ann.receive(early.number, 19.0)
    assert story.violations() == [
        (ViolationKind.UNKNOWN, 77, "a"),
        (ViolationKind.UNKNOWN, early.number, "a"),
    ]


def test_what_is_missing_is_told_while_the_run_goes_on() -> None:
    story = Story()
    story.sent(EVERYONE, 10.0)
    message = story.sent(EVERYONE, 20.0)
    arrives(message, story.ann)
    assert missing(story.ledger, patience=PATIENCE, since=0.0) == 3
    assert missing(story.ledger, patience=PATIENCE, since=15.0) == 1
    arrives(message, story.bob)
    assert missing(story.ledger, patience=PATIENCE, since=15.0) == 0


def test_latencies_are_those_of_every_delivery() -> None:
    story = Story()
    arrives(story.sent(EVERYONE, 10.0), story.ann, story.bob)
    assert list(story.ledger.latencies()) == [0.5, 0.5]
