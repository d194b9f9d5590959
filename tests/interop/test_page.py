"""The program of docs/clients.md does what the page says of it."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from interop.app import App
from load.processes import PATIENCE, Process
from tests.e2e.processes import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_python_program_outlives_its_token(running: App, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    url = running.sign_in.client_url("ann")
    program = program.replace("https://contoso.azurewebsites.net/api", url)
    listener = Process(
        [sys.executable, "-c", program.replace("sleep(5)", "sleep(0.1)")], tmp_path / "listener.log"
    )
    try:
        until(lambda: running.is_connected("ann"))
        running.send("newMessage", ["hello"], userId="ann")
        listener.wait_for(r"^hello$")
        running.outlive_tokens()
        running.cut("ann")
        listener.wait_for("The connection has ended: AuthorizationError")
        until(lambda: running.is_connected("ann"))
        running.send("newMessage", ["again"], userId="ann")
        listener.wait_for(r"^again$")
        assert running.sign_in.negotiations["ann"] == 2
    finally:
        listener.stop()
