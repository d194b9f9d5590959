"""Runs the emulator and the function app together until Ctrl-C: the command behind `make start`.

Both are separate processes, as the service and the Functions host are in Azure. This one only
starts them, waits until they answer, and ends them together. `make emulator` has it run the
emulator alone, for an app that somebody else starts.
"""

import argparse
import contextlib
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

from doctor.running import announced
from funchost.settings import (
    SETTINGS_FILE,
    SettingsError,
    load_host_settings,
    load_local_settings,
)

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
class Addresses:
    """The ports of the function app, the emulated service and its control plane.

    `base_path` is what the paths of functions begin with, as host.json says: `/api`, or nothing.
    """

    functions: int
    service: int
    control: int
    base_path: str

    @property
    def functions_url(self) -> str:
        """Where the functions are."""
        return f"http://{_HOST}:{self.functions}{self.base_path}"


class StartError(Exception):
    """The app cannot be started; the message says what to change."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both until SIGINT or SIGTERM.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0 after Ctrl-C, 1 when something could not be started or ended by itself.
    """
    options = _parse(arguments)
    # SIGTERM ends like Ctrl-C, which a script that starts this in its background has had ignored.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.default_int_handler)
    with _terminal():
        try:
            addresses = _addresses(options)
            return _run_emulator(addresses) if options.part else _run(addresses)
        except (StartError, SettingsError) as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="start.py", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("emulator",), help="what to run alone")
    parser.add_argument("--port", type=int, default=7071, help="the function app's port")
    parser.add_argument("--service-port", type=int, default=8888, help="the SignalR service's port")
    parser.add_argument("--control-port", type=int, default=8889, help="the control plane's port")
    return parser.parse_args(arguments)


def _addresses(options: argparse.Namespace) -> Addresses:
    return Addresses(
        options.port,
        options.service_port,
        options.control_port,
        load_host_settings(_ROOT).base_path,
    )


def _run_emulator(addresses: Addresses) -> int:
    with _running(_emulator_command(addresses), dict(os.environ)) as emulator:
        return _wait_for_an_end(emulator)


def _run(addresses: Addresses) -> int:
    _check_ports(addresses)
    _make_local_settings()
    environment = _environment(addresses)
    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(_running(_emulator_command(addresses), dict(os.environ)))
        _wait_until_answers(emulator, f"http://{_HOST}:{addresses.service}/api/health", "emulator")
        functions = stack.enter_context(_running(_functions_command(addresses), environment))
        _wait_until_answers(functions, f"{addresses.functions_url}/health", "function app")
        stack.enter_context(announced(_ROOT, addresses.functions_url, environment))
        print(_summary(addresses), flush=True)
        return _wait_for_an_end(emulator, functions)


def _check_ports(addresses: Addresses) -> None:
    for port, variable in (
        (addresses.functions, "PORT"),
        (addresses.service, "SERVICE_PORT"),
        (addresses.control, "CONTROL_PORT"),
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
    settings = _ROOT / SETTINGS_FILE
    if not settings.exists():
        shutil.copyfile(_ROOT / "local.settings.json.example", settings)
        print("Made local.settings.json from local.settings.json.example.", flush=True)


def _emulator_command(addresses: Addresses) -> list[str]:
    template = f"{addresses.functions_url}/upstream/{{hub}}/{{category}}/{{event}}"
    return [
        *(sys.executable, "-m", "signalr_emulator", "--host", _HOST),
        *("--service-port", str(addresses.service), "--control-port", str(addresses.control)),
        *("--upstream", f"{template} managed-identity={_AUDIENCE}"),
    ]


def _functions_command(addresses: Addresses) -> list[str]:
    return [
        *(sys.executable, "-m", "funchost", "--app-dir", str(_ROOT)),
        *("--host", _HOST, "--port", str(addresses.functions), "--auth", "--reload"),
    ]


def _identity() -> dict[str, str]:
    """Let who has signed in keep its name, where everybody may connect."""
    values = load_local_settings(_ROOT / SETTINGS_FILE).values
    named = os.environ.get(_IDENTITY) or values.get(_IDENTITY)
    return {_IDENTITY: "app-service,anonymous"} if named == "anonymous" else {}


def _past_proxies() -> dict[str, str]:
    """Have the app ask no proxy of the environment for the keys of the service's tokens."""
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    value = named if named == "*" else ",".join(filter(None, (named, _HOST)))
    return {"no_proxy": value, "NO_PROXY": value}


def _environment(addresses: Addresses) -> dict[str, str]:
    """Point the app at the emulator: the environment wins over local.settings.json."""
    return os.environ | {
        "AzureSignalRConnectionString__serviceUri": f"http://{_HOST}:{addresses.service}",
        "IDENTITY_ENDPOINT": f"http://{_HOST}:{addresses.control}/msi/token",
        "IDENTITY_HEADER": "local-emulator",
        **_past_proxies(),
        **_identity(),
        "UPSTREAM_TENANT_ID": _TENANT_ID,
        "UPSTREAM_AUDIENCE": _AUDIENCE,
        "UPSTREAM_KEYS_URL": f"http://{_HOST}:{addresses.control}/{_TENANT_ID}/discovery/v2.0/keys",
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


def _summary(addresses: Addresses) -> str:
    functions = addresses.functions_url
    return f"""
Keyless SignalR is running. No access key is stored anywhere.

  Demo           {functions}/demo
  Negotiate      POST {functions}/negotiate
  Broadcast      POST {functions}/broadcast
  Health         GET  {functions}/health
  SignalR        http://{_HOST}:{addresses.service}
  Inspector      http://{_HOST}:{addresses.control}

Clients connect to {functions}. Send them a message:

  curl {functions}/broadcast -d '{{"target": "newMessage", "arguments": ["curl", "Hello"]}}'

Ctrl-C stops both."""


if __name__ == "__main__":
    sys.exit(main())
