"""Who makes client tokens."""

from enum import Enum

__all__ = ["TokenOrigin"]


class TokenOrigin(Enum):
    """Who makes client tokens."""

    ACCESS_KEY = "access-key"
    """This app, with the temporary access key, which takes no request. Needs the role *SignalR App
    Server* or *SignalR Service Owner*."""

    SERVICE = "service"
    """The service, which takes a request for each. Needs the role *SignalR REST API Owner* or
    *SignalR Service Owner*; tokens say who the user is and nothing else."""

    AUTO = "auto"
    """This app, or the service while this app may not have an access key."""
