"""What the simulation promises: the same numbers from a seed, and rules that no chance breaks."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from bench.simulate.__main__ import CLIENTS, SEED, run
from bench.simulate.model.clients import (
    FIRST_SPREAD,
    LONGEST_SPREAD,
    Ints,
    automatic_reconnect,
    jittered,
    users_of,
)
from bench.simulate.model.expiry import key_ages, simulate_herd, token_lifetime
from bench.simulate.model.fleet import Fleet, simulate_backlog
from bench.simulate.model.outage import Outage, Site, simulate_outage
from bench.simulate.model.recovery import simulate_recovery
from bench.simulate.model.rotation import requests_each_minute, requests_while_down
from bench.simulate.model.routing import Affinity, Dice, noticed_after, split_share
from bench.simulate.series import simulate
from bench.simulate.summary import summary
from bench.simulate.tables import tables
from docs.page import with_tables

SMALL = 2_000
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def affinity() -> Affinity:
    return Affinity(3)


@pytest.fixture(scope="module")
def users() -> Ints:
    return users_of(SMALL, np.random.default_rng(7))


@pytest.fixture(scope="module")
def outages(users: Ints, affinity: Affinity) -> dict[str, Outage]:
    def outage(name: str) -> Outage:
        random = np.random.default_rng(7)
        routing = affinity if "affinity" in name else Dice(random)
        policy = jittered if "jitter" in name else automatic_reconnect
        return simulate_outage(users, Site(3, 2, routing), policy, random)

    names = ("affinity default", "affinity jitter", "dice default", "dice jitter")
    return {name: outage(name) for name in names}


def test_a_seed_gives_the_same_numbers_and_another_one_others() -> None:
    once, again, other = (summary(simulate(seed, SMALL)) for seed in (7, 7, 8))
    assert once == again
    assert once != other


def test_a_run_writes_the_same_files_and_the_pages_tables(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.md").write_text("<!-- table: calls --><!-- end -->")
        run(7, SMALL, tmp_path / name)
    files = sorted(each.name for each in (tmp_path / "one").iterdir())
    assert "results.json" in files
    assert len([each for each in files if each.endswith(".png")]) == 6
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert "| instances |" in (tmp_path / "one.md").read_text()


def test_the_page_shows_what_the_code_says_now() -> None:
    # Where this fails, `make simulate` renews both.
    stored = json.loads((DOCS / "scaling/results.json").read_text())
    assert (stored["seed"], stored["clients"]) == (SEED, CLIENTS)
    assert stored["results"] == summary(simulate(SEED, CLIENTS))
    page = (DOCS / "scaling.md").read_text()
    assert page == with_tables(page, tables(stored["results"]))
    for name in tables(stored["results"]):
        assert f"<!-- table: {name} -->" in page
    for plot in (DOCS / "scaling").glob("*.png"):
        assert f"](scaling/{plot.name})" in page
        assert plot.stat().st_size < 80_000


def test_every_client_comes_back_and_only_those_of_the_failed_endpoint_move(
    outages: dict[str, Outage], users: Ints, affinity: Affinity
) -> None:
    for outage in outages.values():
        assert (outage.places > 0).all()
        assert outage.gave_up == 0
        assert outage.moved_in_vain == 0
    homes = affinity(users, (True, True, True))
    for policy in ("default", "jitter"):
        places = outages[f"affinity {policy}"].places
        assert (places[homes > 0] == homes[homes > 0]).all()
        assert outages[f"affinity {policy}"].moved == (homes == 0).sum()


def test_affinity_keeps_a_users_connections_together(outages: dict[str, Outage]) -> None:
    for name, outage in outages.items():
        shares = (outage.split_before, outage.split_after)
        assert (max(shares) == 0) if "affinity" in name else (min(shares) > 0.4)


def test_jitter_lowers_the_peak(outages: dict[str, Outage]) -> None:
    for routing in ("affinity", "dice"):
        assert outages[f"{routing} jitter"].peak * 5 < outages[f"{routing} default"].peak


def test_the_pages_policy_is_the_one_that_is_simulated() -> None:
    page = (DOCS / "scaling.md").read_text()
    bound = f"{LONGEST_SPREAD * 1e3:_.0f}, {FIRST_SPREAD * 1e3:_.0f} * 2 ** previousRetryCount"
    assert f"Math.random() * Math.min({bound})" in page
    waits = jittered(np.repeat([0, 1, 2, 3, 9], 1_000), np.random.default_rng(7)).reshape(5, -1)
    assert waits.max(axis=1) == pytest.approx([10, 20, 40, 60, 60], rel=0.02)


def test_full_endpoints_refuse_and_only_clients_with_jitter_keep_trying(
    users: Ints, affinity: Affinity
) -> None:
    # Two endpoints of one unit are left for 2,000 clients, and hashing does not halve them.
    outages = {
        policy: simulate_outage(users, Site(3, 1, affinity), policy, np.random.default_rng(7))
        for policy in (automatic_reconnect, jittered)
    }
    for policy, outage in outages.items():
        without = int((outage.places < 0).sum())
        assert without > 0
        assert outage.connections.max() == 1_000
        assert math.isfinite(outage.half_back)
        assert outage.gave_up == (without if policy is automatic_reconnect else 0)


def test_a_recovered_endpoint_gets_its_clients_back_one_by_one(
    users: Ints, affinity: Affinity
) -> None:
    recovery = simulate_recovery(users, 3, affinity, np.random.default_rng(7), close_after=3_600.0)
    assert recovery.home[0] == 0
    assert (np.diff(recovery.home) >= 0).all()
    assert recovery.home[60] == 1
    assert recovery.split[0] == recovery.split[60] == 0 < recovery.split.max()


def test_processes_notice_as_the_apps_health_checks_do() -> None:
    assert noticed_after(0.0, up=False) == 4.0
    assert noticed_after(15.0, up=False) == 19.0
    assert noticed_after(15.0, up=False, check_time=2.0) == 25.0
    assert noticed_after(0.0, up=True) == 2.0


def test_a_user_is_split_by_two_endpoints_alone() -> None:
    assert split_share(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 2, 0])) == 0.5
    assert split_share(np.array([0, 0, 1, 1]), np.array([0, -1, 2, 2])) == 0.0


def test_no_token_outlives_its_key_and_half_an_hour_is_never_cut() -> None:
    assert token_lifetime(0.0, 60) == 60 * 60
    assert token_lifetime(59 * 60.0, 60) == 31 * 60
    ages = key_ages(200, np.random.default_rng(7))
    assert {token_lifetime(age, 30) for age in ages.astype(int).tolist()} == {30 * 60}


def test_tokens_that_end_together_come_back_together_unless_they_are_spread() -> None:
    def herd(minutes: float, spread: float) -> float:
        random = np.random.default_rng(7)
        keys = np.zeros(5)
        herd = simulate_herd(SMALL, keys, random, lifetime_minutes=minutes, spread=spread)
        assert herd.lifetimes.max() <= minutes * 60
        return herd.peak_rate

    assert herd(60, 0.0) == pytest.approx(SMALL / 60)
    assert herd(30, 0.2) < herd(60, 0.0) / 4


def test_keys_are_asked_for_once_an_hour_by_each_process() -> None:
    random = np.random.default_rng(7)
    even = requests_each_minute(100, lambda: 0.0, random, hours=4)
    assert even.sum() == 4 * 100
    assert even.max() == 100
    spread = requests_each_minute(100, random.random, random, hours=48)
    # Each rotation comes early by up to five minutes.
    assert 100 <= spread.sum() / 48 <= 100 * 60 / 55
    assert spread[30:].max() < 50


def test_processes_without_an_answer_do_not_ask_together() -> None:
    random = np.random.default_rng(7)
    together = requests_while_down(100, lambda: 1.0, random)
    spread = requests_while_down(100, random.random, random)
    assert together[120:].max() > 40
    assert spread[120:].max() < 25


def test_a_line_is_served_at_the_pace_of_the_instances() -> None:
    arrivals = np.array([100.0, *[0.0] * 19])
    steady = simulate_backlog(arrivals, Fleet(10.0, 1, 1, 0.0, 0.0))
    assert steady.waiting[:3].tolist() == [90, 80, 70]
    assert (steady.served_after, steady.longest_wait) == (9.0, 9.0)
    growing = simulate_backlog(arrivals, Fleet(10.0, 0, 3, 1.0, 2.0))
    assert growing.instances[:6].tolist() == [0, 0, 1, 2, 3, 3]
    too_few = simulate_backlog(arrivals, Fleet(1.0, 1, 1, 0.0, 0.0))
    assert math.isinf(too_few.served_after)
    assert math.isinf(too_few.longest_wait)
