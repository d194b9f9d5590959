"""The roles of the tenant and who has them, with the rules by which both may change.

Sources: Role Assignments and Role Definitions, REST reference of api-version 2022-04-01;
"Troubleshoot Azure RBAC" (error codes). docs/fidelity.md lists the codes that no document names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from ..clock import Clock
from ..errors import ManagementError
from .filters import AssignmentFilter, DefinitionFilter
from .roles import (
    BUILT_IN_ROLES,
    Role,
    RoleAssignment,
    RoleAssignments,
)
from .rules import check_custom_role, invalid_role
from .scopes import Level, level

__all__ = ["RoleStore", "Stamp"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """When and by whom something was made and changed.

    Attributes:
        created_on: Seconds since the epoch, on the emulator's clock.
        updated_on: Seconds since the epoch, on the emulator's clock.
        created_by: Principal id; empty for what was there at the start.
        updated_by: Principal id; empty for what was there at the start.
    """

    created_on: float
    updated_on: float
    created_by: str = ""
    updated_by: str = ""


@dataclass(slots=True)
class RoleStore:
    """Role definitions and assignments as Resource Manager keeps them.

    Attributes:
        clock: Dates what is made.
        assignments: Who has which role where; decides on the data plane too.
    """

    clock: Clock
    assignments: RoleAssignments
    _custom: dict[str, Role] = field(default_factory=dict)
    _stamps: dict[str, Stamp] = field(default_factory=dict)
    _start: Stamp = field(init=False)
    _first: tuple[RoleAssignment, ...] = field(init=False)

    def __post_init__(self) -> None:
        now = self.clock.now()
        self._start = Stamp(now, now)
        self._first = tuple(self.assignments.assignments)
        self._know_custom_roles()

    def reset(self) -> None:
        """Give everybody the roles back that they had at the start, and nobody any other."""
        self.assign_only(self._first)
        self._custom.clear()
        self._know_custom_roles()

    def assign_only(self, assignments: Iterable[RoleAssignment]) -> None:
        """Put assignments in place of all that there are."""
        for assignment in [*self.assignments.assignments]:
            self.assignments.remove(assignment)
        self.assignments.assignments += assignments
        self._stamps.clear()

    def _know_custom_roles(self) -> None:
        for role in [assignment.role for assignment in self.assignments.assignments]:
            if role not in BUILT_IN_ROLES.values():
                self._custom[role.role_id.casefold()] = replace(role, is_custom=True)

    def stamp(self, guid: str) -> Stamp:
        """Tell when and by whom a definition or assignment was made, by its GUID."""
        return self._stamps.get(guid.casefold(), self._start)

    def find_definition(self, role_id: str) -> Role | None:
        """Give a role by its GUID, or None."""
        return next((role for role in self._definitions() if _same(role.role_id, role_id)), None)

    def definition(self, role_id: str) -> Role:
        """Give a role by its GUID.

        Raises:
            ManagementError: There is none (404 RoleDefinitionDoesNotExist).
        """
        role = self.find_definition(role_id)
        if role is None:
            raise _no_definition(role_id, HTTPStatus.NOT_FOUND)
        return role

    def known_definition(self, role_id: str) -> Role:
        """Give the role that a request names in its body, by its GUID.

        Raises:
            ManagementError: There is none (400 RoleDefinitionDoesNotExist).
        """
        role = self.find_definition(role_id)
        if role is None:
            raise _no_definition(role_id, HTTPStatus.BAD_REQUEST)
        return role

    def definitions(self, scope: str, wanted: DefinitionFilter) -> list[Role]:
        """List the roles that can be assigned at a scope.

        Args:
            scope: Resource id.
            wanted: What is left out.
        """
        return [
            role
            for role in self._definitions()
            if self._is_listed(role, scope, below=wanted.below)
            and wanted.role_name in (None, role.name)
            and (wanted.role_type is None or _is_of_type(role, wanted.role_type))
        ]

    def put_definition(self, role: Role, caller: str) -> None:
        """Make a custom role, or change it together with what its holders may do.

        Args:
            role: The custom role.
            caller: Principal id of who does it.

        Raises:
            ManagementError: The role breaks one of the rules of custom roles.
        """
        check_custom_role(role)
        for other in self._definitions():
            self._check_beside(role, other)
        is_new = role.role_id.casefold() not in self._custom
        self._custom[role.role_id.casefold()] = role
        self._touch(role.role_id, caller, is_new=is_new)
        self.assignments.update_role(role)

    def delete_definition(self, role: Role) -> None:
        """Take a custom role away.

        Args:
            role: From `find_definition`.

        Raises:
            ManagementError: It is built in, or somebody has it.
        """
        if not role.is_custom:
            raise _built_in(role)
        if any(_same(a.role.role_id, role.role_id) for a in self.assignments.assignments):
            raise ManagementError(
                HTTPStatus.BAD_REQUEST,
                "RoleDefinitionHasAssignments",
                "There are existing role assignments referencing the role.",
            )
        del self._custom[role.role_id.casefold()]
        self._stamps.pop(role.role_id.casefold(), None)

    def find_assignment(self, scope: str, name: str) -> RoleAssignment | None:
        """Give an assignment by its scope and GUID, or None."""
        return next(
            (
                assignment
                for assignment in self.assignments.assignments
                if _same(assignment.name, name) and _same_scope(assignment.scope, scope)
            ),
            None,
        )

    def assignment(self, scope: str, name: str) -> RoleAssignment:
        """Give an assignment by its scope and GUID.

        Raises:
            ManagementError: There is none (404 RoleAssignmentNotFound).
        """
        found = self.find_assignment(scope, name)
        if found is None:
            raise ManagementError(
                HTTPStatus.NOT_FOUND,
                "RoleAssignmentNotFound",
                f"The role assignment '{name}' is not found.",
            )
        return found

    def list_assignments(self, scope: str, wanted: AssignmentFilter) -> list[RoleAssignment]:
        """List the assignments at a scope, above it and, unless left out, below it.

        Args:
            scope: Resource id.
            wanted: What is left out.
        """
        within = self.assignments.is_within
        return [
            assignment
            for assignment in self.assignments.assignments
            if (
                within(scope, assignment.scope)
                or (not wanted.at_scope and within(assignment.scope, scope))
            )
            and (wanted.principal_id is None or _same(assignment.principal_id, wanted.principal_id))
        ]

    def put_assignment(self, assignment: RoleAssignment, caller: str) -> bool:
        """Give a principal a role, or change the description of such an assignment.

        Args:
            assignment: The assignment; its role comes from `known_definition`.
            caller: Principal id of who does it.

        Returns:
            Whether it is new.

        Raises:
            ManagementError: The principal has the role there already, by another name (409
                RoleAssignmentExists), the name is taken (400), or the role cannot be assigned at
                the scope (400).
        """
        self._check_assignable(assignment)
        place = self._place(assignment)
        if place is None:
            self.assignments.assignments.append(assignment)
        else:
            self.assignments.assignments[place] = assignment
        self._touch(assignment.name, caller, is_new=place is None)
        return place is None

    def delete_assignment(self, assignment: RoleAssignment) -> None:
        """Take a role from a principal.

        Args:
            assignment: From `find_assignment`.
        """
        self.assignments.remove(assignment)
        self._stamps.pop(assignment.name.casefold(), None)

    def _definitions(self) -> Iterator[Role]:
        yield from BUILT_IN_ROLES.values()
        yield from self._custom.values()

    def _is_listed(self, role: Role, scope: str, *, below: bool) -> bool:
        within = self.assignments.is_within
        return any(
            within(scope, assignable) or (below and within(assignable, scope))
            for assignable in role.assignable_scopes
        )

    def _check_beside(self, role: Role, other: Role) -> None:
        is_same = _same(role.role_id, other.role_id)
        if is_same and not other.is_custom:
            raise _built_in(other)
        if not is_same and _same(role.name, other.name):
            raise ManagementError(
                HTTPStatus.CONFLICT,
                "RoleDefinitionWithSameNameExists",
                "A role of this name already exists. Use a different name.",
            )

    def _check_assignable(self, assignment: RoleAssignment) -> None:
        role, scope = assignment.role, assignment.scope
        if not self._is_listed(role, scope, below=False):
            raise _no_definition(role.role_id, HTTPStatus.BAD_REQUEST)
        is_wide = level(scope) in {Level.ROOT, Level.MANAGEMENT_GROUP}
        if is_wide and role.is_custom and role.data_actions:
            raise invalid_role(
                "A custom role with data actions cannot be assigned at a management group."
            )

    def _place(self, assignment: RoleAssignment) -> int | None:
        """Give the index of the assignment that this one changes, or None for a new one."""
        for place, other in enumerate(self.assignments.assignments):
            is_named_so = _same(other.name, assignment.name)
            if _gives_the_same(other, assignment):
                if is_named_so:
                    return place
                raise ManagementError(
                    HTTPStatus.CONFLICT,
                    "RoleAssignmentExists",
                    "The role assignment already exists.",
                )
            if is_named_so:
                raise ManagementError(
                    HTTPStatus.BAD_REQUEST,
                    "RoleAssignmentUpdateNotPermitted",
                    "Tenant ID, application ID, principal ID, and scope are not allowed to be"
                    " updated.",
                )
        return None

    def _touch(self, guid: str, caller: str, *, is_new: bool) -> None:
        now = self.clock.now()
        old = Stamp(now, now, caller, caller) if is_new else self.stamp(guid)
        self._stamps[guid.casefold()] = replace(old, updated_on=now, updated_by=caller)


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _same_scope(one: str, other: str) -> bool:
    return _same(one.rstrip("/"), other.rstrip("/"))


def _gives_the_same(one: RoleAssignment, other: RoleAssignment) -> bool:
    return (
        _same(one.principal_id, other.principal_id)
        and _same(one.role.role_id, other.role.role_id)
        and _same_scope(one.scope, other.scope)
    )


def _is_of_type(role: Role, role_type: str) -> bool:
    return _same(role_type, "CustomRole" if role.is_custom else "BuiltInRole")


def _built_in(role: Role) -> ManagementError:
    return invalid_role(f"The built-in role {role.name} cannot be changed.")


def _no_definition(role_id: str, status: HTTPStatus) -> ManagementError:
    return ManagementError(
        status,
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{role_id}' does not exist.",
    )
