import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity import ManagedIdentityCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import (
    Permission,
    RoleAssignment,
    RoleAssignmentCreateParameters,
    RoleDefinition,
)
from signalr_emulator import Clock, Config
from signalr_emulator.access_control.roles import (
    APP_SERVER,
    BUILT_IN_ROLES,
    REST_API_OWNER,
    SERVICE_OWNER,
    Role,
)
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.documents.json_text import Json

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.wire import Answer, Wire

MANAGEMENT = "https://management.azure.com"
VERSION = "api-version=2022-04-01"
SIGNALR = "Microsoft.SignalRService/SignalR"

RESOURCE = Config().resource_id
GROUP = RESOURCE.partition("/providers/")[0]
SUBSCRIPTION = Config().subscription
COMPANY = Config().management_group
SUBSCRIPTION_ID = SUBSCRIPTION.rpartition("/")[2]
OTHER = "11111111-2222-4333-8444-555555555555"
MISSING = "99999999-2222-4333-8444-555555555555"

ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"
DEFINITIONS = "providers/Microsoft.Authorization/roleDefinitions"


def role_id(role: Role) -> str:
    return f"{SUBSCRIPTION}/{DEFINITIONS}/{role.role_id}"


@pytest.fixture
async def bare(start: StartWire) -> AsyncIterator[Wire]:
    """An emulator whose app has no role yet."""
    async with start(Config(service_port=0, control_port=0, role=None)) as wire:
        yield wire


async def token(wire: Wire, audience: str = MANAGEMENT) -> str:
    answer = await wire.identity(f"api-version=2019-08-01&resource={audience}")
    text: str = answer.json["access_token"]
    return text


async def manage(
    wire: Wire,
    method: str,
    path: str,
    body: Json = None,
    *,
    query: str = VERSION,
    data: bytes | None = None,
) -> Answer:
    url = f"{wire.emulator.control_url}{path}?{query}"
    headers = {"Authorization": f"Bearer {await token(wire)}"}
    if data is not None:
        return await wire.request(method, url, headers=headers, data=data)
    async with wire.session.request(method, url, headers=headers, json=body) as response:
        return await Answer.read(response)


def error(answer: Answer) -> tuple[int, str]:
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == {"code", "message"}
    return answer.status, answer.json["error"]["code"]


def assigning(role: Role, principal_id: str = SYSTEM_ASSIGNED.principal_id) -> Json:
    return {"properties": {"roleDefinitionId": role_id(role), "principalId": principal_id}}


def custom(**properties: Json) -> Json:
    return {
        "properties": {
            "roleName": "Sender",
            "permissions": [{"dataActions": [f"{SIGNALR}/hub/send/action"]}],
            "assignableScopes": [SUBSCRIPTION],
            **properties,
        }
    }


# With the real client


async def with_client[T](wire: Wire, use: Callable[[AuthorizationManagementClient], T]) -> T:
    def work() -> T:
        with (
            ManagedIdentityCredential() as credential,
            AuthorizationManagementClient(
                credential, SUBSCRIPTION_ID, base_url=wire.emulator.control_url
            ) as client,
        ):
            return use(client)

    return await asyncio.to_thread(work)


@pytest.fixture
async def real_time(
    start: StartWire, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Wire]:
    """An emulator without roles whose tokens are valid for azure-identity, which has no clock."""
    clock.advance(2 * 365 * 24 * 3600)
    async with start(Config(service_port=0, control_port=0, role=None)) as wire:
        for name, value in wire.emulator.app_settings().items():
            monkeypatch.setenv(name, value)
        yield wire


async def test_real_client_assigns_a_role(real_time: Wire) -> None:
    name = str(uuid4())

    def create(client: AuthorizationManagementClient) -> RoleAssignment:
        (role,) = client.role_definitions.list(
            RESOURCE, filter="roleName eq 'SignalR App Server'", enforce_https=False
        )
        made: RoleAssignment = client.role_assignments.create(
            RESOURCE,
            name,
            RoleAssignmentCreateParameters(
                role_definition_id=role.id,
                principal_id=SYSTEM_ASSIGNED.principal_id,
                principal_type="ServicePrincipal",
                description="negotiates",
            ),
            enforce_https=False,
        )
        with pytest.raises(ResourceExistsError) as refused:
            client.role_assignments.create(
                RESOURCE,
                str(uuid4()),
                RoleAssignmentCreateParameters(
                    role_definition_id=role.id, principal_id=SYSTEM_ASSIGNED.principal_id
                ),
                enforce_https=False,
            )
        assert refused.value.status_code == 409
        assert refused.value.error is not None
        assert refused.value.error.code == "RoleAssignmentExists"
        assert refused.value.error.message == "The role assignment already exists."
        return made

    assert (await real_time.rest("GET", "/api/v1/auth/accessKey")).status == 403
    made = await with_client(real_time, create)
    document = made.as_dict()
    assert document.pop("created_on") == document.pop("updated_on")
    assert document == {
        "id": f"{RESOURCE}/{ASSIGNMENTS}/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "role_definition_id": role_id(APP_SERVER),
        "scope": RESOURCE,
        "principal_id": SYSTEM_ASSIGNED.principal_id,
        "principal_type": "ServicePrincipal",
        "description": "negotiates",
        "created_by": SYSTEM_ASSIGNED.principal_id,
        "updated_by": SYSTEM_ASSIGNED.principal_id,
    }
    assert made.created_on is not None
    assert made.created_on.timestamp() == real_time.emulator.service.clock.now()
    assert (await real_time.rest("GET", "/api/v1/auth/accessKey")).status == 200
    assert (await real_time.send("chat/")).status == 403

    def read_and_delete(client: AuthorizationManagementClient) -> None:
        by_name = client.role_assignments.get(RESOURCE, name, enforce_https=False)
        by_id = client.role_assignments.get_by_id(made.id, enforce_https=False)
        assert by_name.as_dict() == by_id.as_dict() == made.as_dict()
        deleted = client.role_assignments.delete(RESOURCE, name, enforce_https=False)
        assert deleted is not None
        assert deleted.as_dict() == made.as_dict()
        assert client.role_assignments.delete_by_id(made.id, enforce_https=False) is None
        with pytest.raises(ResourceNotFoundError) as refused:
            client.role_assignments.get(RESOURCE, name, enforce_https=False)
        assert refused.value.error is not None
        assert refused.value.error.code == "RoleAssignmentNotFound"

    await with_client(real_time, read_and_delete)
    assert (await real_time.rest("GET", "/api/v1/auth/accessKey")).status == 403


async def test_real_client_lists_by_scope_and_principal(real_time: Wire) -> None:
    scopes = (COMPANY, SUBSCRIPTION, GROUP, RESOURCE, f"{RESOURCE}-2")

    def use(client: AuthorizationManagementClient) -> None:
        for scope in scopes:
            for principal in (SYSTEM_ASSIGNED.principal_id, OTHER):
                client.role_assignments.create(
                    scope,
                    str(uuid4()),
                    RoleAssignmentCreateParameters(
                        role_definition_id=role_id(SERVICE_OWNER), principal_id=principal
                    ),
                    enforce_https=False,
                )
        lists = client.role_assignments

        def of(found: object) -> list[str]:
            assert hasattr(found, "__iter__")
            return [assignment.scope for assignment in found]

        mine = f"principalId eq '{SYSTEM_ASSIGNED.principal_id}'"
        to_other = f"atScope() and assignedTo('{OTHER}')"
        https = {"enforce_https": False}
        assert of(lists.list_for_scope(RESOURCE, filter=mine, **https)) == [*scopes[:4]]
        assert of(lists.list_for_scope(GROUP, filter=mine, **https)) == [*scopes]
        assert of(lists.list_for_scope(GROUP, filter=to_other, **https)) == [*scopes[:3]]
        assert len(of(lists.list_for_scope(GROUP, filter="atScope()", **https))) == 6
        assert len(of(lists.list_for_scope(GROUP, **https))) == 10
        assert of(lists.list_for_subscription(filter=to_other, **https)) == [*scopes[:2]]
        group = lists.list_for_resource_group("LOCAL", filter=to_other, **https)
        assert of(group) == [*scopes[:3]]
        resource = lists.list_for_resource(
            "local", "Microsoft.SignalRService", "SignalR", "local", filter=to_other, **https
        )
        assert of(resource) == [*scopes[:4]]

    await with_client(real_time, use)


async def test_real_client_makes_a_custom_role(real_time: Wire) -> None:
    guid = str(uuid4())

    def role(*not_data_actions: str) -> RoleDefinition:
        return RoleDefinition(
            role_name="Anything but",
            description="less than everything",
            role_type="CustomRole",
            permissions=[
                Permission(
                    actions=[],
                    not_actions=[],
                    data_actions=[f"{SIGNALR}/*"],
                    not_data_actions=list(not_data_actions),
                )
            ],
            assignable_scopes=[GROUP],
        )

    def create(client: AuthorizationManagementClient) -> None:
        definitions = client.role_definitions
        made = definitions.create_or_update(
            GROUP, guid, role(f"{SIGNALR}/auth/*"), enforce_https=False
        )
        assert made.id == f"{SUBSCRIPTION}/{DEFINITIONS}/{guid}"
        assert (made.role_name, made.role_type) == ("Anything but", "CustomRole")
        assert made.assignable_scopes == [GROUP]
        assert made.permissions is not None
        assert made.permissions[0].not_data_actions == [f"{SIGNALR}/auth/*"]
        for found in (
            definitions.get(GROUP, guid, enforce_https=False),
            definitions.get_by_id(made.id, enforce_https=False),
        ):
            assert found.as_dict() == made.as_dict()
        at_group = definitions.list(GROUP, filter="type eq 'CustomRole'", enforce_https=False)
        assert [found.name for found in at_group] == [guid]
        for condition, names in (("", []), (" and atScopeAndBelow()", [guid])):
            listed = definitions.list(
                SUBSCRIPTION, filter=f"type eq 'CustomRole'{condition}", enforce_https=False
            )
            assert [found.name for found in listed] == names
        client.role_assignments.create(
            RESOURCE,
            str(uuid4()),
            RoleAssignmentCreateParameters(
                role_definition_id=made.id, principal_id=SYSTEM_ASSIGNED.principal_id
            ),
            enforce_https=False,
        )

    await with_client(real_time, create)
    assert (await real_time.rest("GET", "/api/v1/auth/accessKey")).status == 403
    assert (await real_time.send("chat/")).status == 202

    def change(client: AuthorizationManagementClient) -> None:
        client.role_definitions.create_or_update(
            GROUP, guid, role(f"{SIGNALR}/hub/*"), enforce_https=False
        )
        with pytest.raises(HttpResponseError) as refused:
            client.role_definitions.delete(GROUP, guid, enforce_https=False)
        assert refused.value.error is not None
        assert refused.value.error.code == "RoleDefinitionHasAssignments"

    await with_client(real_time, change)
    assert (await real_time.rest("GET", "/api/v1/auth/accessKey")).status == 200
    assert (await real_time.send("chat/")).status == 403

    def delete(client: AuthorizationManagementClient) -> None:
        (assignment,) = client.role_assignments.list_for_scope(RESOURCE, enforce_https=False)
        client.role_assignments.delete_by_id(assignment.id, enforce_https=False)
        deleted = client.role_definitions.delete(GROUP, guid, enforce_https=False)
        assert deleted is not None
        assert deleted.name == guid
        assert client.role_definitions.delete(GROUP, guid, enforce_https=False) is None
        with pytest.raises(ResourceNotFoundError):
            client.role_definitions.get(GROUP, guid, enforce_https=False)

    await with_client(real_time, delete)


async def test_real_client_without_the_right_token(
    start: StartWire, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(2 * 365 * 24 * 3600)

    def refused(client: AuthorizationManagementClient) -> HttpResponseError:
        with pytest.raises(HttpResponseError) as info:
            list(client.role_assignments.list_for_subscription(enforce_https=False))
        return info.value

    async with start(Config(service_port=0, control_port=0, operators=(OTHER,))) as wire:
        for name, value in wire.emulator.app_settings().items():
            monkeypatch.setenv(name, value)
        error = await with_client(wire, refused)
    assert not isinstance(error, ClientAuthenticationError)
    assert error.status_code == 403
    assert error.error is not None
    assert error.error.code == "AuthorizationFailed"


# Over plain HTTP


async def test_built_in_roles_at_the_tenant_and_in_the_subscription(bare: Wire) -> None:
    for scope in ("", SUBSCRIPTION):
        listed = (await manage(bare, "GET", f"{scope}/{DEFINITIONS}")).json
        assert set(listed) == {"value"}
        assert {role["properties"]["roleName"] for role in listed["value"]} == set(BUILT_IN_ROLES)
        for role in listed["value"]:
            assert role["id"] == f"{scope}/{DEFINITIONS}/{role['name']}"
            assert role["properties"]["type"] == "BuiltInRole"
            assert role["properties"]["assignableScopes"] == ["/"]


async def test_default_assignment_keeps_its_name(start: StartWire) -> None:
    names = []
    for _ in range(2):
        async with start(Config(service_port=0, control_port=0)) as wire:
            listed = (await manage(wire, "GET", f"{RESOURCE}/{ASSIGNMENTS}")).json["value"]
        names += [assignment["name"] for assignment in listed]
    # One for the managed identity and one for the app registration.
    assert names[:2] == names[2:]
    assert len(set(names)) == 2


async def test_role_of_the_configuration_is_a_custom_one(start: StartWire, clock: Clock) -> None:
    own = Role(OTHER, "Sends", (f"{SIGNALR}/hub/send/action",))
    async with start(Config(service_port=0, control_port=0, role=own, applications=())) as wire:
        (assignment,) = (await manage(wire, "GET", f"{RESOURCE}/{ASSIGNMENTS}")).json["value"]
        definition = await manage(wire, "GET", assignment["properties"]["roleDefinitionId"])
        clock.advance(60)
        again = await manage(
            wire, "PUT", assignment["id"], {"properties": assignment["properties"]}
        )
    properties = definition.json["properties"]
    assert (properties["roleName"], properties["type"]) == ("Sends", "CustomRole")
    assert again.status == 200
    assert again.json["properties"]["createdOn"] == assignment["properties"]["createdOn"]
    assert again.json["properties"]["createdBy"] is None
    assert again.json["properties"]["updatedBy"] == SYSTEM_ASSIGNED.principal_id


async def test_scopes_and_routes_ignore_case(bare: Wire) -> None:
    name = str(uuid4())
    made = await manage(bare, "PUT", f"{RESOURCE}/{ASSIGNMENTS}/{name}", assigning(SERVICE_OWNER))
    assert made.status == 201
    shouted = f"{RESOURCE}/{ASSIGNMENTS}/{name}".upper()
    found = await manage(bare, "GET", shouted)
    assert (found.status, found.json) == (200, made.json)
    assert (await bare.send("chat/")).status == 202
    deleted = await manage(bare, "DELETE", shouted)
    assert (deleted.status, deleted.json) == (200, made.json)
    again = await manage(bare, "DELETE", shouted)
    assert (again.status, again.body) == (204, b"")
    assert (await bare.send("chat/")).status == 403


async def test_same_name_again(bare: Wire, clock: Clock) -> None:
    path = f"{RESOURCE}/{ASSIGNMENTS}/{uuid4()}"
    assert (await manage(bare, "PUT", path, assigning(APP_SERVER))).status == 201
    clock.advance(60)
    again = await manage(bare, "PUT", path, assigning(APP_SERVER))
    assert again.status == 200
    properties = again.json["properties"]
    assert properties["createdOn"] == "2023-11-14T22:13:20+00:00"
    assert properties["updatedOn"] == "2023-11-14T22:14:20+00:00"
    assert clock.now() == NOW + 60
    for other in (assigning(REST_API_OWNER), assigning(APP_SERVER, OTHER)):
        refused = await manage(bare, "PUT", path, other)
        assert error(refused) == (400, "RoleAssignmentUpdateNotPermitted")


@pytest.mark.parametrize("audience", [f"{MANAGEMENT}/", "https://management.core.windows.net/"])
async def test_audiences(wire: Wire, audience: str) -> None:
    headers = {"Authorization": f"Bearer {await token(wire, audience)}"}
    url = f"{wire.emulator.control_url}/{DEFINITIONS}?{VERSION}"
    assert (await wire.request("GET", url, headers=headers)).status == 200


async def test_no_token_for_resource_manager(wire: Wire) -> None:
    url = f"{wire.emulator.control_url}{RESOURCE}/{ASSIGNMENTS}?{VERSION}"
    for headers in (
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {await wire.entra_token()}"},
    ):
        answer = await wire.request("GET", url, headers=headers)
        assert error(answer) == (401, "AuthenticationFailed")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


async def test_others_are_told_which_action_they_lack(start: StartWire) -> None:
    async with start(Config(service_port=0, control_port=0, operators=())) as wire:
        path = f"{RESOURCE}/{ASSIGNMENTS}/{uuid4()}"
        answer = await manage(wire, "PUT", path, assigning(SERVICE_OWNER))
    assert error(answer) == (403, "AuthorizationFailed")
    message = answer.json["error"]["message"]
    assert "'Microsoft.Authorization/roleAssignments/write'" in message
    assert f"'{RESOURCE}'" in message


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "MissingApiVersionParameter"),
        ("api-version=2022-04-02", "InvalidApiVersionParameter"),
        (f"{VERSION}&$filter=roleName eq 'x'", "UnsupportedQuery"),
        (f"{VERSION}&$filter=atScope() or atScope()", "UnsupportedQuery"),
        (f"{VERSION}&$filter=principalId eq 'x", "UnsupportedQuery"),
        (f"{VERSION}&$filter=atScope() and", "UnsupportedQuery"),
        (f"{VERSION}&$filter='", "UnsupportedQuery"),
    ],
)
async def test_bad_lists(wire: Wire, query: str, code: str) -> None:
    answer = await manage(wire, "GET", f"{RESOURCE}/{ASSIGNMENTS}", query=query)
    assert error(answer) == (400, code)


@pytest.mark.parametrize(
    "scope",
    [
        "/subscriptions/x",
        "/somewhere",
        f"{SUBSCRIPTION}/resourceGroups",
        f"{GROUP}/providers/Microsoft.SignalRService/SignalR",
    ],
)
async def test_no_scope(wire: Wire, scope: str) -> None:
    answer = await manage(wire, "GET", f"{scope}/{ASSIGNMENTS}")
    assert error(answer) == (400, "InvalidScope")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "InvalidRequestContent"),
        ([], "InvalidRequestContent"),
        ({"properties": {}}, "InvalidRequestContent"),
        ({"properties": {"roleDefinitionId": 1}}, "InvalidRequestContent"),
        ({"properties": {"roleDefinitionId": SERVICE_OWNER.role_id}}, "InvalidRequestContent"),
        (
            {"properties": {"roleDefinitionId": f"/{DEFINITIONS}/{MISSING}"}},
            "RoleDefinitionDoesNotExist",
        ),
        (assigning(SERVICE_OWNER, "somebody"), "InvalidPrincipalId"),
        (
            {
                "properties": {
                    "roleDefinitionId": role_id(SERVICE_OWNER),
                    "principalId": OTHER,
                    "condition": "true",
                }
            },
            "InvalidRequestContent",
        ),
    ],
)
async def test_bad_assignments(wire: Wire, body: Json, code: str) -> None:
    answer = await manage(wire, "PUT", f"{RESOURCE}/{ASSIGNMENTS}/{uuid4()}", body)
    assert error(answer) == (400, code)


async def test_body_that_is_no_json(wire: Wire) -> None:
    answer = await manage(wire, "PUT", f"{RESOURCE}/{ASSIGNMENTS}/{uuid4()}", data=b"{")
    assert error(answer) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{ASSIGNMENTS}/first", "InvalidRoleAssignmentId"),
        (f"{DEFINITIONS}/first", "InvalidRoleDefinitionId"),
    ],
)
async def test_names_are_guids(wire: Wire, path: str, code: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert error(await manage(wire, method, f"{RESOURCE}/{path}", {})) == (400, code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (None, 400, "InvalidRequestContent"),
        (custom(roleName=" "), 400, "InvalidRequestContent"),
        (custom(roleName=1), 400, "InvalidRequestContent"),
        (custom(type="BuiltInRole"), 400, "InvalidRequestContent"),
        (custom(permissions=[]), 400, "InvalidRequestContent"),
        (custom(permissions=[{"dataActions": "x"}]), 400, "InvalidRequestContent"),
        (custom(permissions=[{"dataActions": [1]}]), 400, "InvalidRequestContent"),
        (custom(permissions=[{"dataActions": [f"{SIGNALR}/x"]}]), 400, "InvalidActionOrNotAction"),
        (custom(assignableScopes=[]), 400, "InvalidRoleDefinition"),
        (custom(assignableScopes=["/"]), 400, "InvalidRoleDefinition"),
        (custom(assignableScopes=["/subscriptions/x"]), 400, "InvalidRoleDefinition"),
        (custom(assignableScopes=[COMPANY, f"{COMPANY}-2"]), 400, "InvalidRoleDefinition"),
        (custom(roleName="signalr app server"), 409, "RoleDefinitionWithSameNameExists"),
    ],
)
async def test_bad_custom_roles(wire: Wire, body: Json, status: int, code: str) -> None:
    answer = await manage(wire, "PUT", f"{SUBSCRIPTION}/{DEFINITIONS}/{uuid4()}", body)
    assert error(answer) == (status, code)


async def test_built_in_roles_stay(wire: Wire) -> None:
    path = role_id(SERVICE_OWNER)
    assert error(await manage(wire, "PUT", path, custom())) == (400, "InvalidRoleDefinition")
    assert error(await manage(wire, "DELETE", path)) == (400, "InvalidRoleDefinition")
    assert (await manage(wire, "GET", path)).json["properties"]["roleName"] == SERVICE_OWNER.name


@pytest.mark.parametrize(
    ("assignable", "scope", "code"),
    [
        (GROUP, f"{SUBSCRIPTION}/resourceGroups/other", "RoleDefinitionDoesNotExist"),
        (GROUP, SUBSCRIPTION, "RoleDefinitionDoesNotExist"),
        (COMPANY, COMPANY, "InvalidRoleDefinition"),
        (COMPANY, SUBSCRIPTION, None),
        (GROUP, RESOURCE, None),
    ],
)
async def test_where_a_custom_role_can_be_assigned(
    bare: Wire, assignable: str, scope: str, code: str | None
) -> None:
    guid = str(uuid4())
    made = await manage(
        bare, "PUT", f"{GROUP}/{DEFINITIONS}/{guid}", custom(assignableScopes=[assignable])
    )
    assert made.status == 201
    body: Json = {
        "properties": {
            "roleDefinitionId": made.json["id"],
            "principalId": SYSTEM_ASSIGNED.principal_id,
        }
    }
    answer = await manage(bare, "PUT", f"{scope}/{ASSIGNMENTS}/{uuid4()}", body)
    assert (await bare.send("chat/")).status == (202 if code is None else 403)
    if code is None:
        assert answer.status == 201
    else:
        assert error(answer) == (400, code)


async def test_filter_by_a_name_with_quote_and_conjunction(bare: Wire) -> None:
    name, path = "It's read and write", f"{SUBSCRIPTION}/{DEFINITIONS}"
    assert (await manage(bare, "PUT", f"{path}/{uuid4()}", custom(roleName=name))).status == 201
    for text, count in (("It''s read and write", 1), ("It''s read", 0)):
        query = f"{VERSION}&$filter=atScopeAndBelow() AND roleName eq '{text}'"
        listed = (await manage(bare, "GET", path, query=query)).json["value"]
        assert [role["properties"]["roleName"] for role in listed] == [name] * count
