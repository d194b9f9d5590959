"""Who has which role: switched off and on, and chosen among those that there are."""

from http import HTTPStatus

from aiohttp import web

from ..access_control.filters import DefinitionFilter
from ..access_control.roles import Role, RoleAssignment
from ..documents.fields import Fields, boolean, properties, text
from ..documents.json_text import decode
from ..documents.problems import checked, problem
from ..errors import DocumentError, ManagementError
from ..state.service import Service

__all__ = ["RoleRoutes"]


class RoleRoutes:
    """Changes role assignments as a person thinks of them: by names.

    Args:
        service: Whose roles these are.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        assignments = "/emulator/role-assignments"
        return [
            web.post(assignments, checked(self._assign)),
            web.post(f"{assignments}/{{id}}", checked(self._change)),
        ]

    async def _assign(self, request: web.Request) -> web.Response:
        """Give a principal a role: `{"principalId": …, "role": name, "scope"?: resource id}`."""
        fields = properties(decode(await request.read()), ("principalId", "role", "scope"))
        principal_id = text(fields, "principalId")
        if not principal_id:
            raise DocumentError("#/principalId", "has to be the object id of a principal")
        scope = text(fields, "scope") or self._service.first.config.resource_id
        assignment = RoleAssignment(principal_id, self._role(fields), scope)
        try:
            self._service.roles.put_assignment(assignment, principal_id)
        except ManagementError as error:
            return problem(error.status, str(error))
        return web.json_response({"id": assignment.name}, status=HTTPStatus.CREATED)

    async def _change(self, request: web.Request) -> web.Response:
        """Switch an assignment, or let it give another role: `{"enabled": false, "role": name}`."""
        assignments = self._service.role_assignments
        chosen = [each for each in assignments.assignments if each.name == request.match_info["id"]]
        if not chosen:
            return problem(HTTPStatus.NOT_FOUND, "There is no such role assignment.")
        fields = properties(decode(await request.read()), ("enabled", "role"))
        # Both are read before either has an effect.
        role = self._role(fields) if "role" in fields else chosen[0].role
        is_on = assignments.is_on(chosen[0])
        if "role" not in fields or "enabled" in fields:
            is_on = boolean(fields, "enabled")
        assignments.change_role(chosen[0], role)
        assignments.switch(chosen[0], on=is_on)
        return web.json_response({"enabled": is_on, "role": role.name})

    def _role(self, fields: Fields) -> Role:
        wanted = text(fields, "role")
        roles = self._service.roles.definitions(
            self._service.first.config.resource_id, DefinitionFilter()
        )
        found = [role for role in roles if role.name == wanted]
        if not found:
            names = ", ".join(role.name for role in roles)
            raise DocumentError("#/role", f"has to be one of {names}")
        return found[0]
