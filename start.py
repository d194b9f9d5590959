"""Runs the emulator and the function app together until Ctrl-C: the command behind `make start`.

Both are separate processes, as the service and the Functions host are in Azure. This one only
starts them, waits until they answer, and ends them together. `make emulator` has it run the
emulator alone, for an app that somebody else starts.
"""

import sys

if sys.version_info < (3, 13):  # noqa: UP036  what names an older one should know why it fails
    sys.exit(
        f"Python 3.13 or newer is needed, and this is {sys.version.split()[0]}. "
        "Start with a newer one, for instance: python3.13 start.py (on Windows: py -3.13 start.py)"
    )

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import set_up
from doctor.running import announced
from funchost.ports import LAST_PORT, bind_alone, free_port
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
    for ending in _ENDINGS:
        signal.signal(ending, signal.default_int_handler)
    with _terminal():
        try:
            addresses = _addresses(options)
            python = _python()
            if options.part:
                return _run_emulator(addresses, python)
            return _run(addresses, python, verbose=options.verbose)
        except (StartError, SettingsError, set_up.SetUpError) as error:
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
    parser.add_argument(
        "--verbose", action="store_true", help="show everything that emulator and app log"
    )
    return parser.parse_args(arguments)


def _python() -> str:
    """Return the Python of emulator and app: this one if it has their packages, or `.venv`'s."""
    if find_spec("signalr_emulator") and find_spec("azure_functions_runtime"):
        return sys.executable
    set_up.set_up_environment()
    return str(set_up.PYTHON)


def _addresses(options: argparse.Namespace) -> Addresses:
    return Addresses(
        options.port,
        options.service_port,
        options.control_port,
        load_host_settings(_ROOT).base_path,
    )


def _run_emulator(addresses: Addresses, python: str) -> int:
    with _running(_emulator_command(addresses, python), os.environ) as emulator:
        return _wait_for_an_end({"emulator": emulator})


def _run(addresses: Addresses, python: str, *, verbose: bool) -> int:
    _check_ports(addresses)
    _make_local_settings()
    missing = _missing_for_demo()
    settings = _settings(addresses)
    loud = ("--verbose",) if verbose else ()
    # What it greets with is for an app that somebody else starts; its errors go elsewhere.
    greeting = None if verbose else subprocess.DEVNULL
    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(
            _running([*_emulator_command(addresses, python), *loud], os.environ, greeting)
        )
        _wait_until_open(emulator, addresses.control, "emulator")
        command = _functions_command(addresses, python, settings)
        functions = stack.enter_context(
            _running([*command, *(loud or ("--quiet",))], os.environ | _past_proxies())
        )
        _wait_until_open(functions, addresses.functions, "function app")
        stack.enter_context(announced(_ROOT, addresses.functions_url, settings))
        print(_summary(addresses, missing), flush=True)
        return _wait_for_an_end({"emulator": emulator, "function app": functions})


def _check_ports(addresses: Addresses) -> None:
    chosen = {
        "PORT": addresses.functions,
        "SERVICE_PORT": addresses.service,
        "CONTROL_PORT": addresses.control,
    }
    reasons = {name: reason for name, port in chosen.items() if (reason := _unusable(port))}
    if not reasons:
        return
    told = "; ".join(f"port {chosen[name]} cannot be used ({why})" for name, why in reasons.items())
    taken = set(chosen.values())
    proposals = []
    for name in reasons:
        port = free_port(_HOST, chosen[name], taken)
        if port is None:
            raise StartError("No port of this machine is free.")
        taken.add(port)
        proposals.append(_assignment(name, port))
    command = "make start" if "MAKELEVEL" in os.environ else "python start.py"
    raise StartError(
        f"{told[0].upper()}{told[1:]}. Choose another one: {command} {' '.join(proposals)}"
    )


def _unusable(port: int) -> str | None:
    """Return why nothing can listen on a port of this machine; `None` if it can."""
    with socket.socket() as probe:
        try:
            bind_alone(probe, (_HOST, port))
        except OverflowError:
            return f"it is none from 0 to {LAST_PORT}"
        except OSError as error:
            own = "another start of this app has it"
            return own if _is_held_by_a_start(port) else os.strerror(error.errno or 0)
    return None


def _is_held_by_a_start(port: int) -> bool:
    # Not above, since a start that finds its ports free does without the library.
    from shared.command.running import running_apps  # noqa: PLC0415

    return any(urlsplit(app.app_url).port == port for app in running_apps(_ROOT))


def _assignment(name: str, port: int) -> str:
    """Return how a port is chosen on the command line."""
    if "MAKELEVEL" in os.environ:
        return f"{name}={port}"
    return f"--{name.lower().replace('_', '-')} {port}"


def _make_local_settings() -> None:
    settings = _ROOT / SETTINGS_FILE
    if not settings.exists():
        shutil.copyfile(_ROOT / "local.settings.json.example", settings)
        print("Made local.settings.json from local.settings.json.example.", flush=True)


def _missing_for_demo() -> str | None:
    """Have what the demo page needs; return why it cannot be had."""
    try:
        set_up.set_up_demo()
    except set_up.SetUpError as error:
        *details, reason = str(error).splitlines()
        print("\n".join(details), end="\n" if details else "", flush=True)
        return reason
    return None


def _emulator_command(addresses: Addresses, python: str) -> list[str]:
    template = f"{addresses.functions_url}/upstream/{{hub}}/{{category}}/{{event}}"
    return [
        *(python, "-m", "signalr_emulator", "--host", _HOST),
        *("--service-port", str(addresses.service), "--control-port", str(addresses.control)),
        *("--upstream", f"{template} managed-identity={_AUDIENCE}"),
    ]


def _functions_command(addresses: Addresses, python: str, settings: Mapping[str, str]) -> list[str]:
    return [
        *(python, "-m", "funchost", "--app-dir", str(_ROOT)),
        *("--host", _HOST, "--port", str(addresses.functions), "--auth", "--reload"),
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
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


def _settings(addresses: Addresses) -> dict[str, str]:
    """Return the settings that point the app at the emulator, whatever local.settings.json says."""
    return {
        "AzureSignalRConnectionString__serviceUri": f"http://{_HOST}:{addresses.service}",
        "IDENTITY_ENDPOINT": f"http://{_HOST}:{addresses.control}/msi/token",
        "IDENTITY_HEADER": "local-emulator",
        **_identity(),
        "UPSTREAM_TENANT_ID": _TENANT_ID,
        "UPSTREAM_AUDIENCE": _AUDIENCE,
        "UPSTREAM_KEYS_URL": f"http://{_HOST}:{addresses.control}/{_TENANT_ID}/discovery/v2.0/keys",
    }


@contextlib.contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], output: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603  our own commands
        command,
        # As everywhere but on Windows: what an app prints is in no code page.
        env={"PYTHONUTF8": "1", **environment},
        cwd=_ROOT,
        stdout=output,
        creationflags=_OWN_GROUP,
    )
    try:
        yield process
    finally:
        _stop(process)


if sys.platform == "win32":
    _ENDINGS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGBREAK)
    # Only a group of its own can be told to end in order, and then hears no Ctrl-C.
    _OWN_GROUP: Final = subprocess.CREATE_NEW_PROCESS_GROUP
    _END: Final = signal.CTRL_BREAK_EVENT
else:
    _ENDINGS: Final = (signal.SIGTERM, signal.SIGINT)
    _OWN_GROUP: Final = 0
    _END: Final = signal.SIGTERM


def _stop(process: subprocess.Popen[bytes]) -> None:
    # After Ctrl-C the terminal has told the process already, and a second word does no harm.
    process.send_signal(_END)
    try:
        process.wait(_LONGEST_STOP)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def _wait_until_open(process: subprocess.Popen[bytes], port: int, what: str) -> None:
    deadline = time.monotonic() + _LONGEST_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(f"The {what} did not start.")
        with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
            return
        time.sleep(0.01)
    raise StartError(
        f"The {what} did not listen on port {port} within {_LONGEST_START:.0f} s. "
        "To see more: --verbose, or make start VERBOSE=1"
    )


def _wait_for_an_end(processes: Mapping[str, subprocess.Popen[bytes]]) -> int:
    while True:
        for what, process in processes.items():
            if process.poll() is not None:
                print(f"The {what} has ended with status {process.returncode}.", file=sys.stderr)
                return 1
        time.sleep(0.2)


@contextlib.contextmanager
def _terminal() -> Iterator[None]:
    """Take Ctrl-C for ourselves.

    `make` would report the interrupt as a failure of its own, after everything has ended well.
    """
    owner = _foreground_group()
    if owner is None or owner != os.getpgrp():
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
    if not hasattr(os, "tcgetpgrp"):  # Windows
        return None
    try:
        return os.tcgetpgrp(_STDIN)
    except OSError:  # no terminal
        return None


def _summary(addresses: Addresses, missing: str | None) -> str:
    functions = addresses.functions_url
    demo = f"left out. {missing}" if missing else f"{functions}/demo"
    return f"""\
Keyless SignalR is running. No access key is stored anywhere.

  Demo           {demo}
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
