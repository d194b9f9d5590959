"""The arguments of the command."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from .sending import Recipient

__all__ = ["read_arguments"]

_EXIT: Final = """\
exit status: 0 done, and for listen Ctrl-C; 1 the service refuses or cannot be
reached; 2 wrong usage, or a setting is wrong; 130 send was interrupted.

The service is the one of --endpoint, asked with your own login (az login), or
the one of the settings of an app: environment, else local.settings.json here.
docs: roles.md says which role allows what."""

_EXAMPLES: Final = {
    "": """\
examples:
  keyless-signalr listen --hub chat
  keyless-signalr send --hub chat --all newMessage "Hello"
""",
    "listen": """\
examples:
  keyless-signalr listen --endpoint https://contoso.service.signalr.net --hub chat
  keyless-signalr listen --hub chat --user ann --group room1 --group room2
  keyless-signalr listen --hub chat --json | jq .arguments
""",
    "send": """\
examples:
  keyless-signalr send --hub chat --all newMessage "Hello"
  keyless-signalr send --hub chat --user ann order '{"pizza": 7}' 2 true
  keyless-signalr send --hub chat --group room1 --text code 007
""",
}


_VALUED: Final = ("--hub", "--user", "--group", "--connection")
"""Options whose values come from elsewhere."""

_OPTIONS: Final = (
    *_VALUED,
    "--endpoint",
    "--settings",
    "--json",
    "--all",
    "--text",
    "--help",
    "-h",
)

type _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  its only name


def read_arguments(arguments: Sequence[str] | None, version: str) -> argparse.Namespace:
    """Read the command line; wrong usage ends the process with status 2.

    Args:
        arguments: What comes after the command's name; `None` takes it from the process.
        version: What `--version` prints.
    """
    parser = argparse.ArgumentParser(
        prog="keyless-signalr",
        description="Hears what a hub of Azure SignalR Service sends, and sends to it, without an"
        " access key.",
        epilog=f"{_EXAMPLES['']}\n{_EXIT}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="listen|send")
    _add_listen(_command(commands, "listen", "print the messages of a hub, one a line"))
    _add_send(_command(commands, "send", "send one message"))
    given = sys.argv[1:] if arguments is None else arguments
    return parser.parse_args(_with_values(given))


def _with_values(arguments: Sequence[str]) -> list[str]:
    """Join options with their values, of which argparse would take one like `-x1` for an option.

    An id of a connection may begin so.
    """
    joined: list[str] = []
    for argument in arguments:
        option = joined[-1] if joined else ""
        if option in _VALUED and argument.startswith("-") and argument not in _OPTIONS:
            joined[-1] = f"{option}={argument}"
        else:
            joined.append(argument)
    return joined


def _command(commands: _Commands, name: str, about: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=about,
        description=f"{about.capitalize()}.",
        epilog=f"{_EXAMPLES[name]}\n{_EXIT}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--endpoint", metavar="URL", help="address of the service, asked with your own login"
    )
    source.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="settings file (default: that of the app here)",
    )
    parser.add_argument("--hub", help="name of the hub (default: that of the settings)")
    parser.add_argument("--json", action="store_true", help="print JSON on a terminal too")
    return parser


def _add_listen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", help="user id to connect as")
    parser.add_argument(
        "--group", action="append", default=[], dest="groups", help="group to join; repeatable"
    )


def _add_send(parser: argparse.ArgumentParser) -> None:
    recipient = parser.add_mutually_exclusive_group(required=True)
    everyone = Recipient("all", "")
    recipient.add_argument(
        "--all",
        action="store_const",
        const=everyone,
        dest="recipient",
        help="to everyone who is connected to the hub",
    )
    for kind in ("user", "group", "connection"):
        recipient.add_argument(
            f"--{kind}",
            type=partial(Recipient, kind),
            dest="recipient",
            metavar=kind.upper(),
            help=f"to one {kind}",
        )
    parser.add_argument("--text", action="store_true", help="take each ARG as text: 007, true")
    parser.add_argument("target", metavar="TARGET", help="the method that clients shall run")
    parser.add_argument(
        "arguments", metavar="ARG", nargs="*", help="an argument: JSON if it is JSON, else text"
    )
