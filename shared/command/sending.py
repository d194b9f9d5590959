"""`keyless-signalr send`: one message, by the REST API."""

import json
from typing import NamedTuple

from ..client import SignalRServiceClient

__all__ = ["Recipient", "parse_argument", "send"]


class Recipient(NamedTuple):
    """Who a message is for.

    Args:
        kind: `all`, `user`, `group` or `connection`.
        name: Its name, or "" for everyone.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return "everyone" if self.kind == "all" else f"{self.kind} {self.name}"


def send(
    service: SignalRServiceClient,
    hub: str,
    recipient: Recipient,
    target: str,
    arguments: list[object],
) -> None:
    """Send a message.

    Args:
        service: The service client.
        hub: Name of the hub.
        recipient: Who it is for.
        target: Name of the method that clients shall run.
        arguments: Its arguments.

    Raises:
        SignalRError: As `SignalRServiceClient.send_to_all`.
    """
    match recipient:
        case Recipient("user", name):
            service.send_to_user(hub, name, target, arguments)
        case Recipient("group", name):
            service.send_to_group(hub, name, target, arguments)
        case Recipient("connection", name):
            service.send_to_connection(hub, name, target, arguments)
        case _:
            service.send_to_all(hub, target, arguments)


def parse_argument(text: str) -> object:
    """Return what JSON says, or the text itself where it is none."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> object:
    """Refuse NaN and the infinities, which Python reads and JSON does not have."""
    raise ValueError(constant)
