"""Ports of this machine, which nobody else is to share."""

import itertools
import socket
import sys
from collections.abc import Collection
from typing import Any, Final

__all__ = ["LAST_PORT", "bind_alone", "free_port"]

LAST_PORT: Final = 65_535
_FIRST_UNPRIVILEGED: Final = 1024


def bind_alone(listener: socket.socket, address: Any) -> None:  # noqa: ANN401  as its family has it
    """Bind a socket to an address that nobody listens on.

    Raises:
        OSError: Somebody does, or it is no address of this machine.
        OverflowError: The port is none.
    """
    if sys.platform == "win32":
        # There the other option would share the port with whoever has it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        # A restart must not wait for connections of the previous run to time out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)


def free_port(host: str, port: int, taken: Collection[int]) -> int | None:
    """Return a port that nobody listens on, the next one above another where there is one.

    Args:
        host: An IPv4 address of this machine.
        port: The other one.
        taken: Ports that are left out.
    """
    first = port + 1 if 0 < port < LAST_PORT else _FIRST_UNPRIVILEGED
    for candidate in itertools.chain(range(first, LAST_PORT), range(_FIRST_UNPRIVILEGED, first)):
        if candidate in taken:
            continue
        with socket.socket() as probe:
            try:
                bind_alone(probe, (host, candidate))
            except OSError:
                continue
            return candidate
    return None
