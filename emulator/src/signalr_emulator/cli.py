"""The command `signalr-emulator`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from signalr_emulator.applications import Application
from signalr_emulator.certificates import ClientCertificate
from signalr_emulator.config import APP_REGISTRATION, Config, FurtherService
from signalr_emulator.credential_files import CredentialFiles, credential_files
from signalr_emulator.errors import FileUnavailableError, PortUnavailableError
from signalr_emulator.open_files import raise_open_file_limit
from signalr_emulator.roles import BUILT_IN_ROLES
from signalr_emulator.server import Emulator, running
from signalr_emulator.upstream_options import add_upstream_options, upstream_config

__all__ = ["READY", "main"]

READY = "Emulator ready."
"""The line that says that every port answers."""

_NO_ROLE = "none"
_MAX_PORT = 65535
_MIN_KEY_LENGTH = 32
_PORT_OPTIONS = {
    "service": "--service-port",
    "control": "--control-port",
    "authority": "--authority-port",
}
"""The option that chooses the port of each plane."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command until it is interrupted.

    Args:
        arguments: What comes after the command's name; None takes it from the process.

    Returns:
        The exit code: 0 after an interrupt, 1 if a port cannot be listened on or a file not be
        written.
    """
    options = _parser().parse_args(arguments)
    service_port, *further_ports = options.service_ports or (Config().service_port,)
    config = Config(
        host=options.host,
        service_port=service_port,
        further_services=tuple(FurtherService(port) for port in further_ports),
        control_port=options.control_port,
        authority_port=options.authority_port,
        role=BUILT_IN_ROLES.get(options.role),
        upstream=upstream_config(options),
        local_auth=not options.disable_local_auth,
        primary_key=options.access_key,
        secondary_key=options.secondary_access_key,
    )
    raise_open_file_limit()
    try:
        asyncio.run(_run(config, options.ca_file, options.federated_token_file))
    except PortUnavailableError as error:
        option = _PORT_OPTIONS[error.plane]
        sys.stderr.write(f"signalr-emulator: {error}. Choose another port with {option}.\n")
        return 1
    except FileUnavailableError as error:
        sys.stderr.write(f"signalr-emulator: {error}.\n")
        return 1
    return 0


async def _run(config: Config, ca_file: Path | None, federated_token_file: Path | None) -> None:
    certificate = ClientCertificate.generate()
    registration = replace(APP_REGISTRATION, certificate=certificate.certificate)
    config = replace(config, applications=(registration,))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # The event loop of Windows has no signal handlers of its own.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with running(config) as emulator:
        with credential_files(
            emulator.ca_certificate,
            certificate.pem,
            emulator.federated_token(registration),
            ca_file=ca_file,
            federated_token_file=federated_token_file,
        ) as files:
            sys.stdout.write(_greeting(emulator, registration, files))
            sys.stdout.flush()
            await stop.wait()


def _greeting(emulator: Emulator, registration: Application, files: CredentialFiles) -> str:
    settings = "".join(f"{name}={value}\n" for name, value in emulator.app_settings().items())
    services = "".join(f"SignalR service: {url}\n" for url in emulator.service_urls)
    return (
        f"{services}"
        f"Control plane:   {emulator.control_url}\n"
        f"\nApp settings:\n\n{settings}\n\n{_connection_strings(emulator)}"
        f"{_registration(emulator, registration, files)}\n{READY}\n"
    )


def _connection_strings(emulator: Emulator) -> str:
    # Indented, so that nobody takes them for app settings.
    lines = "".join(f"  {text}\n" for text in emulator.connection_strings())
    return f"Or, for an app with access keys:\n\n{lines}\n" if lines else ""


def _registration(emulator: Emulator, registration: Application, files: CredentialFiles) -> str:
    """Say how an app without a managed identity proves itself: once with each of three."""
    variables = {
        "AZURE_AUTHORITY_HOST": emulator.authority_url,
        "REQUESTS_CA_BUNDLE": files.ca_certificate,
        "AZURE_TENANT_ID": emulator.service.tenant.tenant_id,
        "AZURE_CLIENT_ID": registration.client_id,
        "AZURE_CLIENT_SECRET": registration.secret,
        "AZURE_CLIENT_CERTIFICATE_PATH": files.client_certificate,
        "AZURE_FEDERATED_TOKEN_FILE": files.federated_token,
    }
    # Comments, since programs read the lines of app settings, and these would take the place of
    # the managed identity.
    lines = "".join(f"  # {name}={value}\n" for name, value in variables.items())
    return f"  # Without managed identity, by secret, certificate or federated token:\n{lines}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signalr-emulator",
        description="Azure SignalR Service on this machine, with the managed identity, role"
        " assignments and temporary access keys that an app without connection strings needs.",
        epilog="It prints the settings of the app and then runs until Ctrl-C. Everything it keeps"
        " is in memory.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    defaults = Config()
    parser.add_argument("--host", default=defaults.host, help="address to listen on")
    parser.add_argument(
        "--service-port",
        "--service",
        dest="service_ports",
        action="append",
        type=_port,
        metavar="PORT",
        help="port of the SignalR service, 0 for any free one; given several times, each is a"
        f" SignalR resource of its own (default: {defaults.service_port}%(default).0s)",
    )
    parser.add_argument(
        "--control-port",
        type=_port,
        default=defaults.control_port,
        metavar="PORT",
        help="port of the identity endpoint and of /emulator, 0 for any free one",
    )
    parser.add_argument(
        "--authority-port",
        type=_port,
        default=defaults.authority_port,
        metavar="PORT",
        help="port of Entra's authority, over TLS, 0 for any free one",
    )
    parser.add_argument(
        "--ca-file",
        type=Path,
        metavar="PATH",
        help="file for the certificate that clients of the authority have to trust, with the app"
        " registration's certificate beside it (default: in a private folder; removed at the"
        " end%(default).0s)",
    )
    parser.add_argument(
        "--federated-token-file",
        type=Path,
        metavar="PATH",
        help="file for a token of workload identity federation (default: in a private folder;"
        " removed at the end%(default).0s)",
    )
    parser.add_argument(
        "--role",
        choices=[*BUILT_IN_ROLES, _NO_ROLE],
        default="SignalR Service Owner",
        metavar="ROLE",
        help="role of the app's identity at the SignalR resource, one of: "
        + ", ".join(BUILT_IN_ROLES)
        + f", {_NO_ROLE}",
    )
    add_upstream_options(parser)
    parser.add_argument(
        "--access-key",
        type=_access_key,
        default=defaults.primary_key,
        metavar="KEY",
        help="primary access key; further services have it with their number at its end",
    )
    parser.add_argument(
        "--secondary-access-key",
        type=_access_key,
        default=defaults.secondary_key,
        metavar="KEY",
        help="secondary access key",
    )
    parser.add_argument(
        "--disable-local-auth",
        action="store_true",
        help="refuse tokens that are signed with these keys, as a resource without local"
        " authentication does",
    )
    return parser


def _port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {_MAX_PORT}")
    return number


def _access_key(text: str) -> str:
    # A key has to be as long as the hash that it signs with (RFC 7518, section 3.2), and in a
    # connection string it ends at a semicolon.
    if len(text) < _MIN_KEY_LENGTH or not text.isascii() or not text.isprintable() or ";" in text:
        raise argparse.ArgumentTypeError(
            f"a key has {_MIN_KEY_LENGTH} or more printable ASCII characters and no semicolon"
        )
    return text
