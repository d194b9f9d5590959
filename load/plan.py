"""What a run does and when, from a seed. Pure.

Each kind of act happens at a rate of its own and at random (a Poisson process), so that acts meet
in every way there is. Clients, users and groups are named by number; whether one is connected when
its turn comes is for the run to see.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .account.ledger import Kind

__all__ = ["Act", "Crowd", "Step", "Target", "crowd", "plan", "rates"]

_LONGEST_LIST: Final = 12
_PAUSES: Final = (0.0, 0.1, 0.5, 1.0)
_EXCLUDED: Final = 3


class Act(Enum):
    """What can be done."""

    SEND = "send"
    """Send one message."""

    SEND_TO_EVERYONE = "send to everyone"
    """Send one message to everyone, some excluded now and then."""

    SEND_LIST = "send a list"
    """Send a list of messages for different recipients."""

    SAY = "say"
    """A client calls the method that sends to everyone."""

    SAY_TO_GROUP = "say to a group"
    """A client calls the method that sends to a group."""

    NEGOTIATE = "negotiate"
    """Somebody negotiates and does not connect."""

    JOIN = "join"
    """A client enters another group, by a method or by the REST API."""

    QUIT = "quit"
    """A client leaves another group."""

    LEAVE = "leave"
    """A client ends its connection in order and comes back."""

    CUT = "cut"
    """A client's network breaks, and it comes back."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who takes part.

    Args:
        clients: How many clients.
        users: How many users they have; each has several clients.
        groups: How many groups they are in.
    """

    clients: int
    users: int
    groups: int


def crowd(clients: int) -> Crowd:
    """Return a crowd with two clients for each user, and some twenty for each group."""
    return Crowd(clients, max(1, clients // 2), max(2, clients // 20))


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a message is for: the user, group or client with a number."""

    kind: Kind
    number: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One act.

    Args:
        at: When, in seconds from the beginning.
        act: What.
        client: Who does it, or to whom it happens.
        group: The group that it is about.
        targets: Whom messages are for.
        excluded: Clients that are not to get the message.
        pause: Seconds until the client comes back.
        coin: A choice between two ways of doing it.
    """

    at: float
    act: Act
    client: int
    group: int
    targets: tuple[Target, ...]
    excluded: tuple[int, ...]
    pause: float
    coin: bool


def rates(clients: int) -> Mapping[Act, float]:
    """Return how often each act happens, in times a second.

    What reaches everyone costs as much as there are clients, so that it becomes rare among many.
    """
    crowded = 1000 / (1000 + clients)
    return {
        Act.SEND: 40.0,
        Act.SEND_TO_EVERYONE: 4.0 * crowded,
        Act.SEND_LIST: 4.0,
        Act.SAY: 2.0 * crowded,
        Act.SAY_TO_GROUP: 8.0,
        Act.NEGOTIATE: 8.0,
        Act.JOIN: 4.0,
        Act.QUIT: 3.0,
        Act.LEAVE: 3.0,
        Act.CUT: 2.0,
    }


def plan(seed: int, people: Crowd, often: Mapping[Act, float]) -> Iterator[Step]:
    """Give acts without end, in the order of their times.

    Args:
        seed: The same seed gives the same acts.
        people: Who takes part.
        often: How often each act happens, in times a second.
    """
    chance = random.Random(seed)
    acts, weights = tuple(often), tuple(often.values())
    at = 0.0
    while True:
        at += chance.expovariate(sum(weights))
        act = chance.choices(acts, weights)[0]
        yield Step(
            at=at,
            act=act,
            client=chance.randrange(people.clients),
            group=chance.randrange(people.groups),
            targets=_targets(act, people, chance),
            excluded=_excluded(act, people, chance),
            pause=chance.choice(_PAUSES),
            coin=chance.random() < 0.5,  # noqa: PLR2004  a fair one
        )


def _targets(act: Act, people: Crowd, chance: random.Random) -> tuple[Target, ...]:
    match act:
        case Act.SEND:
            return (_target(people, chance),)
        case Act.SEND_TO_EVERYONE:
            return (Target(Kind.EVERYONE),)
        case Act.SEND_LIST:
            # Few recipients with several messages each, so that there is an order to keep.
            some = [_target(people, chance) for _ in range(_LONGEST_LIST // 3)]
            length = chance.randint(2, _LONGEST_LIST)
            return tuple(chance.choice(some) for _ in range(length))
        case _:
            return ()


def _target(people: Crowd, chance: random.Random) -> Target:
    kind = chance.choice((Kind.USER, Kind.GROUP, Kind.CONNECTION))
    among = {Kind.USER: people.users, Kind.GROUP: people.groups, Kind.CONNECTION: people.clients}
    return Target(kind, chance.randrange(among[kind]))


def _excluded(act: Act, people: Crowd, chance: random.Random) -> tuple[int, ...]:
    if act is not Act.SEND_TO_EVERYONE or chance.random() < 0.5:  # noqa: PLR2004  every other
        return ()
    return tuple(chance.randrange(people.clients) for _ in range(_EXCLUDED))
