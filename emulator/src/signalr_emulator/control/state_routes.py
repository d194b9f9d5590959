"""What a test asserts on, what role its app has, and how the next one begins."""

from http import HTTPStatus

from aiohttp import web

from ..access_control.filters import DefinitionFilter
from ..documents.fields import properties, text
from ..documents.json_text import Json, decode
from ..documents.problems import checked
from ..errors import DocumentError
from ..state.journal import SentMessage
from ..state.reset import reset
from ..state.service import Service

__all__ = ["StateRoutes"]

_ANY = DefinitionFilter()
_NO_ROLE = "none"
"""As `--role` has it."""


class StateRoutes:
    """Gives the messages that were sent and the app a role, and takes everything back to the start.

    Args:
        service: The state that it works on.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/emulator/messages", self._messages),
            web.put("/emulator/role", checked(self._give_role)),
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

    async def _give_role(self, request: web.Request) -> web.Response:
        """Give the app a role by its name, or `none`: `{"role": "SignalR App Server"}`."""
        name = text(properties(decode(await request.read()), ("role",)), "role")
        scope = self._service.first.config.resource_id
        roles = {each.name: each for each in self._service.roles.definitions(scope, _ANY)}
        if name not in {*roles, _NO_ROLE}:
            known = ", ".join((*roles, _NO_ROLE))
            raise DocumentError("#/role", f"has to be one of {known}")
        self._service.give_role(roles.get(name or _NO_ROLE))
        return web.Response(status=HTTPStatus.NO_CONTENT)

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
