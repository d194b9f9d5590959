"""Emulator and this repository's app together, as `make start` runs them."""

import os
import re
import subprocess
import sys

from signalr_emulator.testing import running_emulator

from tests.doctor.conftest import PAGE, ROUTE, Examine, Whole, check_no_secret
from tests.e2e.processes import PATIENCE, ROOT


def test_all_is_well(whole: Whole) -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "doctor"),
            *("--settings", str(whole.settings), "--origin", PAGE),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert ended.stderr == ""
    check_no_secret(ended.stdout)
    # A path stays whole, so that it can be copied.
    lines = [line for line in ended.stdout.splitlines() if str(whole.settings) not in line]
    assert all(len(line) <= 80 for line in lines), ended.stdout
    steps = [line for line in ended.stdout.splitlines() if re.match(r"  \S", line)]
    unusual = [line.split("  ")[1] for line in steps if not line.startswith("  ✓ ")]
    # Callers of this app prove no identity.
    assert unusual == ["- Renewed sign-in", "- Refresh"], ended.stdout
    assert len(steps) == 20
    assert ended.stdout.endswith("\n18 well, 0 to look at, 0 broken, 2 skipped\n")


def test_the_local_app_is_found_by_the_settings_file(whole: Whole, examine: Examine) -> None:
    examined = examine({"SIGNALR_HUBS": "chat"}, "--settings", str(whole.settings))
    assert examined.status == 0
    assert whole.app_url.rpartition(":")[2] in examined.step("app")["summary"]
    assert "the service reaches this app" in examined.step("upstream")["summary"]


def test_a_page_that_the_app_does_not_know(whole: Whole, examine: Examine) -> None:
    origin = ("--origin", "https://contoso.com")
    examined = examine({}, "--settings", str(whole.settings), *origin)
    assert examined.broken() == {"app-cors"}
    assert '"CORS": "https://contoso.com"' in examined.step("app-cors")["fix"]


def test_a_hub_that_the_running_app_does_not_serve(whole: Whole, examine: Examine) -> None:
    examined = examine({}, "--settings", str(whole.settings), "--hub", "news")
    assert examined.broken() == {"upstream", "app-negotiate"}
    assert examined.step("upstream")["summary"].startswith("404: ")
    assert "does not serve the hub news" in examined.step("app-negotiate")["summary"]


def test_an_app_that_does_not_know_the_services_identity(whole: Whole, examine: Examine) -> None:
    template = f"{whole.app_url}/{ROUTE} managed-identity=api://another"
    with running_emulator("--upstream", template) as emulator:
        examined = examine(emulator.app_settings, "--app-url", whole.app_url)
    assert examined.broken() == {"upstream"}
    assert examined.step("upstream")["summary"].startswith("401: ")
    assert "UPSTREAM_AUDIENCE" in examined.step("upstream")["fix"]
    # It sends its clients to the other emulator.
    assert examined.step("app-negotiate")["status"] == "warning"
