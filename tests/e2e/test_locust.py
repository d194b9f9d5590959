"""The load of bench/locustfile.py on the running app: a few clients for a few seconds."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, FunctionApp, free_ports

LISTENERS = 5
KEY = "function-key-of-the-test"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LOCUST_FUNCTION_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def drive(app: FunctionApp, folder: Path, *options: str) -> tuple[dict[str, tuple[int, int]], str]:
    """Return requests and failures by name, and all that was printed."""
    command = [
        *(sys.executable, "-m", "locust", "-f", str(ROOT / "bench/locustfile.py")),
        *("--headless", "--users", str(LISTENERS + 1), "--spawn-rate", "10"),
        *("--run-time", "5s", "--host", app.url),
        *("--csv", str(folder / "load"), "--broadcast-every", "0.5", *options),
    ]
    try:
        ended = run(command, folder)
    except subprocess.TimeoutExpired as error:
        # Seen once, long after the run was over and each of its requests had its time limit; what
        # it had printed is shown if it comes again.
        sys.stderr.write(str(error.stderr))
        ended = run(command, folder)
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 0, printed
    with (folder / "load_stats.csv").open() as rows:
        counts = {
            row["Name"]: (int(row["Request Count"]), int(row["Failure Count"]))
            for row in csv.DictReader(rows)
        }
    return counts, printed


def test_clients_negotiate_connect_and_receive_broadcasts(
    anonymous_app: FunctionApp, tmp_path: Path
) -> None:
    counts, printed = drive(anonymous_app, tmp_path)
    for name in ("negotiate", "negotiate with the service", "connect"):
        assert counts[name] == (LISTENERS, 0)
    broadcasts, failures = counts["broadcast"]
    assert broadcasts > 0
    assert failures == 0
    deliveries, failures = counts["delivery"]
    # The last broadcast can be cut off by the end of the run before it is counted.
    assert 0 < deliveries <= (broadcasts + 1) * LISTENERS
    assert failures == 0
    assert counts["Aggregated"][1] == 0
    assert f"Driving {anonymous_app.url}, hub (default)" in printed
    assert KEY not in printed
    assert not re.search(r"eyJ[\w-]+\.", printed), "no token is shown"


def test_clients_that_leave_negotiate_anew(anonymous_app: FunctionApp, tmp_path: Path) -> None:
    counts, _ = drive(anonymous_app, tmp_path, "--stay", "1", "--hub", "news")
    assert counts["negotiate"][0] > LISTENERS
    assert counts["connect"][0] > LISTENERS
    assert counts["Aggregated"][1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers of one machine are forked")
def test_several_processes_drive_together(anonymous_app: FunctionApp, tmp_path: Path) -> None:
    port = str(*free_ports(1))
    counts, _ = drive(
        anonymous_app,
        tmp_path,
        *("--processes", "2", "--master-bind-port", port, "--master-port", port),
    )
    assert counts["connect"] == (LISTENERS, 0)
    assert counts["broadcast"][0] > 0
    assert counts["delivery"][0] > 0
    assert counts["Aggregated"][1] == 0
