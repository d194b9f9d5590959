"""Azure role-based access control: role definitions, assignments and the decision.

Sources: Azure built-in roles for Web and Mobile (names, ids, actions); "Understand Azure role
definitions" (wildcards, `notDataActions`) and "Understand scope for Azure RBAC".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from uuid import UUID, uuid5

__all__ = [
    "ACCESSKEY_READER",
    "APP_SERVER",
    "BUILT_IN_ROLES",
    "CONTRIBUTOR",
    "REST_API_OWNER",
    "REST_API_READER",
    "ROOT_SCOPE",
    "SERVICE_OWNER",
    "Role",
    "RoleAssignment",
    "RoleAssignments",
    "matches_any",
]

_PROVIDER = "Microsoft.SignalRService"
_SIGNALR = f"{_PROVIDER}/SignalR"

ROOT_SCOPE = "/"
"""Above every management group."""

_NAMES = UUID("0d4c1f6e-5b0a-4b39-9a52-c7e86d1f2b34")
"""Names of assignments that were given none are made from this and what they say."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition.

    Attributes:
        role_id: GUID of the definition.
        name: Display name.
        data_actions: What it permits on the data plane; `*` stands for any text.
        not_data_actions: What is taken out of `data_actions`, of this role only.
        actions: What it permits on the control plane.
        not_actions: What is taken out of `actions`, of this role only.
        description: What it is for.
        assignable_scopes: Where it can be assigned, and below.
        is_custom: Whether it was made in this tenant, not by Azure.
    """

    role_id: str
    name: str
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    description: str = ""
    assignable_scopes: tuple[str, ...] = (ROOT_SCOPE,)
    is_custom: bool = False

    def permits(self, data_action: str) -> bool:
        """Tell whether this role alone permits a data action."""
        return matches_any(self.data_actions, data_action) and not matches_any(
            self.not_data_actions, data_action
        )


APP_SERVER = Role(
    role_id="420fcaa2-552c-430f-98ca-3264be4806c7",
    name="SignalR App Server",
    data_actions=(
        f"{_SIGNALR}/auth/accessKey/action",
        f"{_SIGNALR}/serverConnection/write",
        f"{_SIGNALR}/clientConnection/write",
    ),
)

REST_API_OWNER = Role(
    role_id="fd53cd77-2268-407a-8f46-7e7863d0f521",
    name="SignalR REST API Owner",
    data_actions=(
        f"{_SIGNALR}/auth/clientToken/action",
        f"{_SIGNALR}/hub/*",
        f"{_SIGNALR}/group/*",
        f"{_SIGNALR}/clientConnection/*",
        f"{_SIGNALR}/user/*",
    ),
)

REST_API_READER = Role(
    role_id="ddde6b66-c0df-4114-a159-3618637b3035",
    name="SignalR REST API Reader",
    data_actions=(
        f"{_SIGNALR}/group/read",
        f"{_SIGNALR}/clientConnection/read",
        f"{_SIGNALR}/user/read",
    ),
)

SERVICE_OWNER = Role(
    role_id="7e4f1700-ea5a-4f59-8f37-079cfe29dce3",
    name="SignalR Service Owner",
    data_actions=(f"{_SIGNALR}/*",),
)

_GENERAL_ACTIONS = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)

CONTRIBUTOR = Role(
    role_id="8cf5e20a-e4b2-4e9d-b3a1-5ceb692c2761",
    name="SignalR/Web PubSub Contributor",
    actions=(
        f"{_PROVIDER}/*",
        "Microsoft.Insights/alertRules/*",
        "Microsoft.Resources/deployments/*",
        *_GENERAL_ACTIONS,
    ),
)

ACCESSKEY_READER = Role(
    role_id="04165923-9d83-45d5-8227-78b77b0a687e",
    name="SignalR AccessKey Reader",
    actions=(f"{_PROVIDER}/*/read", f"{_SIGNALR}/listkeys/action", *_GENERAL_ACTIONS),
)

BUILT_IN_ROLES: Mapping[str, Role] = {
    role.name: role
    for role in (
        SERVICE_OWNER,
        APP_SERVER,
        REST_API_OWNER,
        REST_API_READER,
        CONTRIBUTOR,
        ACCESSKEY_READER,
    )
}
"""Every built-in role that is about SignalR, by its name.

The last two permit nothing on the data plane. They are here because they are often assigned in
the belief that they do.
"""


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """Gives a principal a role at a scope and at everything below it.

    Attributes:
        principal_id: Object id of the service principal.
        role: What is permitted.
        scope: Resource id of a management group, subscription, resource group or resource.
        name: GUID of the assignment. If empty, it is made from the three above, so that it is the
            same at every start.
        principal_type: What the principal is, in Azure's word.
        description: What it is for.
        caseless_principal: The principal as each request compares it, whose case does not count.
        caseless_scope: The scope, likewise.
    """

    principal_id: str
    role: Role
    scope: str
    name: str = ""
    principal_type: str = "ServicePrincipal"
    description: str = ""
    caseless_principal: str = field(init=False, repr=False, compare=False)
    caseless_scope: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "caseless_principal", self.principal_id.casefold())
        object.__setattr__(self, "caseless_scope", _normal(self.scope))
        if not self.name:
            what = (self.principal_id, self.role.role_id, self.caseless_scope)
            object.__setattr__(self, "name", str(uuid5(_NAMES, "\n".join(what).casefold())))


@dataclass(slots=True)
class RoleAssignments:
    """Every role assignment of the tenant.

    Attributes:
        assignments: In the order in which they were made.
        management_groups: The management group above a subscription or management group, both
            as resource ids. The other parents follow from the resource id.
    """

    assignments: list[RoleAssignment] = field(default_factory=list)
    management_groups: Mapping[str, str] = field(default_factory=dict)
    _switched_off: set[str] = field(default_factory=set)

    def is_on(self, assignment: RoleAssignment) -> bool:
        """Tell whether an assignment has effect."""
        return assignment.name not in self._switched_off

    def switch(self, assignment: RoleAssignment, *, on: bool) -> None:
        """Take an assignment's effect away for a while, or give it back."""
        if on:
            self._switched_off.discard(assignment.name)
        else:
            self._switched_off.add(assignment.name)

    def change_role(self, assignment: RoleAssignment, role: Role) -> None:
        """Let an assignment give another role at its scope; it keeps its name."""
        self.assignments[self.assignments.index(assignment)] = replace(assignment, role=role)

    def remove(self, assignment: RoleAssignment) -> None:
        """Take an assignment away for good: a later one of its name has effect."""
        self.assignments.remove(assignment)
        self._switched_off.discard(assignment.name)

    def giving(
        self, principal_id: str, data_action: str, resource_scope: str
    ) -> RoleAssignment | None:
        """Give an assignment by which a principal may do something, or None if it may not.

        Args:
            principal_id: Object id of the caller.
            data_action: What it wants to do, for instance
                `Microsoft.SignalRService/SignalR/hub/send/action`.
            resource_scope: Resource id of what it wants to do it to.
        """
        wanted, scopes = principal_id.casefold(), self._scopes(resource_scope)
        # Each request asks for it: a loop takes half as long as generators.
        for assignment in self.assignments:
            if (
                assignment.caseless_principal == wanted
                and assignment.caseless_scope in scopes
                and assignment.role.permits(data_action)
                and self.is_on(assignment)
            ):
                return assignment
        return None

    def of(self, principal_id: str) -> Iterator[RoleAssignment]:
        """Give the assignments of a principal, whatever their scope, on and off."""
        wanted = principal_id.casefold()
        return (each for each in self.assignments if each.caseless_principal == wanted)

    def is_within(self, scope: str, outer: str) -> bool:
        """Tell whether a scope is another one or below it.

        Args:
            scope: Resource id of the narrower scope.
            outer: Resource id of the wider scope.
        """
        return _normal(outer) in self._scopes(scope)

    def update_role(self, role: Role) -> None:
        """Let every assignment of a role follow its new definition."""
        self.assignments[:] = [
            replace(assignment, role=role)
            if assignment.role.role_id.casefold() == role.role_id.casefold()
            else assignment
            for assignment in self.assignments
        ]

    def _scopes(self, scope: str) -> frozenset[str]:
        return _scopes(scope, tuple(self.management_groups.items()))


@lru_cache(maxsize=64)
def _scopes(resource_scope: str, management_groups: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """Give a scope and every scope above it.

    Args:
        resource_scope: Resource id of the narrowest.
        management_groups: What is above what, as of `RoleAssignments`.
    """
    above = {_normal(below): _normal(group) for below, group in management_groups}
    scopes = {""}
    scope = top = _normal(resource_scope)
    while scope:
        scopes.add(scope)
        top = scope if scope in above else top
        scope = scope.rpartition("/")[0]
    # Walking up a chain of management groups ends even if somebody made it a circle.
    while top in above and above[top] not in scopes:
        top = above[top]
        scopes.add(top)
    return frozenset(scopes)


def _normal(scope: str) -> str:
    return scope.casefold().rstrip("/")


@lru_cache(maxsize=1024)
def matches_any(patterns: tuple[str, ...], data_action: str) -> bool:
    """Tell whether one of some patterns, in which `*` stands for any text, is of a data action."""
    return any(_compiled(pattern).fullmatch(data_action) for pattern in patterns)


def _compiled(pattern: str) -> re.Pattern[str]:
    literals = (re.escape(literal) for literal in pattern.split("*"))
    return re.compile(".*".join(literals), re.IGNORECASE | re.DOTALL)
