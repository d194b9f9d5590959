"""The time limits of a server connection.

Source: what Microsoft.Azure.SignalR 1.34.0 keeps on its side; that the service has the same for a
silent server is an assumption.
"""

from dataclasses import dataclass

__all__ = ["ServerTiming"]


@dataclass(frozen=True, slots=True)
class ServerTiming:
    """Time limits of a server connection, in seconds.

    Attributes:
        handshake: From the connection of the WebSocket to the handshake.
        keep_alive: Between two pings of the service.
        timeout: Silence of the server after which it counts as gone.
    """

    handshake: float = 15.0
    keep_alive: float = 5.0
    timeout: float = 30.0
