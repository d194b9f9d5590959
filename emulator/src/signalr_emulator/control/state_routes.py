"""What a test asserts on, and how the next one begins: `/emulator/messages`, `/emulator/reset`."""

from http import HTTPStatus

from aiohttp import web

from ..documents.json_text import Json
from ..state.journal import SentMessage
from ..state.reset import reset
from ..state.service import Service

__all__ = ["StateRoutes"]


class StateRoutes:
    """Gives the messages that were sent, and takes everything back to the start.

    Args:
        service: The state that it works on.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/emulator/messages", self._messages),
            web.post("/emulator/reset", self._reset),
        ]

    async def _messages(self, _request: web.Request) -> web.Response:
        messages = self._service.journal.messages
        return web.json_response(
            {
                "messages": [_message(each) for each in [*messages][::-1]],
                "forgotten": messages.forgotten,
            }
        )

    async def _reset(self, _request: web.Request) -> web.Response:
        await reset(self._service)
        return web.Response(status=HTTPStatus.NO_CONTENT)


def _message(message: SentMessage) -> dict[str, Json]:
    to = message.recipients
    recipients: dict[str, Json] = {
        "kind": to.kind,
        "names": [*to.names],
        "excluded": [*sorted(to.excluded)],
        "excludedUsers": [*sorted(to.excluded_users)],
    }
    return {
        "at": message.time,
        "resource": message.resource,
        "sender": message.sender,
        "hub": message.hub,
        "target": message.target,
        "arguments": message.arguments(),
        "recipients": recipients,
        "connections": message.connections,
        "unserved": message.unserved,
        "tracingId": message.tracing_id,
    }
