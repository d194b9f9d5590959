"""That every message of clients comes back from an app server, at whatever speed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_message_comes_back_by_the_emulator_and_by_a_bare_relay(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "bench.server_connections.echo"),
            *("--clients", "3", "--turns", "1", "--json", str(results)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    (table,) = json.loads(results.read_text())
    assert table["title"] == "Echo, 1 KB, 3 clients, one server connection"
    rate, cpu = table["rows"]
    assert (rate["what"], rate["against"]) == ("emulator", "bare relay")
    # One turn decides nothing, nor do twice as many, and twice as many again.
    assert {(row["ratio"]["turns"], row["verdict"]) for row in (rate, cpu)} == {(4, "undecided")}
    assert min(rate["value"], rate["other"], cpu["value"], cpu["other"]) > 0
