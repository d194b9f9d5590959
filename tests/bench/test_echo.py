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
    # With three clients for a moment neither target says anything.
    assert run.returncode in (0, 1), run.stderr
    (table,) = json.loads(results.read_text())
    assert table["title"] == "Echo, 1 KB, 3 clients, one server connection (1 turns)"
    rate, cpu = table["rows"]
    assert (rate["what"], rate["against"]) == ("emulator", "bare relay")
    assert min(rate["value"], rate["other"], cpu["value"], cpu["other"]) > 0
