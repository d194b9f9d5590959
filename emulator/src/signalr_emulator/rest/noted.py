"""What is noted with a request on its way, for the journal."""

from typing import Final

from aiohttp import web

from ..access_control.roles import RoleAssignment
from ..operations.table import Operation
from ..state.journal import SentMessage

__all__ = ["ALLOWED_BY", "BODY", "DATA_ACTION", "OPERATION", "PRINCIPAL_ID", "SENT"]

DATA_ACTION: Final = web.RequestKey("data_action", str)
"""What has to be permitted."""

PRINCIPAL_ID: Final = web.RequestKey("principal_id", str)
"""Who called."""

ALLOWED_BY: Final = web.RequestKey("allowed_by", RoleAssignment)
"""What gives the permission."""

OPERATION: Final = web.RequestKey("operation", Operation)
"""What is called."""

BODY: Final = web.RequestKey("body", bytes)
"""What came with it, once that has been read."""

SENT: Final = web.RequestKey("sent", list[SentMessage])
"""What it sent to clients."""
