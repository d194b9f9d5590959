"""A short form of the load and of the chaos, judged by counts."""

from pathlib import Path

from load.__main__ import chaos, server_connections, steady, storm
from load.clients.client import CLOSED_TO_RETURN
from load.faults import QUICK
from load.run import Options

SEED = 7


def test_traffic_without_faults(tmp_path: Path) -> None:
    report = steady(Options(clients=80, seconds=8, seed=SEED), tmp_path)
    assert report.problems == [], report.content["failures"]
    content = report.content
    assert content["deliveries"]["due"] > 1000
    for counted in (
        "connects.webSockets", "connects.serverSentEvents", "connects.longPolling",
        "messages.everyone", "messages.user", "messages.group", "messages.connection",
        "upstream calls", "groups.join", "groups.quit", "drops.leave", "drops.cut",
    ):  # fmt: skip
        assert content["counts"][counted] > 0, counted


def test_sign_ins_that_are_renewed_all_at_once(tmp_path: Path) -> None:
    content = storm(60, tmp_path).content
    assert content["problems"] == [], content["failures"]
    assert content["renewed"] == content["stayed"] == content["heard"] == 60
    # Whose sign-in was not renewed is gone, so that it is no accident that the others stay.
    (closed,) = content["failures"]
    assert (closed["kind"], closed["times"]) == ("loss", 1)
    assert closed["detail"].endswith(CLOSED_TO_RETURN)


def test_server_connections_that_break(tmp_path: Path) -> None:
    report = server_connections(Options(clients=60, seconds=9, seed=SEED), tmp_path, every=4)
    assert report.problems == [], report.content["failures"]
    content = report.content
    breaks = content["breaks"]
    assert breaks["times"] == 2
    # Each connection had a fifth of the clients, of whom nearly all were there to notice.
    assert 12 < breaks["losses"] <= breaks["clients"] < 36
    assert breaks["backMilliseconds"]["max"] < 10_000
    assert content["deliveries"]["due"] > 500
    for counted in (
        "connects.webSockets", "connects.serverSentEvents", "connects.longPolling",
        "messages.everyone", "messages.user", "messages.group", "messages.connection",
        "upstream calls", "groups.join", "groups.quit",
    ):  # fmt: skip
        assert content["counts"][counted] > 0, counted


def test_traffic_under_faults(tmp_path: Path) -> None:
    report = chaos(Options(clients=60, seconds=0, seed=SEED), tmp_path, quick=True)
    assert report.problems == [], report.content["failures"]
    faults = {row["fault"]: row for row in report.content["faults"]}
    assert list(faults) == [fault.name for fault in QUICK]
    # Each was felt, so that it is no wonder that nothing is lost.
    assert faults["half of the clients dropped"]["failures"]["loss"] > 10
    assert faults["access keys revoked"]["failures"]["negotiation"] > 0
    assert report.content["deliveries"]["due"] > 1000
