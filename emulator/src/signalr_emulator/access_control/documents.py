"""Role definitions and assignments as JSON documents of Resource Manager.

Source: Role Assignments and Role Definitions, REST reference of api-version 2022-04-01.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from ..documents.json_text import Json
from ..errors import ManagementError
from .roles import ROOT_SCOPE, Role, RoleAssignment
from .scopes import guid, subscription_of
from .store import Stamp

__all__ = [
    "assignment_document",
    "definition_document",
    "read_assignment",
    "read_definition",
    "read_role_id",
]

_PROVIDER = "Microsoft.Authorization"
_ROLE_ID = re.compile(
    r"(?:/.*)?/providers/microsoft\.authorization/roledefinitions/([^/]+)", re.IGNORECASE
)


def definition_document(role: Role, scope: str, stamp: Stamp) -> dict[str, Json]:
    """Give the document of a role definition.

    Args:
        role: The role.
        scope: Resource id of where it was asked for.
        stamp: When and by whom it was made.
    """
    return {
        "id": _role_id(role, scope),
        "name": role.role_id,
        "type": f"{_PROVIDER}/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": "CustomRole" if role.is_custom else "BuiltInRole",
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [
                {
                    "actions": list(role.actions),
                    "notActions": list(role.not_actions),
                    "dataActions": list(role.data_actions),
                    "notDataActions": list(role.not_data_actions),
                }
            ],
            **_dates(stamp),
        },
    }


def assignment_document(assignment: RoleAssignment, stamp: Stamp) -> dict[str, Json]:
    """Give the document of a role assignment.

    Args:
        assignment: The assignment.
        stamp: When and by whom it was made.
    """
    scope = assignment.scope.rstrip("/")
    return {
        "id": f"{scope}/providers/{_PROVIDER}/roleAssignments/{assignment.name}",
        "name": assignment.name,
        "type": f"{_PROVIDER}/roleAssignments",
        "properties": {
            "roleDefinitionId": _role_id(assignment.role, scope),
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "scope": scope or ROOT_SCOPE,
            "description": assignment.description or None,
            "condition": None,
            "conditionVersion": None,
            "delegatedManagedIdentityResourceId": None,
            **_dates(stamp),
        },
    }


def read_definition(document: Json, role_id: str) -> Role:
    """Read a custom role from what a client sends.

    Args:
        document: The request's body.
        role_id: GUID of the role.

    Raises:
        ManagementError: The body has not the shape of a role definition.
    """
    properties = _properties(document)
    if properties.get("type") not in {None, "", "CustomRole"}:
        raise _bad("properties.type has to be CustomRole.")
    permissions = properties.get("permissions")
    match permissions:
        case [dict() as permission]:
            pass
        case _:
            raise _bad("properties.permissions has to be an array of one object.")
    name = _text(properties, "roleName")
    if not name.strip():
        raise _bad("properties.roleName is missing.")
    return Role(
        role_id=role_id,
        name=name,
        data_actions=_texts(permission, "dataActions"),
        not_data_actions=_texts(permission, "notDataActions"),
        actions=_texts(permission, "actions"),
        not_actions=_texts(permission, "notActions"),
        description=_text(properties, "description"),
        assignable_scopes=_texts(properties, "assignableScopes"),
        is_custom=True,
    )


def read_role_id(document: Json) -> str:
    """Read the GUID of the role of an assignment that a client sends.

    Raises:
        ManagementError: The body has no resource id of a role definition.
    """
    found = _ROLE_ID.fullmatch(_text(_properties(document), "roleDefinitionId"))
    role_id = guid(found.group(1)) if found else None
    if role_id is None:
        raise _bad("properties.roleDefinitionId has to be the resource id of a role definition.")
    return role_id


def read_assignment(document: Json, role: Role, scope: str, name: str) -> RoleAssignment:
    """Read an assignment that a client sends.

    Args:
        document: The request's body.
        role: Its role, by the id from `read_role_id`.
        scope: Resource id, from the path.
        name: GUID, from the path.

    Raises:
        ManagementError: The body has not the shape of a role assignment, or has a condition.
    """
    properties = _properties(document)
    principal_id = guid(_text(properties, "principalId"))
    if principal_id is None:
        raise ManagementError(
            HTTPStatus.BAD_REQUEST, "InvalidPrincipalId", "The principal id has to be a GUID."
        )
    # Without what the condition says, the assignment would permit more than it should.
    if properties.get("condition"):
        raise _bad("Conditions are not supported.")
    return RoleAssignment(
        principal_id=principal_id,
        role=role,
        scope=scope,
        name=name,
        principal_type=_text(properties, "principalType") or "ServicePrincipal",
        description=_text(properties, "description"),
    )


def _role_id(role: Role, scope: str) -> str:
    return f"{subscription_of(scope)}/providers/{_PROVIDER}/roleDefinitions/{role.role_id}"


def _dates(stamp: Stamp) -> dict[str, Json]:
    return {
        "createdOn": datetime.fromtimestamp(stamp.created_on, UTC).isoformat(),
        "updatedOn": datetime.fromtimestamp(stamp.updated_on, UTC).isoformat(),
        "createdBy": stamp.created_by or None,
        "updatedBy": stamp.updated_by or None,
    }


def _properties(document: Json) -> Mapping[str, Json]:
    match document:
        case {"properties": dict() as properties}:
            return properties
    raise _bad("The body has no object properties.")


def _text(properties: Mapping[str, Json], name: str) -> str:
    value = properties.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _bad(f"{name} has to be a string.")
    return value


def _texts(properties: Mapping[str, Json], name: str) -> tuple[str, ...]:
    values = properties.get(name)
    if values is None:
        return ()
    texts = (
        [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    )
    if not isinstance(values, list) or len(texts) != len(values) or not all(texts):
        raise _bad(f"{name} has to be an array of strings.")
    return tuple(texts)


def _bad(message: str) -> ManagementError:
    return ManagementError(HTTPStatus.BAD_REQUEST, "InvalidRequestContent", message)
