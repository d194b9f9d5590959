from dataclasses import replace

import pytest
from signalr_emulator.access_control.roles import (
    ACCESSKEY_READER,
    APP_SERVER,
    BUILT_IN_ROLES,
    CONTRIBUTOR,
    REST_API_OWNER,
    REST_API_READER,
    SERVICE_OWNER,
    Role,
    RoleAssignment,
    RoleAssignments,
)

PREFIX = "Microsoft.SignalRService/SignalR"
GET_KEY = f"{PREFIX}/auth/accessKey/action"
SEND = f"{PREFIX}/hub/send/action"
READ = f"{PREFIX}/group/read"

GROUP = "/subscriptions/s1/resourceGroups/rg"
RESOURCE = f"{GROUP}/providers/Microsoft.SignalRService/SignalR/one"
COMPANY = "/providers/Microsoft.Management/managementGroups/company"
TEAM = "/providers/Microsoft.Management/managementGroups/team"
PARENTS = {"/subscriptions/S1": TEAM, TEAM: COMPANY}


def allowed(scope: str, role: Role = SERVICE_OWNER, action: str = SEND) -> bool:
    assignments = RoleAssignments([RoleAssignment("p1", role, scope)], PARENTS)
    return assignments.giving("P1", action, RESOURCE) is not None


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (SERVICE_OWNER, {GET_KEY, SEND, READ}),
        (APP_SERVER, {GET_KEY}),
        (REST_API_OWNER, {SEND, READ}),
        (REST_API_READER, {READ}),
        (CONTRIBUTOR, set()),
        (ACCESSKEY_READER, set()),
    ],
    ids=lambda value: value.name if isinstance(value, Role) else "",
)
def test_built_in_roles(role: Role, may: set[str]) -> None:
    assert {action for action in (GET_KEY, SEND, READ) if role.permits(action)} == may


def test_ids_of_the_built_in_roles() -> None:
    assert {name: role.role_id for name, role in BUILT_IN_ROLES.items()} == {
        "SignalR Service Owner": "7e4f1700-ea5a-4f59-8f37-079cfe29dce3",
        "SignalR App Server": "420fcaa2-552c-430f-98ca-3264be4806c7",
        "SignalR REST API Owner": "fd53cd77-2268-407a-8f46-7e7863d0f521",
        "SignalR REST API Reader": "ddde6b66-c0df-4114-a159-3618637b3035",
        "SignalR/Web PubSub Contributor": "8cf5e20a-e4b2-4e9d-b3a1-5ceb692c2761",
        "SignalR AccessKey Reader": "04165923-9d83-45d5-8227-78b77b0a687e",
    }


@pytest.mark.parametrize(
    "scope",
    [RESOURCE, RESOURCE.upper(), GROUP, "/subscriptions/s1", "/subscriptions/s1/", TEAM, COMPANY],
)
def test_assignments_are_inherited_downwards(scope: str) -> None:
    assert allowed(scope)


@pytest.mark.parametrize(
    "scope",
    [
        f"{RESOURCE}/hubs/chat",
        RESOURCE[:-1],
        "/subscriptions/s1/resourceGroups/r",
        "/subscriptions/s",
        "/subscriptions/s2",
        "/providers/Microsoft.Management/managementGroups/other",
    ],
)
def test_other_scopes_give_nothing(scope: str) -> None:
    assert not allowed(scope)


def test_circle_of_management_groups_ends() -> None:
    circle = {"/subscriptions/s1": TEAM, TEAM: COMPANY, COMPANY: TEAM}
    for scope, gives in (("/subscriptions/s2", False), (COMPANY, True)):
        assignments = RoleAssignments([RoleAssignment("p1", SERVICE_OWNER, scope)], circle)
        assert (assignments.giving("p1", SEND, RESOURCE) is not None) is gives


def test_assignment_is_of_its_principal() -> None:
    assignments = RoleAssignments([RoleAssignment("p1", SERVICE_OWNER, RESOURCE)])
    assert assignments.giving("p2", SEND, RESOURCE) is None


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("*", SEND, True),
        ("Microsoft.SignalRService/*/action", SEND, True),
        ("microsoft.signalrservice/signalr/HUB/*", SEND, True),
        (f"{PREFIX}/hub", SEND, False),
        (f"{PREFIX}/hub/send", SEND, False),
        (f"{PREFIX}/*/read", SEND, False),
        ("Microsoft.SignalRService.SignalR/*", SEND, False),
    ],
)
def test_wildcards_span_segments(pattern: str, action: str, *, matches: bool) -> None:
    assert Role("id", "custom", (pattern,)).permits(action) is matches


def test_not_data_actions_subtract_within_their_role_only() -> None:
    no_keys = Role("id", "custom", (f"{PREFIX}/*",), (f"{PREFIX}/auth/*",))
    assert allowed(RESOURCE, no_keys, SEND)
    assert not allowed(RESOURCE, no_keys, GET_KEY)
    both = RoleAssignments(
        [RoleAssignment("p1", no_keys, RESOURCE), RoleAssignment("p1", APP_SERVER, GROUP)]
    )
    assert both.giving("p1", GET_KEY, RESOURCE) is not None


def test_an_assignment_stays_switched_off_while_it_is_changed() -> None:
    assignment = RoleAssignment("principal", SERVICE_OWNER, "/subscriptions/s")
    assignments = RoleAssignments([assignment])
    assignments.switch(assignment, on=False)
    changed = replace(assignment, description="changed")
    assignments.assignments[:] = [changed]
    action = "Microsoft.SignalRService/SignalR/hub/send/action"
    assert assignments.giving("principal", action, "/subscriptions/s") is None
    assignments.switch(changed, on=True)
    assert assignments.giving("principal", action, "/subscriptions/s") is not None
