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
        invocation: From the invocation of a client's method to its delivery, as a network takes
            its time. An app server takes note of an invocation only after it has sent it
            (`ServiceLifetimeManager.InvokeConnectionAsync`), and waits in vain for an answer that
            was faster.
    """

    handshake: float = 15.0
    keep_alive: float = 5.0
    timeout: float = 30.0
    invocation: float = 0.05
