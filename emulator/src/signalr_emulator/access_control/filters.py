"""What `$filter` may say to Resource Manager when it lists roles or their assignments.

Sources: Role Assignments and Role Definitions, REST reference of api-version 2022-04-01; "List
Azure role assignments using the REST API".
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

from ..errors import ManagementError

__all__ = ["AssignmentFilter", "DefinitionFilter"]

_TEXT = r"'((?:[^']|'')*)'"
# An even number of quotes follows what is outside of a text.
_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*\Z)", re.IGNORECASE)
_AT_SCOPE = re.compile(r"atScope\(\)", re.IGNORECASE)
_AT_SCOPE_AND_BELOW = re.compile(r"atScopeAndBelow\(\)", re.IGNORECASE)
_PRINCIPAL = re.compile(rf"principalId\s+eq\s+(?:{_TEXT}|([0-9a-f-]+))", re.IGNORECASE)
_ASSIGNED_TO = re.compile(rf"assignedTo\(\s*{_TEXT}\s*\)", re.IGNORECASE)
_ROLE_NAME = re.compile(rf"roleName\s+eq\s+{_TEXT}", re.IGNORECASE)
_TYPE = re.compile(rf"type\s+eq\s+{_TEXT}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AssignmentFilter:
    """Which assignments are listed.

    Attributes:
        at_scope: Only those at the scope or above it, not those below.
        principal_id: Only those of this principal, unless None.
    """

    at_scope: bool = False
    principal_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a filter; an empty one lets everything through.

        Raises:
            ManagementError: It is none of those that are understood.
        """
        at_scope, principal_id = False, None
        for term in _terms(text):
            found = _PRINCIPAL.fullmatch(term) or _ASSIGNED_TO.fullmatch(term)
            if _AT_SCOPE.fullmatch(term):
                at_scope = True
            elif found and principal_id is None:
                principal_id = _value(found)
            else:
                raise _unsupported("atScope(), principalId eq '{id}' and assignedTo('{id}')")
        return cls(at_scope, principal_id)


@dataclass(frozen=True, slots=True)
class DefinitionFilter:
    """Which role definitions are listed.

    Attributes:
        below: Those that can be assigned only below the scope too.
        role_name: Only the one of this name, unless None.
        role_type: Only those of this type, BuiltInRole or CustomRole, unless None.
    """

    below: bool = False
    role_name: str | None = None
    role_type: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a filter; an empty one lets everything through.

        Raises:
            ManagementError: It is none of those that are understood.
        """
        below, role_name, role_type = False, None, None
        for term in _terms(text):
            if _AT_SCOPE_AND_BELOW.fullmatch(term):
                below = True
            elif found := _ROLE_NAME.fullmatch(term):
                role_name = _value(found)
            elif found := _TYPE.fullmatch(term):
                role_type = _value(found)
            elif not _AT_SCOPE.fullmatch(term):
                raise _unsupported("atScopeAndBelow(), roleName eq '{name}' and type eq '{type}'")
        return cls(below, role_name, role_type)


def _terms(text: str) -> list[str]:
    stripped = text.strip()
    return _AND.split(stripped) if stripped else []


def _value(found: re.Match[str]) -> str:
    text = next(group for group in found.groups() if group is not None)
    return text.replace("''", "'")


def _unsupported(supported: str) -> ManagementError:
    return ManagementError(
        HTTPStatus.BAD_REQUEST,
        "UnsupportedQuery",
        f"The filter is not supported. Supported are {supported}, joined by and.",
    )
