import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.endpoints.health import Health, HealthMonitor


@pytest.mark.parametrize(
    ("checks", "healthy", "in_doubt"),
    [
        ("", True, False),
        ("+", True, False),
        ("-", True, True),
        ("--", True, True),
        ("---", False, False),
        ("--+", True, False),
        ("--+--", True, True),
        ("--+---", False, False),
        ("----", False, False),
        ("---+", False, True),
        ("---++", True, False),
        ("---+-", False, False),
        ("---+-+", False, True),
        ("---+-++", True, False),
        ("---++--", True, True),
        ("---++---", False, False),
    ],
)
def test_three_failures_take_an_endpoint_down_and_two_successes_up(
    checks: str, healthy: bool, in_doubt: bool
) -> None:
    health = Health()
    for check in checks:
        health.observe(check == "+")
    assert (health.healthy, health.in_doubt) == (healthy, in_doubt)


def script(checks: str) -> Iterator[bool]:
    return (check == "+" for check in checks)


def test_a_change_is_logged_once_and_names_the_endpoint(caplog: pytest.LogCaptureFixture) -> None:
    east, west = script("----++++"), script("++++++++")
    health = Health(), Health()
    monitor = HealthMonitor(
        {"east": (health[0], lambda: next(east)), "west": (health[1], lambda: next(west))}
    )
    logged = []
    for _ in range(8):
        monitor.check()
        logged.append([each.getMessage() for each in caplog.records])
        caplog.clear()
    assert logged == [[], [], ["Endpoint east is down"], [], [], ["Endpoint east is up"], [], []]
    assert [each.healthy for each in health] == [True, True]


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "signalr-health"]


class Endpoint:
    """Has a check that tells when it is called."""

    def __init__(self) -> None:
        self.checked = threading.Event()

    def check(self) -> bool:
        self.checked.set()
        return True


def test_the_monitor_checks_from_its_start_to_its_end() -> None:
    endpoint = Endpoint()
    monitor = HealthMonitor({"east": (Health(), endpoint.check)})
    assert threads() == []
    monitor.start()
    assert endpoint.checked.wait(10)
    monitor.start()
    assert len(threads()) == 1
    monitor.close()
    assert threads() == []


def test_an_end_without_a_start() -> None:
    endpoint = Endpoint()
    monitor = HealthMonitor({"east": (Health(), endpoint.check)})
    monitor.close()
    monitor.close()
    assert not endpoint.checked.is_set()


def test_many_threads_start_one_monitor() -> None:
    barrier = threading.Barrier(20)
    monitor = HealthMonitor({"east": (Health(), lambda: True)})

    def start(_: int) -> None:
        barrier.wait(10)
        monitor.start()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(start, range(20)))
        assert len(threads()) == 1
    finally:
        sys.setswitchinterval(interval)
        monitor.close()
    assert threads() == []


def test_a_check_that_breaks_is_logged_and_counts_as_a_failed_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> bool:
        raise RuntimeError("a bug")

    east, endpoint = Health(), Endpoint()
    monitor = HealthMonitor({"east": (east, broken), "west": (Health(), endpoint.check)})
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            monitor.check()
    assert "a bug" in caplog.text
    assert not east.healthy
    assert endpoint.checked.is_set()


def test_a_child_process_starts_a_monitor_of_its_own() -> None:
    endpoint = Endpoint()
    monitor = HealthMonitor({"east": (Health(), endpoint.check)})
    monitor.start()
    assert endpoint.checked.wait(10)
    (parents,) = threads()
    monitor.close()
    endpoint.checked.clear()
    monitor.after_fork()
    monitor.start()
    assert endpoint.checked.wait(10)
    (childs,) = threads()
    assert childs is not parents
    monitor.close()
    assert threads() == []
