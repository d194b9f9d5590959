"""The REST data plane over aiohttp: every operation of the table, admitted and carried out."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from signalr_emulator.errors import (
    AuthenticationError,
    ForbiddenError,
    InvalidRequestError,
    JsonError,
    NotExistedError,
    PayloadTooLargeError,
    RequestError,
    UnsupportedContentError,
)
from signalr_emulator.hubs import deliver
from signalr_emulator.operations import (
    ADD_CONNECTION_TO_GROUP,
    GET_ACCESS_KEY,
    GET_ACCESS_KEY_V1,
    OPERATIONS,
    REMOVE_CONNECTION_FROM_GROUP,
    SEND_TO_CONNECTION,
    SEND_TO_GROUP,
    SEND_TO_HUB,
    SEND_TO_USER,
    Operation,
)
from signalr_emulator.outgoing import Outgoing
from signalr_emulator.parameters import (
    MAX_BODY_BYTES,
    check_api_version,
    effective_hub,
    group_name,
    parse_payload,
)
from signalr_emulator.resource import Resource
from signalr_emulator.service import Service

__all__ = ["DATA_ACTION", "PRINCIPAL_ID", "RestApi", "unauthorized"]

DATA_ACTION = web.RequestKey("data_action", str)
"""What an operation requires, kept with its request for the journal."""

PRINCIPAL_ID = web.RequestKey("principal_id", str)
"""Who called, kept with the request for the journal."""

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CONNECTION_NOT_EXISTED = "Error.Connection.NotExisted"
_JSON = "application/json"


class RestApi:
    """The operations of the REST data plane.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that they work on.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._service = service
        self._resource = resource
        self._handlers: dict[Operation, Handler] = {
            GET_ACCESS_KEY_V1: self._get_access_key,
            GET_ACCESS_KEY: self._get_access_key,
            SEND_TO_HUB: self._send_to_hub,
            SEND_TO_USER: self._send_to_user,
            SEND_TO_GROUP: self._send_to_group,
            SEND_TO_CONNECTION: self._send_to_connection,
            ADD_CONNECTION_TO_GROUP: self._add_connection_to_group,
            REMOVE_CONNECTION_FROM_GROUP: self._remove_connection_from_group,
        }

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of every operation, and the health check, which needs no token."""
        operations = [
            web.route(operation.method, operation.path, self._admitting(operation))
            for operation in OPERATIONS
        ]
        return [web.route("HEAD", "/api/health", _health), *operations]

    def _admitting(self, operation: Operation) -> Handler:
        """Give an operation's handler behind everything that is checked before it runs."""
        handler = self._handlers[operation]

        async def admit(request: web.Request) -> web.StreamResponse:
            if operation in (GET_ACCESS_KEY, GET_ACCESS_KEY_V1):
                self._resource.activity.key_requests += 1
            try:
                self._admit(operation, request)
                return await handler(request)
            except AuthenticationError as error:
                return unauthorized(error)
            except RequestError as error:
                return _refused(error)

        return admit

    def _admit(self, operation: Operation, request: web.Request) -> None:
        request[DATA_ACTION] = operation.data_action
        caller = self._resource.authenticator.caller(request.headers.get("Authorization"))
        request[PRINCIPAL_ID] = caller.principal_id
        check_api_version(operation, request.query.get("api-version"))
        scope = self._resource.config.resource_id
        if not self._service.role_assignments.is_allowed(
            caller.principal_id, operation.data_action, scope
        ):
            raise ForbiddenError(
                f"The identity {caller.principal_id} lacks the data action"
                f" {operation.data_action} at {scope}. Please check your role assignments."
            )

    async def _get_access_key(self, _request: web.Request) -> web.Response:
        key = self._resource.access_keys.issue()
        return web.json_response({"AccessKey": key.secret, "KeyId": key.key_id})

    async def _send_to_hub(self, request: web.Request) -> web.Response:
        hub = _hub(request)
        message = await _message(request)
        deliver(message, self._resource.hubs.everyone(hub), _excluded(request))
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _send_to_user(self, request: web.Request) -> web.Response:
        hub = _hub(request)
        message = await _message(request)
        deliver(message, self._resource.hubs.user(hub, request.match_info["user"]))
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _send_to_group(self, request: web.Request) -> web.Response:
        hub, group = _hub(request), group_name(request.match_info["group"])
        message = await _message(request)
        deliver(message, self._resource.hubs.group(hub, group), _excluded(request))
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _send_to_connection(self, request: web.Request) -> web.Response:
        hub = _hub(request)
        message = await _message(request)
        deliver(message, self._resource.hubs.connection(hub, request.match_info["connection"]))
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _add_connection_to_group(self, request: web.Request) -> web.Response:
        hub, group = _hub(request), group_name(request.match_info["group"])
        if not self._resource.hubs.add_to_group(hub, group, request.match_info["connection"]):
            raise _no_connection()
        return web.Response()

    async def _remove_connection_from_group(self, request: web.Request) -> web.Response:
        hub, group = _hub(request), group_name(request.match_info["group"])
        if not self._resource.hubs.remove_from_group(hub, group, request.match_info["connection"]):
            raise _no_connection()
        return web.Response()


def unauthorized(error: AuthenticationError) -> web.Response:
    """Answer a request whose token is missing or not valid (RFC 6750, section 3)."""
    challenge = f'Bearer error="invalid_token", error_description="{error}"'
    return web.json_response(
        {"code": "Unauthorized", "message": str(error)},
        status=HTTPStatus.UNAUTHORIZED,
        headers={"WWW-Authenticate": challenge},
    )


def _refused(error: RequestError) -> web.Response:
    return web.json_response(
        error.error_detail(), status=error.status, headers={"x-ms-error-code": error.code}
    )


def _no_connection() -> NotExistedError:
    return NotExistedError("There is no such connection.", code=_CONNECTION_NOT_EXISTED)


async def _health(_request: web.Request) -> web.Response:
    return web.Response()


def _hub(request: web.Request) -> str:
    return effective_hub(request.match_info["hub"], request.query.get("application"))


def _excluded(request: web.Request) -> frozenset[str]:
    return frozenset(request.query.getall("excluded", ()))


async def _message(request: web.Request) -> Outgoing:
    if "Content-Type" in request.headers and request.content_type != _JSON:
        raise UnsupportedContentError(f"The payload has to be {_JSON}.", target="Content-Type")
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise PayloadTooLargeError(f"The body may have at most {MAX_BODY_BYTES} bytes.") from error
    try:
        return Outgoing(parse_payload(body))
    except JsonError as error:
        raise InvalidRequestError(f"The payload {error}.", target="arguments") from error
