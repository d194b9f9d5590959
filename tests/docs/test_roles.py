"""The roles of docs/roles.md, assigned by Azure's own client, and each cell of the table tried."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.identity import ManagedIdentityCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import (
    Permission,
    RoleAssignmentCreateParameters,
    RoleDefinition,
)
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import (
    ConnectionNotFoundError,
    CredentialKind,
    CredentialSettings,
    Endpoint,
    PermissionDeniedError,
    ServiceUnavailableError,
    SignalRServiceClient,
    TokenOrigin,
)
from shared.identity.permissions import missing_permission
from shared.persistent import PersistentSender

TEXT = (Path(__file__).parents[2] / "docs" / "roles.md").read_text()
ACTIONS = "Microsoft.SignalRService/SignalR/"
SUBSCRIPTION = "/subscriptions/5c9a1f0e-3b7d-4e62-9a58-1d0f6b2c7e34"
GROUP = f"{SUBSCRIPTION}/resourceGroups/local"
RESOURCE = f"{GROUP}/providers/Microsoft.SignalRService/SignalR/local"
PRINCIPAL = "b8f6d2a4-0c13-4f7e-8a95-6e21c3d47f50"
"""Where the emulator's resource is, and who the app's identity is."""

HUB = "chat"
NOBODYS = "a connection token that nobody has"
OPERATIONS: Mapping[str, tuple[Callable[[SignalRServiceClient], object], ...]] = {
    "negotiate: gets an access key and signs client tokens": (
        lambda service: service.get_client_access_token(HUB),
    ),
    "negotiate with `SIGNALR_CLIENT_TOKENS=service`": (
        lambda service: service.get_client_access_token(HUB),
    ),
    "renew a sign-in, besides what negotiating needs": (
        lambda service: service.refresh_connection_authentication(HUB, NOBODYS),
    ),
    "read the claims of a connection": (lambda service: service.connection_claims(HUB, NOBODYS),),
    "send to everyone": (lambda service: service.send_to_all(HUB, "t"),),
    "send to a group": (lambda service: service.send_to_group(HUB, "g", "t"),),
    "send to a user": (lambda service: service.send_to_user(HUB, "u", "t"),),
    "send to a connection": (lambda service: service.send_to_connection(HUB, "c", "t"),),
    "add to groups, remove from groups": (
        lambda service: service.add_user_to_group(HUB, "g", "u"),
        lambda service: service.remove_user_from_group(HUB, "g", "u"),
        lambda service: service.remove_user_from_all_groups(HUB, "u"),
        lambda service: service.remove_connection_from_group(HUB, "g", "c"),
        lambda service: service.remove_connection_from_all_groups(HUB, "c"),
    ),
    "ask for a group, list its connections": (
        lambda service: service.group_exists(HUB, "g"),
        lambda service: list(service.list_connections_in_group(HUB, "g")),
    ),
    "ask for a user": (lambda service: service.user_exists(HUB, "u"),),
    "ask for a connection": (lambda service: service.connection_exists(HUB, "c"),),
    "close a connection": (lambda service: service.close_connection(HUB, "c"),),
}
BY_SERVER_CONNECTION = (
    "[send by server connection](sending-by-server-connection.md), or answer clients as an"
    " [app server](app-server.md)"
)
BY_SERVICE = "negotiate with `SIGNALR_CLIENT_TOKENS=service`"
RENEWING = "renew a sign-in, besides what negotiating needs"


def table() -> tuple[list[str], dict[str, tuple[str, list[str]]]]:
    """Return the roles, and by operation its data action and who may do it."""
    lines = [line for line in TEXT.splitlines() if line.startswith("|")]
    start = next(i for i, line in enumerate(lines) if line.startswith("| what the app does"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:]]
    operations = {row[0]: (row[1].strip("`"), row[2:]) for row in rows[2 : 3 + len(OPERATIONS)]}
    return [f"SignalR {role}" for role in rows[0][2:]], operations


ROLES, ROWS = table()
IDS = dict(re.findall(r"^\| (SignalR [\w ]+) \| `([0-9a-f-]{36})` \|$", TEXT, re.MULTILINE))
POWERLESS = dict(re.findall(r"\*(SignalR[\w/ ]+)\* \(`([0-9a-f-]{36})`\)", TEXT))
CUSTOM = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0])


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator("--role", "none") as running:
        yield running


@pytest.fixture(autouse=True)
def managed_identity(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, emulator.app_settings[name])


@pytest.fixture
def azure(emulator: RunningEmulator) -> Iterator[AuthorizationManagementClient]:
    with (
        ManagedIdentityCredential() as credential,
        AuthorizationManagementClient(
            credential, SUBSCRIPTION.rpartition("/")[2], base_url=emulator.control_url
        ) as client,
    ):
        yield client


@contextmanager
def assigned(azure: AuthorizationManagementClient, role_id: str) -> Iterator[None]:
    name = str(uuid4())
    definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
    wanted = RoleAssignmentCreateParameters(
        role_definition_id=definition, principal_id=PRINCIPAL, principal_type="ServicePrincipal"
    )
    azure.role_assignments.create(RESOURCE, name, wanted, enforce_https=False)
    try:
        yield
    finally:
        azure.role_assignments.delete(RESOURCE, name, enforce_https=False)


def missing(emulator: RunningEmulator, operation: str) -> list[str]:
    """Do what a row of the table means, and return what is refused."""
    # The key of the next client token is none of this row, and no token is made for nobody.
    without_key = operation in {BY_SERVICE, RENEWING}
    origin = TokenOrigin.SERVICE if without_key else TokenOrigin.ACCESS_KEY
    identity = CredentialSettings(CredentialKind.MANAGED_IDENTITY)
    refused = []
    for do in OPERATIONS[operation]:
        # A client of its own, since a refusal of the access key is remembered for a moment.
        with SignalRServiceClient(emulator.service_url, identity, token_origin=origin) as service:
            try:
                do(service)
            except ConnectionNotFoundError:
                continue
            except PermissionDeniedError as error:
                refused.append(str(error))
            except ServiceUnavailableError as error:
                assert isinstance(error.__cause__, PermissionDeniedError)
                refused.append(str(error.__cause__))
    return refused


def missing_for_sender(emulator: RunningEmulator) -> str | None:
    """Send by a server connection, and return why it is refused."""
    with (
        ManagedIdentityCredential() as credential,
        PersistentSender(emulator.service_url, credential, send_timeout=3) as sender,
    ):
        try:
            sender.send_to_all(HUB, "t")
        except ServiceUnavailableError as error:
            assert isinstance(error.__cause__, PermissionDeniedError)
            return str(error.__cause__)
    return None


def test_the_table_is_of_what_is_tried() -> None:
    assert list(ROWS) == [*OPERATIONS, BY_SERVER_CONNECTION]
    assert set(ROLES) == set(IDS)
    assert len(POWERLESS) == 2


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_allows(
    role: str, emulator: RunningEmulator, azure: AuthorizationManagementClient
) -> None:
    column = ROLES.index(role)
    with assigned(azure, IDS[role]):
        found = {each: "no" if missing(emulator, each) else "yes" for each in OPERATIONS}
        found[BY_SERVER_CONNECTION] = "no" if missing_for_sender(emulator) else "yes"
    assert found == {each: cells[column] for each, (_, cells) in ROWS.items()}


@pytest.mark.parametrize("role", POWERLESS)
def test_roles_that_allow_nothing(
    role: str, emulator: RunningEmulator, azure: AuthorizationManagementClient
) -> None:
    definition = azure.role_definitions.get(RESOURCE, POWERLESS[role], enforce_https=False)
    assert definition.role_name == role
    with assigned(azure, POWERLESS[role]):
        assert all(missing(emulator, each) for each in OPERATIONS)
        assert missing_for_sender(emulator)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_data_action_of_an_operation(operation: str, emulator: RunningEmulator) -> None:
    refused = missing(emulator, operation)
    assert len(refused) == len(OPERATIONS[operation])
    for text in refused:
        assert f"data action {ACTIONS}{ROWS[operation][0]} at" in text


def test_the_data_action_of_a_server_connection(emulator: RunningEmulator) -> None:
    action, _ = ROWS[BY_SERVER_CONNECTION]
    assert f"data action {ACTIONS}{action} at" in str(missing_for_sender(emulator))


def test_the_custom_role_is_enough_and_no_more_than_enough(
    emulator: RunningEmulator, azure: AuthorizationManagementClient
) -> None:
    used = {ROWS[operation][0] for operation in OPERATIONS if operation != BY_SERVICE}
    assert {each.removeprefix(ACTIONS) for each in CUSTOM["DataActions"]} == used
    role_id = str(uuid4())
    azure.role_definitions.create_or_update(
        GROUP, role_id, role_definition(CUSTOM), enforce_https=False
    )
    with assigned(azure, role_id):
        assert [each for each in OPERATIONS if missing(emulator, each)] == [BY_SERVICE]
        assert missing_for_sender(emulator)


def role_definition(custom: dict[str, Any]) -> RoleDefinition:
    """Return what `az role definition create` makes of the page's JSON."""
    (scope,) = custom["AssignableScopes"]
    assert scope == "/subscriptions/<subscription>/resourceGroups/<resource group>"
    return RoleDefinition(
        role_name=custom["Name"],
        description=custom["Description"],
        role_type="CustomRole",
        permissions=[
            Permission(
                actions=custom["Actions"],
                not_actions=custom["NotActions"],
                data_actions=custom["DataActions"],
                not_data_actions=custom["NotDataActions"],
            )
        ],
        assignable_scopes=[GROUP],
    )


def test_the_error_looks_as_the_page_shows_it() -> None:
    principal = "11111111-1111-1111-1111-111111111111"
    claims = json.dumps({"oid": principal, "aud": "https://signalr.azure.com"}).encode()
    token = f"e30.{urlsafe_b64encode(claims).rstrip(b'=').decode()}.signature"
    endpoint = Endpoint("https://contoso.service.signalr.net")
    assert str(missing_permission("auth/accessKey/action", endpoint, token)) in TEXT
