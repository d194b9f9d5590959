"""The command itself: `keyless-signalr listen` and `keyless-signalr send`."""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from ..client import SignalRServiceClient
from ..errors import InvalidArgumentError, SettingsError, SignalRError
from ..settings.endpoint import is_loopback
from ..settings.names import check_hub
from .arguments import read_arguments
from .configuration import SERVICE_URI, default_hub, read_environment
from .local_settings import SettingsFileError
from .output import Output
from .running import listens
from .sending import parse_argument, send

__all__ = ["run"]

_FAILED: Final = 1
_WRONG: Final = 2
_INTERRUPTED: Final = 130
"""As shells have it."""


def run(arguments: Sequence[str] | None, version: str) -> int:
    """Run the command.

    Args:
        arguments: What comes after the command's name; `None` takes it from the process.
        version: What `--version` prints.

    Returns:
        The exit status.
    """
    options = read_arguments(arguments, version)
    # Errors are told once, here, and azure-identity has more to say of each.
    logging.getLogger().addHandler(logging.NullHandler())
    output = Output(sys.stdout, sys.stderr, os.environ, is_json=options.json)
    try:
        return _run(options, output)
    except (SettingsFileError, SettingsError, InvalidArgumentError) as error:
        output.error(_explained(error, options))
        return _WRONG
    except SignalRError as error:
        output.error(_nobody_there() or str(error))
        return _FAILED
    except BrokenPipeError:
        # Who reads has enough, as `head` does. What is still to be written would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 0 if options.command == "listen" else _INTERRUPTED


def _run(options: argparse.Namespace, output: Output) -> int:
    environment = read_environment(options.endpoint, options.settings, os.environ)
    # azure-identity looks for its settings in the process's environment.
    os.environ.update(environment)
    hub = check_hub(options.hub) if options.hub else default_hub(environment)
    if options.command == "listen":
        return _listen(options, environment, hub, output)
    return _send(options, environment, hub, output)


def _listen(
    options: argparse.Namespace, environment: Mapping[str, str], hub: str, output: Output
) -> int:
    try:
        # Not above, since its WebSockets are an extra that sending does without.
        from .listening import Listening, listen  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "websockets":
            raise
        output.error("listen needs one more package: pip install 'keyless-signalr[command]'")
        return _FAILED
    listening = Listening(hub, options.user, options.groups)
    reason = listen(lambda: SignalRServiceClient.from_environment(environment), listening, output)
    output.error(reason)
    return _FAILED


def _send(
    options: argparse.Namespace, environment: Mapping[str, str], hub: str, output: Output
) -> int:
    read = str if options.text else parse_argument
    arguments = [read(each) for each in options.arguments]
    output.progress(f"Sending to {options.recipient}")
    with SignalRServiceClient.from_environment(environment) as service:
        send(service, hub, options.recipient, options.target, arguments)
    output.done(
        f"The service has taken {options.target} for {options.recipient} of hub {hub}",
        {
            "status": "accepted",
            "hub": hub,
            "to": options.recipient.kind,
            "name": options.recipient.name or None,
            "target": options.target,
            "arguments": arguments,
        },
    )
    return 0


def _nobody_there() -> str:
    """Say that no emulator runs where the settings have one, or nothing."""
    service = os.environ.get(SERVICE_URI, "")
    if not is_loopback(service) or listens(service):
        return ""
    return (
        f"Nothing listens at {service}, where the settings have the service. Start the emulator"
        " (make start, signalr-emulator), or name a service: --endpoint https://contoso.service.signalr.net"
    )


def _explained(error: Exception, options: argparse.Namespace) -> str:
    """Say which option is wrong, or would do, where there is one for the setting."""
    setting = error.setting if isinstance(error, SettingsError) else ""
    if setting == SERVICE_URI and options.endpoint is not None:
        return str(error).replace(SERVICE_URI, "--endpoint")
    if setting == SERVICE_URI:
        return f"{error}, or --endpoint https://contoso.service.signalr.net"
    if setting == "SIGNALR_HUBS":
        return f"{error}, or --hub chat"
    return str(error)
