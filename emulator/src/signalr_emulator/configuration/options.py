"""The options of the command, and the configuration file that they may name."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Never

from ..access_control.roles import BUILT_IN_ROLES
from ..admission.rules import host_name
from ..errors import ConfigFileError
from .document import Choices
from .file import read_config_file
from .schema import schema_text
from .service_mode import ServiceMode
from .settings import Config, FurtherService
from .upstream_options import add_upstream_options, upstream_config

__all__ = ["read_options"]

_DISTRIBUTION = "signalr-emulator"
_NO_ROLE = "none"
_MAX_PORT = 65535
_MIN_KEY_LENGTH = 32


def read_options(arguments: Sequence[str] | None) -> Choices:
    """Give what is chosen: by an option, else by the configuration file, else by default.

    Args:
        arguments: What comes after the command's name; None takes it from the process.

    Raises:
        SystemExit: Something in it is wrong (status 2), or all that was wanted is printed (0).
    """
    choices = Choices()
    parser = _parser(choices)
    options = parser.parse_args(arguments)
    if options.config is not None:
        try:
            choices = read_config_file(options.config)
        except ConfigFileError as error:
            parser.exit(2, f"{parser.prog}: {error}\n")
        # Once more, with what the file chooses in place of the defaults.
        options = _parser(choices).parse_args(arguments)
    return Choices(
        config=_config(options, choices.config),
        ca_file=options.ca_file,
        federated_token_file=options.federated_token_file,
        state_dir=options.state_dir,
        verbose=options.verbose,
    )


def _config(options: argparse.Namespace, defaults: Config) -> Config:
    config = replace(
        defaults,
        host=options.host,
        host_names=frozenset(options.host_names) or defaults.host_names,
        control_port=options.control_port,
        authority_port=options.authority_port,
        tls=options.tls,
        role=BUILT_IN_ROLES.get(options.role),
        service_mode=ServiceMode(options.service_mode),
        authentication_refresh=options.authentication_refresh,
        allowed_origins=_origins(options.allowed_origins) or defaults.allowed_origins,
        upstream=upstream_config(options, defaults.upstream),
        local_auth=not options.disable_local_auth,
        primary_key=options.access_key,
        secondary_key=options.secondary_access_key,
    )
    return _with_ports(config, options.service_ports) if options.service_ports else config


def _with_ports(config: Config, ports: Sequence[int]) -> Config:
    """Put ports in the place of others; the services that are left keep their names."""
    first, *further = ports
    names = [each.name for each in config.further_services][: len(further)]
    return replace(
        config,
        service_port=first,
        further_services=tuple(
            FurtherService(port, name) for port, name in zip_longest(further, names)
        ),
    )


class _PrintSchema(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> Never:
        sys.stdout.write(schema_text())
        parser.exit()


class _PrintVersion(argparse.Action):
    # argparse's own would read the metadata at each start.
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> Never:
        sys.stdout.write(f"{_DISTRIBUTION} {version(_DISTRIBUTION)}\n")
        parser.exit()


def _parser(choices: Choices) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_DISTRIBUTION,
        description="Azure SignalR Service on this machine, with the managed identity, role"
        " assignments and temporary access keys that an app without connection strings needs.",
        epilog="It prints the settings of the app and then runs until Ctrl-C. What it keeps is in"
        " memory, but for its keys.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action=_PrintVersion,
        nargs=0,
        default=argparse.SUPPRESS,
        help="print name and version and exit",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="write a line for each request to stderr, without its query%(default).0s",
    )
    _add_files(parser, choices)
    _add_addresses(parser, choices.config)
    _add_rules(parser, choices.config)
    add_upstream_options(parser, choices.config.upstream)
    _add_access_keys(parser, choices.config)
    return parser


def _add_files(parser: argparse.ArgumentParser, choices: Choices) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration file in JSON, or in TOML if its name ends with .toml; an option wins"
        " over the file, and the file over the defaults%(default).0s",
    )
    parser.add_argument(
        "--print-config-schema",
        action=_PrintSchema,
        nargs=0,
        default=argparse.SUPPRESS,
        help="print the JSON Schema of configuration files and exit",
    )
    parser.add_argument(
        "--ca-file",
        type=Path,
        default=choices.ca_file,
        metavar="PATH",
        help="file for the certificate that clients of the authority, and with --tls those of the"
        " service, have to trust, with the app registration's certificate beside it (default: in a"
        " private folder; removed at the end%(default).0s)",
    )
    parser.add_argument(
        "--federated-token-file",
        type=Path,
        default=choices.federated_token_file,
        metavar="PATH",
        help="file for a token of workload identity federation (default: in a private folder;"
        " removed at the end%(default).0s)",
    )

    parser.add_argument(
        "--state-dir",
        type=Path,
        default=choices.state_dir,
        metavar="PATH",
        help="folder of the keys, for its owner alone: tokens and access keys stay valid when the"
        " emulator is started again",
    )
    parser.add_argument(
        "--fresh",
        dest="state_dir",
        action="store_const",
        const=None,
        default=choices.state_dir,
        help="make all keys new, and keep none%(default).0s",
    )


def _add_addresses(parser: argparse.ArgumentParser, defaults: Config) -> None:
    parser.add_argument("--host", default=defaults.host, help="address to listen on")
    parser.add_argument(
        "--host-name",
        dest="host_names",
        action="append",
        type=_host_name,
        default=[],
        metavar="NAME",
        help="host name by which the emulator is called, beside addresses of this machine; may be"
        " given several times. Requests to other names are refused"
        f" (default: {' '.join(sorted(defaults.host_names)) or 'none'}%(default).0s)",
    )
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
        "--tls",
        action=argparse.BooleanOptionalAction,
        default=defaults.tls,
        help="speak TLS on the ports of the SignalR service too, with the authority's certificate",
    )


def _add_rules(parser: argparse.ArgumentParser, defaults: Config) -> None:
    parser.add_argument(
        "--role",
        choices=[*BUILT_IN_ROLES, _NO_ROLE],
        default=defaults.role.name if defaults.role else _NO_ROLE,
        metavar="ROLE",
        help="role of the app's identity at the SignalR resource, one of: "
        + ", ".join(BUILT_IN_ROLES)
        + f", {_NO_ROLE}",
    )
    parser.add_argument(
        "--service-mode",
        choices=[mode.value for mode in ServiceMode],
        default=defaults.service_mode.value,
        help="who answers the clients of the SignalR resource: upstreams; in Default app servers,"
        " without which every handshake is refused; in Classic the app servers of a hub that has"
        " any, else upstreams",
    )
    parser.add_argument(
        "--authentication-refresh",
        action=argparse.BooleanOptionalAction,
        default=defaults.authentication_refresh,
        help="let an app refresh the authentication of a connection; without it, the service knows"
        " no connection to refresh",
    )
    parser.add_argument(
        "--allowed-origin",
        dest="allowed_origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin whose web pages may connect, loopback for those of this machine, or * for any;"
        " may be given several times"
        f" (default: {' '.join(sorted(defaults.allowed_origins))}%(default).0s)",
    )


def _add_access_keys(parser: argparse.ArgumentParser, defaults: Config) -> None:
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
        action=argparse.BooleanOptionalAction,
        default=not defaults.local_auth,
        help="refuse tokens that are signed with these keys, as a resource without local"
        " authentication does",
    )


def _origins(texts: Sequence[str]) -> frozenset[str]:
    return frozenset(text.lower().rstrip("/") for text in texts)


def _host_name(text: str) -> str:
    try:
        return host_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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
