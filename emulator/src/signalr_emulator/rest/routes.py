"""The REST data plane over aiohttp: every operation of the table, admitted and carried out."""

from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from ..errors import AuthenticationError, RequestError
from ..operations.errors import error_response, unauthorized
from ..operations.parameters import check_api_version
from ..operations.payloads import Payload
from ..operations.table import (
    HEALTH_PATHS,
    OPERATIONS,
    PREFIX,
    READS,
    DataAction,
    Operation,
    Task,
)
from ..state.journal import Recipients, Request, SentMessage
from ..state.resource import Resource
from ..state.service import Service
from .authentication import AuthenticationOperations, ConnectionAuthentication
from .call import Call, Handler
from .callers import Callers
from .members import MemberOperations
from .messages import MessageOperations
from .noted import NOTED
from .path_tree import PathTree
from .tokens import ClientTokens, TokenOperations

__all__ = ["RestApi"]

type RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RestApi:
    """The operations of the REST data plane.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that they work on.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._service = service
        self._resource = resource
        self._callers = Callers(service, resource)
        tokens = ClientTokens(service, resource)
        self._handlers: dict[Task, Handler] = {
            **TokenOperations(resource, tokens).handlers(),
            **MessageOperations(
                resource,
                permit=self._permit,
                sent=self._sent,
                invocation_timeout=service.config.invocation_timeout,
            ).handlers(),
            **MemberOperations(resource).handlers(),
            **AuthenticationOperations(
                ConnectionAuthentication(service, resource, tokens)
            ).handlers(),
        }

    def paths(self) -> web.AbstractResource:
        """Give the paths of every operation, and of the health check, which needs no token."""
        resources: dict[str, web.Resource] = {}
        for method, path, handler in self._routes():
            resources.setdefault(path, web.DynamicResource(path)).add_route(method, handler)
        return PathTree(PREFIX, resources.values())

    def _routes(self) -> Iterator[tuple[str, str, RequestHandler]]:
        for path in HEALTH_PATHS:
            for method in READS:
                yield method, path, _health
        for operation in OPERATIONS:
            yield operation.method, operation.path, self._admitting(operation)

    def _admitting(self, operation: Operation) -> RequestHandler:
        """Give an operation's handler behind everything that is checked before it runs."""
        handler = self._handlers[operation.task]

        async def admit(request: web.Request) -> web.StreamResponse:
            if operation.task is Task.GET_ACCESS_KEY:
                self._resource.activity.key_requests += 1
            try:
                call = self._admit(operation, request)
                self._resource.user_groups.expire()
                response = await handler(call)
            except AuthenticationError as error:
                return unauthorized(error)
            except RequestError as error:
                return error_response(error)
            return web.Response(status=operation.success) if response is None else response

        return admit

    def _admit(self, operation: Operation, request: web.Request) -> Call:
        noted = request[NOTED] = Request()
        noted.operation = operation.task.value
        noted.data_action = operation.data_action
        noted.query = request.rel_url.raw_query_string
        call = Call(request, operation, self._callers.of(request, noted), noted)
        check_api_version(operation, call.parameter("api-version"))
        if operation.data_action is not None:
            self._permit(call, operation.data_action)
        return call

    def _sent(
        self,
        call: Call,
        hub: str,
        recipients: Recipients,
        payload: Payload,
        counted: tuple[int, int],
    ) -> None:
        connections, unserved = counted
        message = SentMessage(  # by names, it would take three times as long
            self._service.clock.now(),
            self._resource.config.name,
            "rest",
            hub,
            recipients,
            payload.target,
            connections,
            unserved,
            call.tracing_id,
            payload.written,
            payload.size,
        )
        self._service.journal.sent(message)
        call.noted.messages.append(message)

    def _permit(self, call: Call, data_action: DataAction) -> None:
        giving = self._callers.permit(call.caller, data_action)
        if giving is not None:
            call.noted.allowed_by = giving


async def _health(_request: web.Request) -> web.Response:
    return web.Response()
