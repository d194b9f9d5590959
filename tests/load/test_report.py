"""What makes a run fail, and that the page says what the reports say."""

import json
from pathlib import Path

from docs.page import with_tables
from load.account.checker import check
from load.account.journal import FailureKind, Journal, now
from load.account.ledger import EVERYONE, Ledger
from load.account.measures import Sampler
from load.report import Report, steady_report
from load.run import PATIENCE, Options, Outcome
from load.tables import tables

DOCS = Path(__file__).parents[2] / "docs"
OPTIONS = Options(clients=1, seconds=600, seed=1)


class Run:
    """A run of one client, to which one message came."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.journal = Journal()
        self.sampler = Sampler(lambda: {"emulator": 1, "functions": 1})
        for series in self.sampler.series.values():
            series.times = [float(second) for second in range(100)]
            series.megabytes = [80.0] * 100
        self.connection = self.ledger.open(0, "ann", "a", 1.0)
        self.message = self.ledger.send(EVERYONE, 2.0)
        self.message.settle(3.0, accepted=True)
        self.connection.receive(self.message.number, 2.5)

    def report(self) -> Report:
        verdict = check(self.ledger, patience=PATIENCE)
        return steady_report(
            OPTIONS, Outcome(verdict, self.ledger, self.journal, self.sampler, 600.0)
        )


def test_a_run_without_a_flaw_passes(tmp_path: Path) -> None:
    report = Run().report()
    assert report.problems == []
    assert report.summary().endswith("\npassed")
    report.write(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == report.content


def test_a_message_that_did_not_come_fails_the_run() -> None:
    run = Run()
    run.connection.numbers.pop()
    run.connection.times.pop()
    assert run.report().problems == ["1 deliveries lost"]
    assert "FAILED: 1 deliveries lost" in run.report().summary()


def test_a_failure_without_a_fault_fails_the_run_and_is_told() -> None:
    run = Run()
    run.journal.failed(FailureKind.SEND, "broadcast: 500", now())
    report = run.report()
    assert report.problems == ["1 failures without a fault"]
    assert report.content["failures"] == [{"kind": "send", "detail": "broadcast: 500", "times": 1}]


def test_memory_that_grows_fails_the_run() -> None:
    run = Run()
    leaking = run.sampler.series["functions"]
    leaking.megabytes = [80.0 + second / 10 for second in leaking.times]
    (problem,) = run.report().problems
    assert "functions grows" in problem


def test_an_error_of_the_program_itself_fails_the_run() -> None:
    run = Run()
    run.journal.broke(ValueError("a mistake"))
    (problem,) = run.report().problems
    assert "a mistake" in problem


def test_the_page_has_what_the_reports_say() -> None:
    page = (DOCS / "reliability.md").read_text()
    names = ("chaos.json", "load.json", "storm.json", "server-connections.json")
    reports = [json.loads((DOCS / name).read_text()) for name in names]
    assert [report["problems"] for report in reports] == [[]] * len(names)
    found = tables(*reports)
    assert all(f"<!-- table: {name} -->\n\n{table}" in page for name, table in found.items())
    assert page == with_tables(page, found), "Run: python -m load report"
