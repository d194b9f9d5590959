"""The functions that take one item or a list: messages and group actions."""

from typing import Final

import azure.functions as func

from broadcast.answers import answer
from broadcast.body import read_items
from broadcast.delivery import deliver
from broadcast.groups import GroupAction
from broadcast.items import Item
from broadcast.messages import Message
from problems import http_function
from shared.aio import SignalRServiceClient
from shared.settings import Settings

__all__ = ["add_list_functions"]

_HALF_SENT: Final = (
    "Clients at some of the app's SignalR services do not get the message. "
    "Sent again, it would reach the others twice."
)
_HALF_DONE: Final = (
    "Some of the app's SignalR services have not done it. It can be asked for again: "
    "what is done already does no harm."
)


def add_list_functions(
    functions: func.Blueprint, service: SignalRServiceClient, settings: Settings
) -> None:
    """Add the functions that take lists.

    Args:
        functions: Where they belong.
        service: Does what is asked.
        settings: Which hubs there are.
    """

    def register(route: str, item: type[Item], partial: str) -> None:
        @http_function("POST")
        async def deliver_items(req: func.HttpRequest) -> func.HttpResponse:
            items = read_items(req.get_body(), item, settings)
            errands = [each.errand(settings.default_hub) for each in items]
            return answer(await deliver(service, errands), partial)

        routed = functions.route(route, auth_level=func.AuthLevel.FUNCTION)(deliver_items)
        functions.function_name(route)(routed)

    register("broadcast", Message, _HALF_SENT)
    register("groups", GroupAction, _HALF_DONE)
