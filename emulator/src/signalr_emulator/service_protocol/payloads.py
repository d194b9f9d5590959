"""What an ack brings besides its status: answers to `GroupMemberQuery` and about claims."""

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import ServiceMessageError
from .fields import Pairs, packed_claims, packed_length, packed_optional_text, packed_text

__all__ = ["Member", "write_claims", "write_group_page"]

_NIL = b"\xc0"


class Member(NamedTuple):
    """A connection in a group."""

    connection_id: str
    user_id: str | None


def write_group_page(members: Sequence[Member], continuation_token: str | None) -> bytes:
    """Write a page of a group's members.

    Raises:
        ServiceMessageError: An id or the token is no text that can be written.
    """
    try:
        written = (
            b"\x92" + packed_text(connection_id) + packed_optional_text(user_id)
            for connection_id, user_id in members
        )
        page = packed_length(len(members)) + b"".join(written)
        return b"\x92" + page + packed_optional_text(continuation_token)
    except ValueError as error:
        raise ServiceMessageError("GroupMemberQuery", "members", str(error)) from None


def write_claims(claims: Pairs[str]) -> bytes:
    """Write the claims of a connection, type and value of each; a type may come again.

    Raises:
        ServiceMessageError: One is no text that can be written.
    """
    try:
        return packed_claims(claims) if claims else _NIL
    except ValueError as error:
        raise ServiceMessageError("GetConnectionClaims", "claims", str(error)) from None
