"""What disturbs clients and app, at the control port: faults, keys and connections.

Source of the error bodies: RFC 9457.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from random import Random

from aiohttp import web

from signalr_emulator.client import Client
from signalr_emulator.errors import FaultError, FieldError, JsonError, Problem
from signalr_emulator.fault_document import parse_fault
from signalr_emulator.fault_middleware import OPERATION_NAMES
from signalr_emulator.faults import Armed
from signalr_emulator.json_text import Json, decode
from signalr_emulator.service import Service

__all__ = ["FaultRoutes"]

_FILTERS = ("hub", "userId", "connectionId")

type Handler = Callable[[web.Request], Awaitable[web.Response]]


class FaultRoutes:
    """Adds and clears faults, revokes keys and drops clients.

    Args:
        service: What is disturbed.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/emulator/faults", self._list),
            web.post("/emulator/faults", _checked(self._add)),
            web.delete("/emulator/faults", self._clear_all),
            web.delete("/emulator/faults/{id}", self._clear),
            web.post("/emulator/keys/{id}/revoke", self._revoke),
            web.post("/emulator/clients/drop", _checked(self._drop)),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        faults = [_described(armed) for armed in self._service.faults.all()]
        return web.json_response({"faults": faults})

    async def _add(self, request: web.Request) -> web.Response:
        fault = parse_fault(decode(await request.read()), OPERATION_NAMES)
        armed = self._service.faults.add(fault)
        return web.json_response(_described(armed), status=HTTPStatus.CREATED)

    async def _clear_all(self, _request: web.Request) -> web.Response:
        self._service.faults.clear_all()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _clear(self, request: web.Request) -> web.Response:
        if self._service.faults.clear(request.match_info["id"]):
            return web.Response(status=HTTPStatus.NO_CONTENT)
        return _problem(HTTPStatus.NOT_FOUND, "There is no such fault.")

    async def _revoke(self, request: web.Request) -> web.Response:
        key_id = request.match_info["id"]
        if any(resource.access_keys.revoke(key_id) for resource in self._service.resources):
            return web.Response(status=HTTPStatus.NO_CONTENT)
        return _problem(HTTPStatus.NOT_FOUND, "There is no such key.")

    async def _drop(self, request: web.Request) -> web.Response:
        body = await request.read()
        asked = decode(body) if body else {}
        if not isinstance(asked, dict):
            raise FaultError("#", "has to be an object")
        chosen = _chosen(self._clients(), asked)
        for client in chosen:
            client.drop()
        return web.json_response({"dropped": len(chosen)})

    def _clients(self) -> list[Client]:
        return [
            member
            for resource in self._service.resources
            for member in resource.hubs.members()
            if isinstance(member, Client)
        ]


def _chosen(clients: list[Client], asked: dict[str, Json]) -> list[Client]:
    for name in asked:
        if name not in {*_FILTERS, "share", "seed"}:
            raise FaultError(f"#/{name.replace('~', '~0').replace('/', '~1')}", "is unknown")
    for name in _FILTERS:
        if asked.get(name) is not None and not isinstance(asked[name], str):
            raise FaultError(f"#/{name}", "has to be a string")
    share, seed = asked.get("share", 1), asked.get("seed", 0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise FaultError("#/share", "has to be a number from 0 to 1")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise FaultError("#/seed", "has to be an integer")
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    hub = asked.get("hub")
    return [
        client
        for client in clients
        if (hub is None or (isinstance(hub, str) and client.hub == hub.lower()))
        and asked.get("userId") in {None, client.user_id}
        and asked.get("connectionId") in {None, client.connection_id}
        and random.random() < share
    ]


def _checked(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except JsonError as error:
            return _problem(
                HTTPStatus.BAD_REQUEST, f"The body {error}.", FieldError("#", str(error))
            )
        except FaultError as error:
            field = FieldError(error.pointer, error.detail)
            return _problem(HTTPStatus.BAD_REQUEST, str(error), field)

    return handle


def _described(armed: Armed) -> dict[str, Json]:
    fault = armed.fault
    return {
        "id": armed.fault_id,
        "action": fault.action.value,
        "operation": [*sorted(fault.operations)] or None,
        "method": fault.method,
        "path": fault.path,
        "port": fault.port,
        "status": fault.status,
        "headers": dict(fault.headers),
        "body": fault.body,
        "delay": fault.delay,
        "times": fault.times,
        "share": fault.share,
        "seed": fault.seed,
        "applied": armed.applied,
        "remaining": armed.remaining,
    }


def _problem(status: HTTPStatus, detail: str, *errors: FieldError) -> web.Response:
    problem = Problem(status, detail, errors)
    return web.json_response(
        problem.to_json(), status=status, content_type="application/problem+json"
    )
