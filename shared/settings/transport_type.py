"""How messages reach the service."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from .description import Setting

__all__ = ["TRANSPORT_TYPE", "TransportType", "read_transport_type"]


class TransportType(Enum):
    """How messages reach the service: the types of the SDK for .NET."""

    TRANSIENT = "Transient"
    """Each is a request of the REST API."""

    PERSISTENT = "Persistent"
    """They go by server connections that stay up. Needs the extra `persistent`, and the role
    *SignalR App Server* or *SignalR Service Owner*."""


TRANSPORT_TYPE: Final = Setting(
    "AzureSignalRServiceTransportType",
    "`Transient`: each message is a request of the REST API; `Persistent`: they go by"
    " [server connections](sending-by-server-connection.md#in-the-function-app) that stay up, for"
    " hosts that live long",
    TransportType.PERSISTENT.value,
    f"`{TransportType.TRANSIENT.value}`",
)


def read_transport_type(environment: Mapping[str, str]) -> TransportType:
    """Read how messages reach the service.

    Args:
        environment: Names and values, as in `os.environ`.

    Raises:
        SettingsError: It is no transport type.
    """
    value = TRANSPORT_TYPE.read(environment) or TransportType.TRANSIENT.value
    for each in TransportType:
        if each.value.lower() == value.lower():
            return each
    known = " or ".join(repr(each.value) for each in TransportType)
    raise TRANSPORT_TYPE.error(f"is {value!r}, and can be {known}")
