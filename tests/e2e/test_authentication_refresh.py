"""Sign-ins that are renewed, by the module for JavaScript."""

import subprocess

from tests.e2e.processes import E2E, PATIENCE


def test_the_module_renews_under_the_real_client() -> None:
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=spec", "authentication_refresh.test.mjs"],
        cwd=E2E,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
