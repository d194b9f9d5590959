"""A process forks that has used the client: parent and child go on, with threads of their own."""

import os
import subprocess
import sys

import pytest
from signalr_emulator.testing import running_emulator

from shared import SignalRServiceClient
from tests.e2e.processes import PATIENCE, ROOT
from tests.e2e.service_clients import connected, use_identity


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_parent_and_child_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_emulator("--service", "0") as emulator:
        identity = use_identity(emulator, monkeypatch)
        urls = [url for name, url in emulator.app_settings.items() if "Endpoints" in name]
        monkeypatch.setenv("SERVICE_URLS", ",".join(urls))
        monkeypatch.setenv("CONTROL_URL", emulator.control_url)
        with (
            SignalRServiceClient(emulator.service_url, identity) as signalr,
            connected(signalr, "ann") as (ann,),
        ):
            ann.connection_id()
            ended = subprocess.run(
                [sys.executable, "-m", "tests.e2e.forking_app"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert ended.returncode == 0, ended.stderr
            said = [ann.message()[0] for _ in range(8)]
        assert said == ["parent"] * 2 + ["child"] * 4 + ["parent"] * 2
