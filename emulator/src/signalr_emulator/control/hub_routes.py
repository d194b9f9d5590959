"""What a person or a test does as an app would: sends, closes connections, changes groups."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from ..clients.hubs import Member, deliver_counted, disconnect
from ..documents.fields import Fields, properties, text
from ..documents.json_text import decode
from ..documents.problems import checked
from ..errors import DocumentError, RequestError
from ..operations.parameters import effective_hub, group_name
from ..operations.payloads import check_target, parse_payload
from ..state.journal import Recipients, SentMessage
from ..state.resource import Resource
from ..state.service import Service

__all__ = ["HubRoutes"]

_RECIPIENTS: Final = {"userId": "user", "groupName": "group", "connectionId": "connection"}
_ACTIONS: Final = ("add", "remove")

type _Members = Mapping[str, Member]


class HubRoutes:
    """Acts on the clients of a hub, without a token and whatever roles there are.

    Args:
        service: Whose clients these are.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.post("/emulator/messages", checked(self._send)),
            web.post("/emulator/clients/close", checked(self._close)),
            web.post("/emulator/groups", checked(self._change_group)),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        """Send a message to everybody of a hub, or to one user, group or connection."""
        body = await request.read()
        fields = properties(decode(body), ("hub", "resource", "target", "arguments", *_RECIPIENTS))
        resource, hub = self._resource(fields), _hub(fields)
        recipients, members = _recipients(resource, hub, fields)
        _check_message(fields)
        payload = parse_payload(body)
        served, unserved = deliver_counted(payload.written, members, frozenset())
        message = SentMessage(
            time=self._service.clock.now(),
            resource=resource.config.name,
            sender="inspector",
            hub=hub,
            recipients=recipients,
            target=payload.target,
            connections=served,
            unserved=unserved,
            written=payload.written,
            written_size=payload.size,
        )
        self._service.journal.sent(message)
        self._service.journal.happened(message)
        return web.json_response({"connections": served, "unserved": unserved})

    async def _close(self, request: web.Request) -> web.Response:
        """Close the connections of everybody in a hub, or of one user, group or connection."""
        fields = properties(
            decode(await request.read()), ("hub", "resource", "reason", *_RECIPIENTS)
        )
        resource, hub = self._resource(fields), _hub(fields)
        _, members = _recipients(resource, hub, fields)
        count, reason = len(members), text(fields, "reason")
        disconnect(members, reason)
        return web.json_response({"closed": count})

    async def _change_group(self, request: web.Request) -> web.Response:
        """Add a user or a connection to a group, or remove it."""
        fields = properties(
            decode(await request.read()),
            ("action", "hub", "resource", "groupName", "userId", "connectionId"),
        )
        resource, hub = self._resource(fields), _hub(fields)
        if (action := text(fields, "action")) not in _ACTIONS:
            raise DocumentError("#/action", f"has to be one of {', '.join(_ACTIONS)}")
        group = _group(fields)
        if group is None:
            raise DocumentError("#/groupName", "has to be the name of a group")
        connection_id, user_id = text(fields, "connectionId"), text(fields, "userId")
        if (connection_id is None) == (user_id is None):
            raise DocumentError("#/connectionId", "or userId has to be there, and not both")
        if user_id is not None:
            groups = resource.user_groups
            change = groups.add if action == "add" else groups.remove
            change(hub, user_id, group)
        elif connection_id is not None:
            if not resource.hubs.connection(hub, connection_id):
                raise DocumentError("#/connectionId", "is of no client that is connected")
            hubs = resource.hubs
            join = hubs.add_to_group if action == "add" else hubs.remove_from_group
            join(hub, group, connection_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _resource(self, fields: Fields) -> Resource:
        """Give the SignalR resource that is meant, by its name; the first one if none is named."""
        resources = {each.config.name: each for each in self._service.resources}
        name = text(fields, "resource")
        if name is None:
            return self._service.first
        if name not in resources:
            raise DocumentError("#/resource", f"has to be one of {', '.join(resources)}")
        return resources[name]


def _hub(fields: Fields) -> str:
    try:
        return effective_hub(text(fields, "hub") or "")
    except RequestError as error:
        raise DocumentError("#/hub", f"has to be the name of a hub: {error.message}") from error


def _group(fields: Fields) -> str | None:
    name = text(fields, "groupName")
    try:
        return None if name is None else group_name(name)
    except RequestError as error:
        raise DocumentError("#/groupName", f"has to be a name: {error.message}") from error


def _recipients(resource: Resource, hub: str, fields: Fields) -> tuple[Recipients, _Members]:
    """Give who is meant, in words and as members of the hub."""
    named = {name: value for name in _RECIPIENTS if (value := text(fields, name)) is not None}
    if not named:
        return Recipients("all"), resource.hubs.everyone(hub)
    if len(named) > 1:
        first, second, *_ = named
        raise DocumentError(f"#/{second}", f"cannot be there together with {first}")
    ((name, value),) = named.items()
    find = {
        "userId": resource.hubs.user,
        "groupName": resource.hubs.group,
        "connectionId": resource.hubs.connection,
    }
    if name == "groupName":
        value = _group(fields) or value
    resource.user_groups.expire()
    return Recipients(_RECIPIENTS[name], (value,)), find[name](hub, value)


def _check_message(fields: Fields) -> None:
    try:
        check_target(fields.get("target"))
    except RequestError as error:
        raise DocumentError("#/target", "has to be a string that is not empty") from error
    if not isinstance(fields.get("arguments", []), list):
        raise DocumentError("#/arguments", 'has to be an array, for instance ["Hello", 1]')
