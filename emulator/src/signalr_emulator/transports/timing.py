"""The time limits of a client connection.

Source: defaults of ASP.NET Core SignalR, which the service keeps; of `poll_idle`:
`MaxPollIntervalInSeconds` of the .NET SDK.
"""

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Time limits of a connection, in seconds.

    Attributes:
        connect: From negotiation to the connection of the transport.
        handshake: From the connection of the transport to the handshake.
        keep_alive: Between two pings of the service.
        client_timeout: Silence of the client after which it counts as gone.
        poll: How long a poll without news is held.
        poll_idle: From one poll to the next, after which the client counts as gone.
        reconnect: How long a client with stateful reconnect may stay away.
        linger: How long a closing transport may take to deliver what was sent.
        expiry_scan: Between two looks for clients whose authentication has expired.
    """

    connect: float = 15.0
    handshake: float = 15.0
    keep_alive: float = 15.0
    client_timeout: float = 30.0
    poll: float = 90.0
    poll_idle: float = 5.0
    reconnect: float = 15.0
    linger: float = 2.0
    expiry_scan: float = 1.0
