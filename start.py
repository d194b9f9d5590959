"""Runs the emulator and the function app together until Ctrl-C: the command behind `make start`.

Both are separate processes, as the service and the Functions host are in Azure. This one only
starts them, waits until they answer, and ends them together.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parent
_HOST: Final = "127.0.0.1"
_TENANT_ID: Final = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"  # the emulator's
_IDENTITY: Final = "NEGOTIATE_IDENTITY"
_AUDIENCE: Final = "api://upstream"
# The environment's proxies are on other machines, and all of this is here.
_open_url: Final = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
_STDIN: Final = 0
_LONGEST_START: Final = 60.0
_LONGEST_STOP: Final = 15.0


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of the function app, the emulated service and its control plane."""

    functions: int
    service: int
    control: int


class StartError(Exception):
    """The app cannot be started; the message says what to change."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both until SIGINT or SIGTERM.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0 after Ctrl-C, 1 when something could not be started or ended by itself.
    """
    ports = _parse(arguments)
    # SIGTERM ends like Ctrl-C, which a script that starts this in its background has had ignored.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.default_int_handler)
    with _terminal():
        try:
            return _run(ports)
        except StartError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0


def _parse(arguments: Sequence[str] | None) -> Ports:
    parser = argparse.ArgumentParser(prog="start.py", description=__doc__)
    parser.add_argument("--port", type=int, default=7071, help="the function app's port")
    parser.add_argument("--service-port", type=int, default=8888, help="the SignalR service's port")
    parser.add_argument("--control-port", type=int, default=8889, help="the control plane's port")
    options = parser.parse_args(arguments)
    return Ports(options.port, options.service_port, options.control_port)


def _run(ports: Ports) -> int:
    _check_ports(ports)
    _make_local_settings()
    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(_running(_emulator_command(ports), dict(os.environ)))
        _wait_until_answers(emulator, f"http://{_HOST}:{ports.service}/api/health", "emulator")
        functions = stack.enter_context(_running(_functions_command(ports), _environment(ports)))
        _wait_until_answers(
            functions, f"http://{_HOST}:{ports.functions}/api/health", "function app"
        )
        print(_summary(ports), flush=True)
        return _wait_for_an_end(emulator, functions)


def _check_ports(ports: Ports) -> None:
    for port, variable in (
        (ports.functions, "PORT"),
        (ports.service, "SERVICE_PORT"),
        (ports.control, "CONTROL_PORT"),
    ):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except (OSError, OverflowError) as error:
                raise StartError(
                    f"Port {port} cannot be used ({error}). "
                    f"Choose another one: make start {variable}={port + 1000}"
                ) from None


def _make_local_settings() -> None:
    settings = _ROOT / "local.settings.json"
    if not settings.exists():
        shutil.copyfile(_ROOT / "local.settings.json.example", settings)
        print("Made local.settings.json from local.settings.json.example.", flush=True)


def _emulator_command(ports: Ports) -> list[str]:
    return [
        *(sys.executable, "-m", "signalr_emulator", "--host", _HOST),
        *("--service-port", str(ports.service), "--control-port", str(ports.control)),
        *("--upstream", f"{_upstream_template(ports)} managed-identity={_AUDIENCE}"),
    ]


def _upstream_template(ports: Ports) -> str:
    return f"http://{_HOST}:{ports.functions}/api/upstream/{{hub}}/{{category}}/{{event}}"


def _functions_command(ports: Ports) -> list[str]:
    return [
        *(sys.executable, "-m", "funchost", "--app-dir", str(_ROOT)),
        *("--host", _HOST, "--port", str(ports.functions), "--auth"),
    ]


def _identity() -> dict[str, str]:
    """Let who has signed in keep its name, where everybody may connect."""
    values = json.loads((_ROOT / "local.settings.json").read_text()).get("Values", {})
    named = os.environ.get(_IDENTITY) or values.get(_IDENTITY)
    return {_IDENTITY: "app-service,anonymous"} if named == "anonymous" else {}


def _past_proxies() -> dict[str, str]:
    """Have the app ask no proxy of the environment for the keys of the service's tokens."""
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    value = named if named == "*" else ",".join(filter(None, (named, _HOST)))
    return {"no_proxy": value, "NO_PROXY": value}


def _environment(ports: Ports) -> dict[str, str]:
    """Point the app at the emulator: the environment wins over local.settings.json."""
    return os.environ | {
        "AzureSignalRConnectionString__serviceUri": f"http://{_HOST}:{ports.service}",
        "IDENTITY_ENDPOINT": f"http://{_HOST}:{ports.control}/msi/token",
        "IDENTITY_HEADER": "local-emulator",
        **_past_proxies(),
        **_identity(),
        "UPSTREAM_TENANT_ID": _TENANT_ID,
        "UPSTREAM_AUDIENCE": _AUDIENCE,
        "UPSTREAM_KEYS_URL": f"http://{_HOST}:{ports.control}/{_TENANT_ID}/discovery/v2.0/keys",
    }


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, cwd=_ROOT)  # noqa: S603  our own commands
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # After Ctrl-C the terminal has told the process already, and a second word does no harm.
    process.terminate()
    try:
        process.wait(_LONGEST_STOP)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def _wait_until_answers(process: subprocess.Popen[bytes], url: str, what: str) -> None:
    deadline = time.monotonic() + _LONGEST_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(f"The {what} did not start.")
        if _answers(url):
            return
        time.sleep(0.05)
    raise StartError(f"The {what} did not answer at {url} within {_LONGEST_START:.0f} s.")


def _answers(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  an http URL on this machine
    try:
        with _open_url(request, timeout=1):
            return True
    except OSError:
        return False


def _wait_for_an_end(*processes: subprocess.Popen[bytes]) -> int:
    while all(process.poll() is None for process in processes):
        time.sleep(0.2)
    return 1


@contextlib.contextmanager
def _terminal() -> Iterator[None]:
    """Take Ctrl-C for ourselves.

    `make` would report the interrupt as a failure of its own, after everything has ended well.
    """
    owner = _foreground_group()
    if owner != os.getpgrp():
        yield
        return
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    # The shell knows nothing of this group, so it could not bring it back from a Ctrl-Z.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    with contextlib.suppress(PermissionError):  # a session's leader has its own group already
        os.setpgid(0, 0)
    os.tcsetpgrp(_STDIN, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(_STDIN, owner)


def _foreground_group() -> int | None:
    try:
        return os.tcgetpgrp(_STDIN)
    except OSError:  # no terminal
        return None


def _summary(ports: Ports) -> str:
    functions = f"http://{_HOST}:{ports.functions}/api"
    return f"""
Keyless SignalR is running. No access key is stored anywhere.

  Demo           {functions}/demo
  Negotiate      POST {functions}/negotiate
  Broadcast      POST {functions}/broadcast
  Health         GET  {functions}/health
  SignalR        http://{_HOST}:{ports.service}
  Inspector      http://{_HOST}:{ports.control}

Clients connect to {functions}. Send them a message:

  curl {functions}/broadcast -d '{{"target": "newMessage", "arguments": ["Hello"]}}'

Ctrl-C stops both."""


if __name__ == "__main__":
    sys.exit(main())
