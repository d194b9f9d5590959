"""Requests that wait for their acks, and what an ack says.

Source: Azure/azure-signalr, specs/ServiceProtocol.md and `AckHandler.cs`; statuses and what they
come to as Microsoft.Azure.SignalR 1.34.0 takes them.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from msgspec import Raw, Struct
from msgspec.msgpack import Decoder
from msgspec.structs import replace

from ..errors import (
    ConnectionNotFoundError,
    ConnectionUserMismatchError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
    UnexpectedResponseError,
)
from .items import Pairs, flat_map, pairs
from .messages import Ack
from .pending import Outcome, Pending
from .requests import (
    AckRequest,
    GetConnectionClaims,
    JoinGroupWithAck,
    LeaveGroupWithAck,
    RefreshAuth,
    UserJoinGroupWithAck,
    UserLeaveGroupWithAck,
)

__all__ = [
    "AckStatus",
    "Acks",
    "Answer",
    "GroupPage",
    "Member",
    "read_claims",
    "read_group_page",
]

_PATIENCE: Final = 10.0
"""Seconds within which an ack has to come."""

_LARGEST_ID: Final = (1 << 31) - 1

_NOTHING: Final = (b"", b"\xc0")

_MEMBERSHIP: Final = (
    JoinGroupWithAck,
    LeaveGroupWithAck,
    UserJoinGroupWithAck,
    UserLeaveGroupWithAck,
)
"""Here it is a success that nothing is found: who has gone is in no group."""

_AUTHENTICATION: Final = (RefreshAuth, GetConnectionClaims)
"""Here it is an error: nothing was renewed, and nothing is known."""


class AckStatus(IntEnum):
    """What became of a request."""

    OK = 1
    NOT_FOUND = 2
    TIMEOUT = 3
    INTERNAL_SERVER_ERROR = 4
    FORBIDDEN = 5


class Answer(NamedTuple):
    """What a request has come to.

    Args:
        found: Whether that is there which it is about: a connection, a user, a group, somebody in
            it. A membership is there when it was changed, or could not be.
        payload: What it asks for besides, in MessagePack.
    """

    found: bool
    payload: bytes = b""


class _Asked[W](NamedTuple):
    waiter: W
    request: AckRequest
    line: object


class Member(Struct, array_like=True, frozen=True):
    """A connection in a group, and its user if it has one."""

    connection_id: str
    user_id: str | None


class GroupPage(Struct, array_like=True, frozen=True):
    """A page of a group's members, and what asks for the next one, if there is one."""

    members: tuple[Member, ...]
    continuation_token: str | None


_page = Decoder(GroupPage).decode
_claims = Decoder(list[str | None]).decode


class Acks[W]:
    """The requests of all connections to one hub at one endpoint, of which ids are counted."""

    def __init__(self) -> None:
        self._last_id = 0
        self._pending: Pending[int, _Asked[W]] = Pending()

    @property
    def due(self) -> float:
        """When `overdue` is to be called, in seconds of a steady clock."""
        return self._pending.due

    def ask[R: AckRequest](self, request: R, waiter: W, *, line: object, now: float) -> R:
        """Wait for the ack of a request.

        Args:
            request: The request.
            waiter: Whoever wants to know; given back with the outcome.
            line: The connection that the request is written to.
            now: Seconds of a steady clock.

        Returns:
            The request with its id, as it is to be written.
        """
        self._last_id = self._last_id % _LARGEST_ID + 1
        while self._last_id in self._pending:
            self._last_id = self._last_id % _LARGEST_ID + 1
        self._pending.add(self._last_id, _Asked(waiter, request, line), now + _PATIENCE, now)
        return replace(request, ack_id=self._last_id)

    def forget(self, request: AckRequest) -> None:
        """Wait no more, since the request was not written or nobody wants to know.

        Args:
            request: What `ask` has returned.
        """
        self._pending.take(request.ack_id)

    def answered(self, ack: Ack) -> Outcome[W, Answer] | None:
        """Take an ack. Nobody waits for one that is late, or comes again."""
        asked = self._pending.take(ack.ack_id)
        return None if asked is None else Outcome(asked.waiter, _result(asked.request, ack))

    def overdue(self, now: float) -> list[Outcome[W, Answer]]:
        """Return the outcomes of requests whose acks have not come in time."""
        return _untold(self._pending.overdue(now), f"the service did not answer in {_PATIENCE:g} s")

    def lost(self, line: object) -> list[Outcome[W, Answer]]:
        """Return the outcomes of requests whose connection was lost before their acks came."""
        over = self._pending.take_where(lambda asked: asked.line == line)
        return _untold(over, "the server connection was lost")


def _untold[W](over: list[_Asked[W]], why: str) -> list[Outcome[W, Answer]]:
    text = f"{why}. It may have been done"
    return [
        Outcome(each.waiter, ServiceUnavailableError(f"{_name(each.request)}: {text}"))
        for each in over
    ]


def _result(request: AckRequest, ack: Ack) -> Answer | ServiceError:
    if ack.status == AckStatus.OK:
        return Answer(found=True, payload=ack.payload or b"")
    if ack.status == AckStatus.NOT_FOUND and not isinstance(request, _AUTHENTICATION):
        return Answer(found=isinstance(request, _MEMBERSHIP))
    return _failure(request, ack.status)


def _failure(request: AckRequest, status: int) -> ServiceError:
    name = _name(request)
    match status:
        case AckStatus.NOT_FOUND:
            return ConnectionNotFoundError(f"{name}: there is no such connection, or no longer")
        case AckStatus.TIMEOUT | AckStatus.INTERNAL_SERVER_ERROR:
            failed = f"{name}: the service failed with status {status}. It may have been done"
            return ServiceUnavailableError(failed)
        case AckStatus.FORBIDDEN if isinstance(request, RefreshAuth):
            return ConnectionUserMismatchError(f"{name}: the connection belongs to another user")
        case AckStatus.FORBIDDEN:
            return PermissionDeniedError(f"{name}: the service does not allow it")
        case _:
            return UnexpectedResponseError(f"{name}: the service answered with status {status}")


def _name(request: AckRequest) -> str:
    return type(request).__name__


def read_group_page(payload: bytes) -> GroupPage:
    """Return the page that answers a `GroupMemberQuery`.

    Raises:
        UnexpectedResponseError: It is no page.
    """
    try:
        return _page(payload)
    except (ValueError, RecursionError) as error:
        raise UnexpectedResponseError(f"An unreadable page of a group: {error}") from None


def read_claims(payload: bytes) -> Pairs[str]:
    """Return types and values of the claims that answer `RefreshAuth` and `GetConnectionClaims`.

    Raises:
        UnexpectedResponseError: They are no claims.
    """
    if payload in _NOTHING:
        return ()
    try:
        flat = _claims(flat_map(Raw(payload))[1])
    except (ValueError, RecursionError) as error:
        raise UnexpectedResponseError(f"Unreadable claims: {error}") from None
    if None in flat[::2]:
        raise UnexpectedResponseError("Unreadable claims: one has no type")
    return pairs([text or "" for text in flat])
