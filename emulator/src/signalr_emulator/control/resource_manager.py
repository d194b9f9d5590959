"""Azure Resource Manager over aiohttp, as far as it manages roles.

Sources: Role Assignments and Role Definitions, REST reference of api-version 2022-04-01 (routes,
statuses); Azure Resource Manager's common error shape.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from ..access_control.documents import (
    assignment_document,
    definition_document,
    read_assignment,
    read_definition,
    read_role_id,
)
from ..access_control.filters import AssignmentFilter, DefinitionFilter
from ..access_control.roles import Role, RoleAssignment
from ..access_control.scopes import guid, level
from ..authentication.callers import bearer_token
from ..documents.json_text import Json, decode
from ..errors import AuthenticationError, JsonError, ManagementError
from ..state.service import Service

__all__ = ["API_VERSIONS", "ResourceManager"]

API_VERSIONS = (
    "2015-07-01",
    "2018-01-01-preview",
    "2018-09-01-preview",
    "2020-04-01-preview",
    "2020-10-01-preview",
    "2022-04-01",
    "2022-05-01-preview",
)
"""Versions that are taken; the answers have the shape of 2022-04-01."""

_AUDIENCES = frozenset(
    f"https://management.{domain}{slash}"
    for domain in ("azure.com", "core.windows.net")
    for slash in ("", "/")
)
_PATH = r"/{scope:(?:.*/)?}{provider:(?i:providers/microsoft\.authorization)}"
_ASSIGNMENTS = rf"{_PATH}/{{kind:(?i:roleassignments)}}"
_DEFINITIONS = rf"{_PATH}/{{kind:(?i:roledefinitions)}}"
_ACTIONS = {"GET": "read", "PUT": "write", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that was admitted.

    Attributes:
        caller: Principal id.
        scope: Resource id.
        name: GUID of the definition or assignment; empty if a list is asked for.
        filter: What `$filter` says.
        body: What was sent, unparsed.
    """

    caller: str
    scope: str
    name: str
    filter: str
    body: bytes

    @property
    def document(self) -> Json:
        """What was sent.

        Raises:
            ManagementError: It is not JSON.
        """
        try:
            return decode(self.body)
        except JsonError as error:
            raise ManagementError(
                HTTPStatus.BAD_REQUEST, "InvalidRequestContent", f"The body {error}."
            ) from error


class ResourceManager:
    """The routes that manage role definitions and role assignments.

    Args:
        service: The state that they work on.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._roles = service.roles

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of both kinds of document, at every scope."""
        table: tuple[tuple[str, str, Callable[[_Call], web.Response]], ...] = (
            ("GET", _ASSIGNMENTS, self._list_assignments),
            ("GET", f"{_ASSIGNMENTS}/{{name}}", self._get_assignment),
            ("PUT", f"{_ASSIGNMENTS}/{{name}}", self._put_assignment),
            ("DELETE", f"{_ASSIGNMENTS}/{{name}}", self._delete_assignment),
            ("GET", _DEFINITIONS, self._list_definitions),
            ("GET", f"{_DEFINITIONS}/{{name}}", self._get_definition),
            ("PUT", f"{_DEFINITIONS}/{{name}}", self._put_definition),
            ("DELETE", f"{_DEFINITIONS}/{{name}}", self._delete_definition),
        )
        return [
            web.route(method, path, self._admitting(handler)) for method, path, handler in table
        ]

    def _admitting(
        self, handler: Callable[[_Call], web.Response]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def admit(request: web.Request) -> web.Response:
            try:
                return handler(await self._call(request))
            except AuthenticationError as error:
                return self._unauthorized(error)
            except ManagementError as error:
                return _error(error)

        return admit

    async def _call(self, request: web.Request) -> _Call:
        caller = self._caller(request)
        scope = f"/{request.match_info['scope'].strip('/')}"
        self._check_operator(caller, request, scope)
        _check_api_version(request.query.get("api-version"))
        if level(scope) is None:
            raise ManagementError(
                HTTPStatus.BAD_REQUEST, "InvalidScope", "The path begins with no known scope."
            )
        return _Call(
            caller=caller,
            scope=scope,
            name=_name(request),
            filter=request.query.get("$filter", ""),
            body=await request.read(),
        )

    def _caller(self, request: web.Request) -> str:
        token = bearer_token(request.headers.get("Authorization"))
        if token is None or not token.isascii():
            raise AuthenticationError("The 'Authorization' header has no bearer token.")
        return self._service.tenant.validate(token, _AUDIENCES)

    def _check_operator(self, caller: str, request: web.Request, scope: str) -> None:
        operators = {operator.casefold() for operator in self._service.config.operators}
        if caller.casefold() in operators:
            return
        kind = "roleAssignments" if _is_about_assignments(request) else "roleDefinitions"
        action = f"Microsoft.Authorization/{kind}/{_ACTIONS[request.method]}"
        raise ManagementError(
            HTTPStatus.FORBIDDEN,
            "AuthorizationFailed",
            f"The client '{caller}' with object id '{caller}' does not have authorization to"
            f" perform action '{action}' over scope '{scope}'.",
        )

    def _list_assignments(self, call: _Call) -> web.Response:
        wanted = AssignmentFilter.parse(call.filter)
        found = self._roles.list_assignments(call.scope, wanted)
        return web.json_response({"value": [self._assignment(assignment) for assignment in found]})

    def _get_assignment(self, call: _Call) -> web.Response:
        return web.json_response(self._assignment(self._roles.assignment(call.scope, call.name)))

    def _put_assignment(self, call: _Call) -> web.Response:
        role = self._roles.known_definition(read_role_id(call.document))
        assignment = read_assignment(call.document, role, call.scope, call.name)
        is_new = self._roles.put_assignment(assignment, call.caller)
        return web.json_response(
            self._assignment(assignment), status=HTTPStatus.CREATED if is_new else HTTPStatus.OK
        )

    def _delete_assignment(self, call: _Call) -> web.Response:
        assignment = self._roles.find_assignment(call.scope, call.name)
        if assignment is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        document = self._assignment(assignment)
        self._roles.delete_assignment(assignment)
        return web.json_response(document)

    def _list_definitions(self, call: _Call) -> web.Response:
        found = self._roles.definitions(call.scope, DefinitionFilter.parse(call.filter))
        return web.json_response({"value": [self._definition(role, call) for role in found]})

    def _get_definition(self, call: _Call) -> web.Response:
        return web.json_response(self._definition(self._roles.definition(call.name), call))

    def _put_definition(self, call: _Call) -> web.Response:
        role = read_definition(call.document, call.name)
        self._roles.put_definition(role, call.caller)
        return web.json_response(self._definition(role, call), status=HTTPStatus.CREATED)

    def _delete_definition(self, call: _Call) -> web.Response:
        role = self._roles.find_definition(call.name)
        if role is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        document = self._definition(role, call)
        self._roles.delete_definition(role)
        return web.json_response(document)

    def _assignment(self, assignment: RoleAssignment) -> Json:
        return assignment_document(assignment, self._roles.stamp(assignment.name))

    def _definition(self, role: Role, call: _Call) -> Json:
        return definition_document(role, call.scope, self._roles.stamp(role.role_id))

    def _unauthorized(self, error: AuthenticationError) -> web.Response:
        authority = f"https://login.microsoftonline.com/{self._service.tenant.tenant_id}"
        answer = _error(
            ManagementError(HTTPStatus.UNAUTHORIZED, "AuthenticationFailed", str(error))
        )
        answer.headers["WWW-Authenticate"] = (
            f'Bearer authorization_uri="{authority}", error="invalid_token",'
            f' error_description="{error}"'
        )
        return answer


def _name(request: web.Request) -> str:
    text = request.match_info.get("name", "")
    name = guid(text)
    if text and name is None:
        what = "Assignment" if _is_about_assignments(request) else "Definition"
        raise ManagementError(
            HTTPStatus.BAD_REQUEST,
            f"InvalidRole{what}Id",
            f"The role {what.lower()} ID must be a GUID.",
        )
    return name or ""


def _is_about_assignments(request: web.Request) -> bool:
    return request.match_info["kind"].casefold() == "roleassignments"


def _check_api_version(version: str | None) -> None:
    if version is None:
        raise ManagementError(
            HTTPStatus.BAD_REQUEST,
            "MissingApiVersionParameter",
            "The query parameter api-version is required.",
        )
    if version.lower() not in API_VERSIONS:
        raise ManagementError(
            HTTPStatus.BAD_REQUEST,
            "InvalidApiVersionParameter",
            f"The api-version is invalid. The supported versions are {', '.join(API_VERSIONS)}.",
        )


def _error(error: ManagementError) -> web.Response:
    return web.json_response(
        {"error": {"code": error.code, "message": str(error)}},
        status=error.status,
    )
