"""A start, a negotiation and an end: what the workflow tries on macOS and Windows too.

And here without what Python has on Unix only.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 60.0

# But for what stands behind `sys.platform`: the owner of a folder, and the limit on open files.
WITHOUT_UNIX: Final = """
import asyncio, os, signal, sys

for module, names in {
    os: "fork forkpty getpgid getpgrp getsid getuid killpg register_at_fork setpgid setsid "
        "tcgetpgrp tcsetpgrp fchmod fchown openpty",
    signal: "SIGALRM SIGHUP SIGQUIT SIGTSTP SIGTTIN SIGTTOU SIGUSR1 SIGUSR2 alarm pause",
}.items():
    for name in names.split():
        delattr(module, name)
del asyncio.SelectorEventLoop.add_signal_handler
sys.modules |= dict.fromkeys(("fcntl", "grp", "pty", "pwd", "termios", "tty"))
"""

if sys.platform == "win32":
    OWN_GROUP: Final = subprocess.CREATE_NEW_PROCESS_GROUP
    END: Final = signal.CTRL_BREAK_EVENT
else:
    OWN_GROUP: Final = 0
    END: Final = signal.SIGTERM


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in sockets]


@pytest.fixture(params=["as it is", "without Unix"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "as it is":
        return dict(os.environ)
    if sys.platform == "win32":
        pytest.skip("here nothing of Unix is there")
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_UNIX)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def test_a_start_a_negotiation_and_an_end(environment: dict[str, str], tmp_path: Path) -> None:
    ports = free_ports(3)
    pairs = zip(("--port", "--service-port", "--control-port"), map(str, ports), strict=True)
    log = tmp_path / "start.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "start.py", *(part for pair in pairs for part in pair)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            creationflags=OWN_GROUP,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = ""
            while not said.endswith("Ctrl-C stops both.\n"):
                line = process.stdout.readline()
                assert line, said + log.read_text()
                said += line
            url = f"http://127.0.0.1:{ports[0]}/api/negotiate"
            with urllib.request.urlopen(url, data=b"", timeout=PATIENCE) as answer:
                negotiated = json.load(answer)
            assert negotiated["url"].startswith(f"http://127.0.0.1:{ports[1]}/client/")
            process.send_signal(END)
            assert process.wait(PATIENCE) == 0, log.read_text()
        finally:
            process.kill()
    told = log.read_text().splitlines()
    assert [line.split()[1:4] for line in told] == [["POST", "/api/negotiate", "200"]]
    for port in ports:
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            pass
