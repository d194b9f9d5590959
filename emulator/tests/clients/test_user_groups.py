"""The groups of users: when their memberships end, and what one costs among many."""

import pytest
from signalr_emulator import Clock
from signalr_emulator.clients.hubs import Hubs
from signalr_emulator.clients.user_groups import LONGEST_STAY, UserGroups

from emulator.tests.cost import cost


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def groups(clock: Clock) -> UserGroups:
    return UserGroups(Hubs(), clock)


def test_each_membership_ends_at_its_own_time(groups: UserGroups, clock: Clock) -> None:
    groups.add("chat", "ann", "short", ttl=10)
    groups.add("chat", "ben", "long", ttl=30)
    groups.add("chat", "ann", "year")
    ends = [("ann", "short", 10), ("ben", "long", 20), ("ann", "year", LONGEST_STAY - 30)]
    for user, group, later in ends:
        clock.advance(later - 1)
        groups.expire()
        assert groups.contains("chat", user, group)
        clock.advance(1)
        groups.expire()
        assert not groups.contains("chat", user, group)


@pytest.mark.parametrize(("renewed", "lasts"), [(60, 60), (5, 5), (None, LONGEST_STAY)])
def test_the_last_update_tells_when_a_membership_ends(
    groups: UserGroups, clock: Clock, renewed: int | None, lasts: int
) -> None:
    groups.add("chat", "ann", "news", ttl=20)
    groups.add("chat", "ann", "news", ttl=renewed)
    clock.advance(lasts - 1)
    groups.expire()
    assert groups.contains("chat", "ann", "news")
    clock.advance(1)
    groups.expire()
    assert not groups.contains("chat", "ann", "news")


def test_who_left_and_came_back_stays_for_the_second_time(groups: UserGroups, clock: Clock) -> None:
    groups.add("chat", "ann", "news", ttl=10)
    groups.remove("chat", "ann", "news")
    groups.add("chat", "ann", "news", ttl=100)
    groups.add("chat", "ben", "news", ttl=10)
    groups.remove_from_all("chat", "ben")
    clock.advance(50)
    groups.expire()
    assert groups.contains("chat", "ann", "news")
    assert not groups.contains("chat", "ben", "news")


def test_memberships_that_are_renewed_without_end_all_end(groups: UserGroups, clock: Clock) -> None:
    # Thousands of planned ends are void, and looked through for those that are not.
    for _ in range(50):
        for number in range(60):
            groups.add("chat", f"user{number}", "news", ttl=60)
    clock.advance(59)
    groups.expire()
    assert groups.contains("chat", "user0", "news")
    clock.advance(1)
    groups.expire()
    assert not any(groups.contains("chat", f"user{number}", "news") for number in range(60))


def test_an_end_among_many_memberships_costs_what_it_does_among_few() -> None:
    def among(count: int) -> float:
        clock = Clock()
        groups = UserGroups(Hubs(), clock)
        for number in range(count):
            groups.add("chat", f"user{number}", "news", ttl=3600)

        def end() -> None:
            groups.add("chat", "ann", "news", ttl=1)
            clock.advance(2)
            groups.expire()

        return cost(end)

    # Looking at each of them would cost a hundred times as much.
    assert among(20_000) < 20 * among(200)


def test_a_user_of_many_groups_joins_another_one_as_one_of_few_does() -> None:
    def among(count: int) -> float:
        groups = UserGroups(Hubs(), Clock())
        for number in range(count):
            groups.add("chat", "ann", f"group{number}", ttl=3600)
        return cost(lambda: groups.add("chat", "ann", "news", ttl=3600))

    assert among(20_000) < 20 * among(200)
