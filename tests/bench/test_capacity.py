"""The tables of docs/scaling.md that come from published limits, against sums done by hand."""

import pytest

from bench.simulate.model.calls import calls
from bench.simulate.model.capacity import Purchase, Workload, need, purchase
from bench.simulate.model.fleet import instances_for, rate_of_an_instance
from bench.simulate.model.limits import SIZES


def test_a_workload_needs_units_for_connections_bandwidth_and_sends_to_users() -> None:
    # Each client gets 1 + 0.1 messages of 4,096 bytes a minute, which are billed as two.
    needed = need(Workload(60_000, broadcasts=1, user_messages=6, message_bytes=4_096))
    assert needed.by_connections == 60
    assert needed.outbound_rate == pytest.approx(1_100)
    assert needed.by_bandwidth == 2  # 1,100 × 4,096 = 4.5 MB/s, at 4 MB/s a unit
    assert needed.by_user_sends == 1  # 100 of 200 a second
    assert needed.messages_a_day == 1_100 * 2 * 86_400
    assert needed.units_of_each(1) == 60


def test_many_sends_to_users_need_more_units_than_their_connections() -> None:
    needed = need(Workload(1_000, broadcasts=0, user_messages=3_600))
    assert (needed.by_connections, needed.by_user_sends) == (1, 5)
    # Every endpoint is sent every message.
    assert needed.units_of_each(1) == needed.units_of_each(3) == 5


def test_messages_of_a_day_are_those_of_its_active_hours() -> None:
    assert need(Workload(100, broadcasts=60, user_messages=0, active_hours=6)).messages_a_day == (
        100 * 6 * 3_600
    )


@pytest.mark.parametrize(
    ("clients", "expected"),
    [
        (20, Purchase("Free", 1, 1)),
        (21, Purchase("Standard", 1, 1)),
        (1_001, Purchase("Standard", 1, 2)),
        (10_001, Purchase("Standard", 1, 20)),
        (100_000, Purchase("Standard", 1, 100)),
        (100_001, Purchase("Premium_P2", 1, 200)),
        (1_000_000, Purchase("Premium_P2", 1, 1_000)),
        (1_000_001, Purchase("Premium_P2", 2, 600)),
    ],
)
def test_the_smallest_instance_is_bought_that_can_be_had(clients: int, expected: Purchase) -> None:
    assert purchase(Workload(clients, broadcasts=0, user_messages=6)) == expected


def test_free_ends_with_its_messages_of_a_day() -> None:
    # 20 clients × 1,000 messages a day are the limit.
    assert purchase(Workload(20, broadcasts=0, user_messages=1_000 / 24)).tier == "Free"
    assert purchase(Workload(20, broadcasts=0, user_messages=1_001 / 24)).tier == "Standard"


def test_those_that_are_left_carry_all() -> None:
    bought = purchase(Workload(100_000), 3, may_fail=1)
    assert bought == Purchase("Standard", 3, 60)  # 100 units × 1.1 / 2 = 55
    assert bought.total == 180
    assert purchase(Workload(10_000), 3, may_fail=1).units == 6  # 10 × 1.1 / 2 = 5.5
    assert purchase(Workload(10_000), 2, may_fail=1).units == 10  # one left shares with nobody
    with pytest.raises(ValueError, match="1 of 1"):
        purchase(Workload(1_000), 1, may_fail=1)


def test_units_come_in_the_sizes_that_are_sold() -> None:
    assert SIZES["Standard"] == (1, 2, 3, 4, 5, 6, 7, 8, 9, *range(10, 101, 10))
    assert SIZES["Premium_P2"] == (100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000)


def test_instances_follow_from_the_cost_of_a_negotiation() -> None:
    assert rate_of_an_instance(0.0, 50e-6) == pytest.approx(20_000)
    assert rate_of_an_instance(950e-6, 50e-6) == pytest.approx(1_000)
    assert instances_for(1_000_000, 1, 1_000) == 17  # 16,667 a second
    assert instances_for(1_000_000, 15, 1_000) == 2
    assert instances_for(10, 1, 1_000) == 1


def test_calls_grow_with_processes_and_keys_with_endpoints() -> None:
    asked = calls(100, 4, 3)
    # A key is replaced after 57.5 minutes on average.
    assert asked.at_one_resource_an_hour == pytest.approx(400 * 60 / 57.5)
    assert asked.key_requests_an_hour == pytest.approx(3 * asked.at_one_resource_an_hour)
    assert (asked.tokens_a_day, asked.at_one_instance_at_once) == (400, 4)
