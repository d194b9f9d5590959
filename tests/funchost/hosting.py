"""Runs `python -m funchost` as a process of its own, because the worker holds one app a process."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_END_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class RunningHost:
    process: subprocess.Popen[str]
    banner: str
    port: int
    log_file: Path

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_END_SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def call_meanwhile(self, path: str) -> "Future[Answer]":
        """Call a function in a thread of its own."""
        with_one_thread = ThreadPoolExecutor(1)
        answer = with_one_thread.submit(self.call, "GET", path)
        with_one_thread.shutdown(wait=False)
        return answer

    def log(self) -> str:
        return self.log_file.read_text()

    def wait_for_log(self, pattern: str, times: int = 1) -> list[str]:
        """Wait until the log has so many matches of a pattern, and return them."""
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            found = re.findall(pattern, self.log())
            if len(found) >= times:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{pattern!r} did not come {times} times:\n{self.log()}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(_END_SECONDS)


class Gate:
    """Where functions wait, each on a connection of its own, until the test lets them pass."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.environ = {"GATE": str(listener.getsockname()[1])}

    def arrival(self) -> socket.socket:
        """Wait until a function has come; a byte lets it pass, an end of file tells its end."""
        connection, _ = self._listener.accept()
        connection.settimeout(_END_SECONDS)
        return connection


@contextmanager
def gate() -> Iterator[Gate]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_END_SECONDS)
        yield Gate(listener)


def write_app(
    folder: Path,
    source: str,
    *,
    host_json: Mapping[str, object] | None = None,
    local_settings: Mapping[str, object] | None = None,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function_app.py").write_text(source)
    (folder / "host.json").write_text(json.dumps(host_json or {"version": "2.0"}))
    if local_settings is not None:
        (folder / "local.settings.json").write_text(json.dumps(local_settings))
    return folder


def _command(app: Path, *options: str, program: tuple[str, ...] = ("-m", "funchost")) -> list[str]:
    return [sys.executable, *program, "--app-dir", str(app), *options]


def _environ(extra: Mapping[str, str] | None) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PORT", "PYTHONUNBUFFERED"}
    }
    return inherited | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(extra or {})


@contextmanager
def running(
    app: Path,
    *options: str,
    environ: Mapping[str, str] | None = None,
    program: tuple[str, ...] = ("-m", "funchost"),
    errors: int | None = None,
) -> Iterator[RunningHost]:
    command = _command(app, "--port", "0", *options, program=program)
    with _started(command, _ROOT, app / "host.log", _environ(environ), errors) as host:
        yield host


@contextmanager
def running_inside(app: Path, environ: Mapping[str, str]) -> Iterator[RunningHost]:
    """Run the host as people do who work on the app: in its folder, without options."""
    command = [sys.executable, "-m", "funchost"]
    # Stands in for the installation of the host. The app's own modules come before it.
    found_by = {"PYTHONPATH": str(_ROOT), "PORT": "0"}
    with _started(command, app, app / "host.log", _environ(found_by | dict(environ))) as host:
        yield host


@contextmanager
def _started(
    command: Sequence[str],
    folder: Path,
    log_file: Path,
    environ: Mapping[str, str],
    errors: int | None = None,
) -> Iterator[RunningHost]:
    with (
        log_file.open("w") as log,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=log if errors is None else errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            banner = ""
            for line in process.stdout:
                banner += line
                if line.startswith("Functions host ready on "):
                    port = int(line.strip().rpartition(":")[2])
                    yield RunningHost(process, banner, port, log_file)
                    return
            raise AssertionError(f"the host did not start:\n{log_file.read_text()}")
        finally:
            process.kill()


def refused(
    app: Path,
    *options: str,
    environ: Mapping[str, str] | None = None,
    program: tuple[str, ...] = ("-m", "funchost"),
) -> tuple[int, str]:
    """Run a host that cannot start; return its exit code and what it wrote to stderr."""
    done = subprocess.run(
        _command(app, *options, program=program),
        cwd=_ROOT,
        env=_environ(environ),
        capture_output=True,
        text=True,
        timeout=_END_SECONDS,
        check=False,
    )
    return done.returncode, done.stderr
