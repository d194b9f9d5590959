"""What an ack brings besides its status: answers to `GroupMemberQuery` and about claims."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.msgpack import encode

from ..errors import ServiceMessageError
from .fields import Pairs, claims_map, optional_text, required_text

__all__ = ["Member", "write_claims", "write_group_page"]


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
        page = [(required_text(member), optional_text(user)) for member, user in members]
        return encode((page, optional_text(continuation_token)))
    except ValueError as error:
        raise ServiceMessageError("GroupMemberQuery", "members", str(error)) from None


def write_claims(claims: Pairs[str]) -> bytes:
    """Write the claims of a connection, type and value of each; a type may come again.

    Raises:
        ServiceMessageError: One is no text that can be written.
    """
    try:
        return encode(claims_map(claims) if claims else None)
    except ValueError as error:
        raise ServiceMessageError("GetConnectionClaims", "claims", str(error)) from None
