"""What takes one item or a list: messages and group actions."""

from collections.abc import Sequence
from typing import Final

import azure.functions as func

from ...aio import SignalRServiceClient
from ...settings.hubs import Hubs
from .answers import answer
from .body import read_items
from .delivery import deliver
from .groups import GroupAction
from .items import Delivery, Item
from .messages import Message, arguments_as_written
from .parameters import ListParameters, read_parameters

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
        hub, messages = self._read(req, Message)
        written = arguments_as_written(req.get_body())
        pairs = zip(messages, written, strict=True)
        return await self._deliver(
            [message.delivery(hub, arguments) for message, arguments in pairs], _HALF_SENT
        )

    async def groups(self, req: func.HttpRequest) -> func.HttpResponse:
        """Do group actions."""
        hub, actions = self._read(req, GroupAction)
        return await self._deliver([each.delivery(hub) for each in actions], _HALF_DONE)

    def _read[T: Item](self, req: func.HttpRequest, item: type[T]) -> tuple[str, list[T]]:
        """Return the hub of items that name none, and the items."""
        asked = read_parameters(req, ListParameters, self._hubs, body=item)
        hubs = self._hubs._replace(default=asked.hub or "")
        return hubs.default, read_items(req.get_body(), item, hubs)

    async def _deliver(self, deliveries: Sequence[Delivery], partial: str) -> func.HttpResponse:
        return answer(await deliver(self._service, deliveries), partial)
