"""What is noted with a request on its way, for the journal."""

from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from ..access_control.roles import RoleAssignment
from ..operations.table import DataAction, Operation
from ..state.journal import SentMessage

__all__ = ["NOTED", "Noted"]


@dataclass(slots=True)
class Noted:
    """What is known of a request so far.

    Attributes:
        operation: What is called, or None for what is none.
        data_action: What has to be permitted, or None where no permission is needed.
        principal_id: Who called, or None if that is not established.
        allowed_by: What gives the permission, or None.
        body: What came with it, once that has been read.
        messages: What it sent to clients.
    """

    operation: Operation | None = None
    data_action: DataAction | None = None
    principal_id: str | None = None
    allowed_by: RoleAssignment | None = None
    body: bytes = b""
    messages: list[SentMessage] = field(default_factory=list)


NOTED: Final = web.RequestKey("noted", Noted)
"""One object with the request, since each look at a request by a key takes a call or two."""
