"""What takes one item or a list: messages and group actions."""

from typing import Final

import azure.functions as func

from ...aio import SignalRServiceClient
from ...settings.hubs import Hubs
from .answers import answer
from .body import read_items
from .delivery import deliver
from .groups import GroupAction
from .items import Item
from .messages import Message
from .parameters import Parameters, read_parameters

__all__ = ["Lists"]

_HALF_SENT: Final = (
    "Clients at some of the app's SignalR services do not get the message. "
    "Sent again, it would reach the others twice."
)
_HALF_DONE: Final = (
    "Some of the app's SignalR services have not done it. It can be asked for again: "
    "what is done already does no harm."
)


class Lists:
    """Answers requests whose body is one item or a list.

    Args:
        service: Does what is asked.
        hubs: Which hubs there are.
    """

    def __init__(self, service: SignalRServiceClient, hubs: Hubs) -> None:
        self._service = service
        self._hubs = hubs

    async def broadcast(self, req: func.HttpRequest) -> func.HttpResponse:
        """Send messages."""
        return await self._deliver(req, Message, _HALF_SENT)

    async def groups(self, req: func.HttpRequest) -> func.HttpResponse:
        """Do group actions."""
        return await self._deliver(req, GroupAction, _HALF_DONE)

    async def _deliver(
        self, req: func.HttpRequest, item: type[Item], partial: str
    ) -> func.HttpResponse:
        asked = read_parameters(req, Parameters, self._hubs, body=item)
        items = read_items(req.get_body(), item, self._hubs)
        deliveries = [each.delivery(asked.hub) for each in items]
        return answer(await deliver(self._service, deliveries), partial)
