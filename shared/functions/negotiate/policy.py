"""What a hub's policy decides: who may connect, and as what."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from ...aio import SignalRServiceClient
from ...keys.client_token import ClaimValue
from ..problems import ProblemError
from .caller import NO_CLAIMS, Caller

if TYPE_CHECKING:
    from ...keys.connection_options import ConnectionOptions
    from .request import NegotiateRequest

__all__ = ["Connection", "NotAllowedError", "Policy", "admit_as_settings_say"]


class NotAllowedError(ProblemError):
    """The caller may not connect to the hub: 403.

    Args:
        detail: What the caller is told.
    """

    def __init__(self, detail: str = "You may not connect to this hub.") -> None:
        super().__init__(HTTPStatus.FORBIDDEN, detail)


@dataclass(slots=True)
class Connection:
    """The connection that a caller gets. A policy may change it.

    Args:
        user_id: The user that it belongs to, or `None` for an anonymous one.
        claims: Claims of the client token.
        minutes_to_expire: Minutes for which the client may connect. The caller's own session and
            the access key end it sooner.
        options: How the service treats it.
        hub: Name of the hub that it is for, if another than the one that was asked for.
    """

    user_id: str | None = None
    claims: Mapping[str, ClaimValue] = NO_CLAIMS
    minutes_to_expire: float = 60.0
    options: "ConnectionOptions | None" = None
    hub: str | None = None


type Policy = (
    Callable[[Caller, str, Connection], Connection | Awaitable[Connection]]
    | Callable[[Caller, str, Connection, NegotiateRequest], Connection | Awaitable[Connection]]
    | Callable[[Caller, str, Connection, SignalRServiceClient], Awaitable[Connection]]
    | Callable[
        [Caller, str, Connection, NegotiateRequest, SignalRServiceClient],
        Connection | Awaitable[Connection],
    ]
)
"""Takes the caller, the hub's name in lower case ("" if none is named and there is no default one)
and the connection that the settings would give; returns the one that it gets, or raises
`NotAllowedError`. Parameters after these, by their annotations, are given the request and the
service client. A plain function or a coroutine function; the service client needs the latter.
"""


def admit_as_settings_say(caller: Caller, hub: str, connection: Connection) -> Connection:  # noqa: ARG001  a policy's own
    """Return the connection that the settings would give: the policy of an app without rules."""
    return connection
