"""The command `signalr-emulator`."""

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .configuration.document import Choices
from .configuration.options import read_options
from .entra.applications import Application
from .entra.credential_files import CredentialFiles, credential_files
from .errors import FileUnavailableError, PortUnavailableError, StateFolderError
from .http_log import show_requests
from .open_files import raise_open_file_limit
from .server import Emulator, running
from .state.keys import Keys

__all__ = ["READY", "main"]

READY = "Emulator ready."
"""The line that says that every port answers."""

if sys.platform == "win32":
    # The last one is what another process sends, as SIGTERM would end this one without a word.
    _ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
else:
    _ENDINGS = (signal.SIGINT, signal.SIGTERM)

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
        The exit code: 0 after an interrupt, 1 if a port cannot be listened on, a file not be
        written or the folder of the keys not be used.
    """
    choices = read_options(arguments)
    if choices.verbose:
        show_requests()
    raise_open_file_limit()
    try:
        keys = Keys.kept_in(choices.state_dir) if choices.state_dir else Keys.generate()
        asyncio.run(_run(choices, keys))
    except PortUnavailableError as error:
        option = _PORT_OPTIONS[error.plane]
        sys.stderr.write(f"signalr-emulator: {error}. Choose another port with {option}.\n")
        return 1
    except StateFolderError as error:
        sys.stderr.write(
            f"signalr-emulator: {error}. Choose another folder with --state-dir, for instance"
            " --state-dir .state, or none with --fresh.\n"
        )
        return 1
    except FileUnavailableError as error:
        sys.stderr.write(f"signalr-emulator: {error}.\n")
        return 1
    return 0


async def _run(choices: Choices, keys: Keys) -> None:
    registration, *others = choices.config.applications
    registration = replace(registration, certificate=keys.application.certificate)
    config = replace(choices.config, applications=(registration, *others))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _ENDINGS:
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # The event loop of Windows has no signal handlers of its own.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with running(config, signing_key=keys.tenant, seed=keys.seed) as emulator:
        with credential_files(
            emulator.ca_certificate,
            keys.application.pem,
            emulator.federated_token(registration),
            ca_file=choices.ca_file,
            federated_token_file=choices.federated_token_file,
        ) as files:
            sys.stdout.write(_greeting(emulator, registration, files))
            sys.stdout.flush()
            await stop.wait()


def _greeting(emulator: Emulator, registration: Application, files: CredentialFiles) -> str:
    trust = _trust(files) if emulator.service.config.tls else {}
    settings = _lines("", emulator.app_settings() | trust)
    services = "".join(f"SignalR service: {url}\n" for url in emulator.service_urls)
    return (
        f"{services}"
        f"Control plane:   {emulator.control_url}\n"
        f"\nApp settings:\n\n{settings}\n\n{_connection_strings(emulator)}"
        f"{_registration(emulator, registration, files)}\n{READY}\n"
    )


def _trust(files: CredentialFiles) -> dict[str, str]:
    """Say by which variables programs trust the emulator's certificate.

    Those of requests and so of an app in Python, of OpenSSL (also .NET and Go on Linux), of Node.
    """
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
    return dict.fromkeys(names, str(files.ca_certificate))


def _lines(mark: str, variables: Mapping[str, object]) -> str:
    return "".join(f"{mark}{name}={value}\n" for name, value in variables.items())


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
    lines = _lines("  # ", variables)
    return f"  # Without managed identity, by secret, certificate or federated token:\n{lines}"
