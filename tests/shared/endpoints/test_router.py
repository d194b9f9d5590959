from collections import Counter
from collections.abc import Sequence

import pytest

from shared.endpoints.router import Candidate, RendezvousRouter
from shared.settings.endpoint import Endpoint, EndpointType

USERS = [f"user-{number}" for number in range(10_000)]


def up(name: str, weight: float = 1.0) -> Candidate:
    return Candidate(Endpoint(f"https://{name}.example", name=name, weight=weight), healthy=True)


def down(name: str) -> Candidate:
    return Candidate(Endpoint(f"https://{name}.example", name=name), healthy=False)


def secondary(name: str, *, healthy: bool) -> Candidate:
    endpoint = Endpoint(f"https://{name}.example", name=name, type=EndpointType.SECONDARY)
    return Candidate(endpoint, healthy=healthy)


def order(candidates: Sequence[Candidate], user_id: str | None = "ann") -> list[str]:
    return [each.name for each in RendezvousRouter()(candidates, "chat", user_id)]


def homes(candidates: Sequence[Candidate]) -> dict[str, str]:
    return {user: order(candidates, user)[0] for user in USERS}


def test_a_users_choice_is_the_same_everywhere_and_always() -> None:
    # Literal, since instances of different versions must agree on it.
    candidates = [up("a"), up("b"), up("c")]
    assert {user: order(candidates, user)[0] for user in ("ann", "kim", "Zoë", "", "\ud800")} == {
        "ann": "b",
        "kim": "c",
        "Zoë": "a",
        "": "a",
        "\ud800": "a",
    }
    assert order(candidates) == order(candidates[::-1])


def test_the_hub_does_not_count() -> None:
    candidates = [up("a"), up("b"), up("c")]
    router = RendezvousRouter()
    for user in USERS[:100]:
        assert router(candidates, "chat", user) == router(candidates, "news", user)


@pytest.mark.parametrize(
    "weights",
    [
        {"a": 1.0, "b": 1.0},
        {"a": 1.0, "b": 3.0},
        {"a": 2.0, "b": 1.0, "c": 1.0},
        {"a": 0.01, "b": 0.01, "c": 0.08},
        {"a": 100.0, "b": 900.0},
    ],
)
def test_users_are_spread_by_weight(weights: dict[str, float]) -> None:
    counts = Counter(homes([up(name, weight) for name, weight in weights.items()]).values())
    for name, weight in weights.items():
        # Three standard deviations of 10,000 draws are 0.015 at most.
        assert counts[name] / len(USERS) == pytest.approx(weight / sum(weights.values()), abs=0.015)


def test_a_further_endpoint_takes_its_share_and_moves_nobody_else() -> None:
    before = homes([up("a"), up("b"), up("c"), up("d")])
    after = homes([up("a"), up("b"), up("c"), up("d"), up("e")])
    moved = {user for user in USERS if before[user] != after[user]}
    assert {after[user] for user in moved} == {"e"}
    assert len(moved) / len(USERS) == pytest.approx(1 / 5, abs=0.015)


def test_a_lost_endpoint_moves_only_its_own_users() -> None:
    before = homes([up("a"), up("b"), up("c"), up("d")])
    after = homes([up("a"), up("b"), up("c"), down("d")])
    moved = {user for user in USERS if before[user] != after[user]}
    assert {before[user] for user in moved} == {"d"}
    assert len(moved) / len(USERS) == pytest.approx(1 / 4, abs=0.015)
    # They are spread over all that are left.
    counts = Counter(after[user] for user in moved)
    for name in ("a", "b", "c"):
        assert counts[name] / len(moved) == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("user_id", ["ann", "bob", None])
def test_secondary_endpoints_and_those_that_are_down_come_last(user_id: str | None) -> None:
    candidates = [
        secondary("second-down", healthy=False),
        down("first-down"),
        secondary("second", healthy=True),
        up("first"),
    ]
    assert order(candidates, user_id) == ["first", "second", "first-down", "second-down"]


def test_a_secondary_takes_clients_while_no_primary_is_up() -> None:
    candidates = [down("a"), secondary("b", healthy=True), down("c")]
    assert set(homes(candidates).values()) == {"b"}
    assert sorted(order(candidates)) == ["a", "b", "c"]


def test_with_all_down_one_is_still_tried() -> None:
    assert sorted(order([down("a"), down("b")])) == ["a", "b"]


def test_anonymous_clients_go_where_the_dice_fall() -> None:
    numbers = iter([1, 2, 2, 1])
    router = RendezvousRouter(random_bits=lambda _: next(numbers))
    chosen = [router([up("a"), up("b")], "chat", None)[0].name for _ in range(2)]
    assert chosen == ["b", "a"]


def test_anonymous_clients_are_spread_by_weight() -> None:
    counts = Counter(order([up("a"), up("b", 3.0)], None)[0] for _ in USERS)
    # Six standard deviations, since these are new numbers each time.
    assert counts["b"] / len(USERS) == pytest.approx(3 / 4, abs=0.03)


@pytest.mark.parametrize("bits", [0, 2**52 - 1])
def test_no_random_number_is_too_small_or_too_large(bits: int) -> None:
    router = RendezvousRouter(random_bits=lambda _: bits)
    assert len(router([up("a"), up("b", 1e300)], "chat", None)) == 2
