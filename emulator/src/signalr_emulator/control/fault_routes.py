"""What disturbs clients and app, at the control port: faults, and keys that end."""

from http import HTTPStatus

from aiohttp import web

from ..documents.json_text import Json, decode
from ..documents.problems import checked, problem
from ..faults.document import parse_fault
from ..faults.middleware import OPERATION_NAMES
from ..faults.rules import Armed
from ..state.service import Service

__all__ = ["FaultRoutes"]


class FaultRoutes:
    """Adds and clears faults, and revokes keys.

    Args:
        service: What is disturbed.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/emulator/faults", self._list),
            web.post("/emulator/faults", checked(self._add)),
            web.delete("/emulator/faults", self._clear_all),
            web.delete("/emulator/faults/{id}", self._clear),
            web.post("/emulator/keys/{id}/revoke", self._revoke),
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
        return problem(HTTPStatus.NOT_FOUND, "There is no such fault.")

    async def _revoke(self, request: web.Request) -> web.Response:
        key_id = request.match_info["id"]
        if any(resource.access_keys.revoke(key_id) for resource in self._service.resources):
            return web.Response(status=HTTPStatus.NO_CONTENT)
        return problem(HTTPStatus.NOT_FOUND, "There is no such key.")


def _described(armed: Armed) -> dict[str, Json]:
    fault = armed.fault
    return {
        "id": armed.fault_id,
        "action": fault.action.value,
        "operation": [*sorted(fault.operations)] or None,
        "method": fault.method,
        "path": fault.path,
        "port": fault.port,
        "hub": fault.hub,
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
