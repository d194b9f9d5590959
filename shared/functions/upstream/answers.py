"""What a call of the service leads to: a handler runs, and the client gets what came of it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import azure.functions as func

from ...aio import SignalRServiceClient
from ...bodies.content import MAX_MESSAGE_LENGTH
from ...errors import InvalidArgumentError
from ...settings.hubs import Hubs
from ...telemetry import log_fields
from ..events.arguments import ArgumentError, fill
from ..events.errors import ClientError
from ..events.event import Category, ConnectedEvent, DisconnectedEvent, Event, MessageEvent
from ..events.registry import Events, Handler
from ..problems import ProblemError
from .call import Call, read_call
from .hub_protocol import (
    Completion,
    HubProtocol,
    Invocation,
    MessageError,
    close_error,
    read_invocation,
)
from .json_protocol import JSON
from .messagepack_protocol import MESSAGEPACK

__all__ = ["Answerer"]

_logger = logging.getLogger(__name__)

_PROTOCOLS: Final = {each.content_type: each for each in (JSON, MESSAGEPACK)}


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers verified calls.

    Args:
        events: The handlers.
        service: What handlers send with.
        hubs: Which hubs there are.
    """

    events: Events
    service: SignalRServiceClient
    hubs: Hubs

    async def answer(self, req: func.HttpRequest) -> func.HttpResponse:
        """Run the handler of a call and return its answer.

        Args:
            req: A request that is known to come from the service.

        Raises:
            ProblemError: It cannot be read, or there is nobody to be told what went wrong.
        """
        call = read_call(req.route_params, req.headers, self.service.application)
        if not self.hubs.serves(call.client["hub"]):
            raise ProblemError(HTTPStatus.NOT_FOUND, "This app serves no such hub.")
        protocol = _protocol(req.headers)
        body = req.get_body()
        try:
            if call.category is Category.MESSAGES:
                return await self._message(call, protocol, body)
            return await self._connection(call, protocol, body)
        except MessageError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error

    async def _connection(
        self, call: Call, protocol: HubProtocol, body: bytes
    ) -> func.HttpResponse:
        _check_length(body)
        event = _connection_event(call, protocol, body)
        handler = self.events.handler(event.hub, call.category, call.event)
        if handler is not None:
            await self._run(handler, event)
        return func.HttpResponse(status_code=HTTPStatus.OK)

    async def _message(self, call: Call, protocol: HubProtocol, body: bytes) -> func.HttpResponse:
        invocation = read_invocation(protocol, body)
        if invocation.target.lower() != call.event.lower():
            raise MessageError("The target and the header X-ASRS-Event do not agree.")
        try:
            _check_length(body)
            result = await self._result(call, protocol, invocation)
            return _completed(protocol, invocation, result)
        except ProblemError as problem:
            if invocation.invocation_id is None:
                raise
            return _completed(protocol, invocation, error=problem.detail)

    async def _result(self, call: Call, protocol: HubProtocol, invocation: Invocation) -> object:
        if invocation.streams:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "This hub has no streams.")
        handler = self.events.handler(call.client["hub"], call.category, invocation.target)
        if handler is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, f"This hub has no method {invocation.target!r}."
            )
        try:
            arguments = fill(handler.parameters, invocation.arguments, protocol.read)
        except ArgumentError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
        event = MessageEvent(**call.client, target=invocation.target, arguments=arguments.given)
        return await self._run(handler, event, arguments.filled)

    async def _run(
        self, handler: Handler, event: Event, arguments: Sequence[object] = ()
    ) -> object:
        service = [self.service] if handler.parameters.service else []
        try:
            if handler.is_async:
                return await handler.function(event, *service, *arguments)
            return await asyncio.to_thread(handler.function, event, *arguments)
        except ClientError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, error.message) from error
        except Exception as error:
            _logger.exception(
                "The handler %s failed",
                handler.function.__qualname__,
                extra=log_fields(hub=event.hub),
            )
            raise _failed(error if isinstance(error, InvalidArgumentError) else None) from None


def _check_length(body: bytes) -> None:
    if len(body) > MAX_MESSAGE_LENGTH:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The message is {len(body)} bytes long; {MAX_MESSAGE_LENGTH} are accepted.",
        )


def _protocol(headers: Mapping[str, str]) -> HubProtocol:
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type not in _PROTOCOLS:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {' or '.join(_PROTOCOLS)}."
        )
    return _PROTOCOLS[media_type]


def _connection_event(call: Call, protocol: HubProtocol, body: bytes) -> Event:
    match call.event.lower():
        case "connected":
            return ConnectedEvent(**call.client)
        case "disconnected":
            error = close_error(protocol, body) if body else None
            return DisconnectedEvent(**call.client, error=error)
        case _:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such event.")


def _completed(
    protocol: HubProtocol, invocation: Invocation, result: object = None, error: str | None = None
) -> func.HttpResponse:
    if invocation.invocation_id is None:
        return func.HttpResponse(status_code=HTTPStatus.OK)
    try:
        body = protocol.encode(Completion(invocation.invocation_id, result, error))
    except InvalidArgumentError as refused:
        _logger.exception("The result of a handler for %r cannot be sent", invocation.target)
        raise _failed(refused) from None
    return func.HttpResponse(body, headers={"Content-Type": protocol.content_type})


def _failed(error: InvalidArgumentError | None = None) -> ProblemError:
    """Return what a client is told: of a value that the service does not take, what it is."""
    detail = "The method failed." if error is None else f"The method failed: {error}."
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
