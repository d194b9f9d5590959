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
        asked, messages = self._read(req, Message)
        written = arguments_as_written(req.get_body())
        pairs = zip(messages, written, strict=True)
        return await self._deliver(
            [message.delivery(asked.hub, arguments) for message, arguments in pairs], _HALF_SENT
        )

    async def groups(self, req: func.HttpRequest) -> func.HttpResponse:
        """Do group actions."""
        asked, actions = self._read(req, GroupAction)
        return await self._deliver([each.delivery(asked.hub) for each in actions], _HALF_DONE)

    def _read[T: Item](self, req: func.HttpRequest, item: type[T]) -> tuple[Parameters, list[T]]:
        asked = read_parameters(req, Parameters, self._hubs, body=item)
        return asked, read_items(req.get_body(), item, self._hubs)

    async def _deliver(self, deliveries: Sequence[Delivery], partial: str) -> func.HttpResponse:
        return answer(await deliver(self._service, deliveries), partial)
