import json
from base64 import urlsafe_b64encode
from fnmatch import fnmatchcase

import pytest

from shared.identity.permissions import missing_permission, refused_token
from shared.rest import operations
from shared.rest.operations import Operation
from shared.settings.endpoint import Endpoint

CONTOSO = Endpoint("https://contoso.service.signalr.net")
ROLES = {
    "SignalR App Server": [
        "auth/accessKey/action", "serverConnection/write", "clientConnection/write",
    ],
    "SignalR REST API Owner": [
        "auth/clientToken/action", "hub/*", "group/*", "clientConnection/*", "user/*",
    ],
    "SignalR Service Owner": ["*"],
}  # fmt: skip
"""What each built-in role allows: the Azure built-in roles reference."""


def token(**claims: object) -> str:
    payload = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.signature"


TOKEN = token(oid="11111111-1111", tid="2222", aud="https://signalr.azure.com")


@pytest.mark.parametrize(
    ("action", "narrower"),
    [
        ("auth/accessKey/action", "SignalR App Server"),
        ("auth/clientToken/action", "SignalR REST API Owner"),
        ("hub/send/action", "SignalR REST API Owner"),
        ("group/send/action", "SignalR REST API Owner"),
        ("user/read", "SignalR REST API Owner"),
        ("clientConnection/write", "SignalR REST API Owner"),
    ],
)
def test_the_roles_that_allow_an_action(action: str, narrower: str) -> None:
    said = str(missing_permission(action, CONTOSO, TOKEN))
    assert f"'SignalR Service Owner' has it, or '{narrower}', which " in said
    assert f"the data action Microsoft.SignalRService/SignalR/{action} at the scope" in said


def test_each_role_that_is_named_allows_the_operation() -> None:
    needed = {each.permission for each in vars(operations).values() if isinstance(each, Operation)}
    for action in needed - {""}:
        said = str(missing_permission(action, CONTOSO, TOKEN))
        named = [role for role in ROLES if f"'{role}'" in said]
        assert len(named) == 2, action
        for role in named:
            assert any(fnmatchcase(action, each) for each in ROLES[role]), (action, role)


def test_the_command_that_mends_it() -> None:
    said = str(missing_permission("hub/send/action", CONTOSO, TOKEN))
    assert said.startswith(
        "the principal 11111111-1111 (audience https://signalr.azure.com) has no role"
    )
    assert (
        "az role assignment create --assignee-object-id 11111111-1111"
        ' --assignee-principal-type ServicePrincipal --role "SignalR Service Owner"'
        " --scope /subscriptions/<subscription>/resourceGroups/<resource group>"
        "/providers/Microsoft.SignalRService/SignalR/contoso. "
    ) in said
    assert said.endswith("can take up to 30 minutes to be effective")


def test_a_person_is_no_service_principal() -> None:
    person = token(oid="1", scp="user_impersonation")
    command = missing_permission("hub/send/action", CONTOSO, person).command
    assert "--assignee-object-id 1 --assignee-principal-type User --role" in command


def test_an_address_of_this_machine_names_no_resource() -> None:
    missing = missing_permission("hub/send/action", Endpoint("http://127.0.0.1:8888"), TOKEN)
    assert missing.scope.endswith("/Microsoft.SignalRService/SignalR/<SignalR resource>")


def test_a_refused_token_is_told_with_what_the_service_compares() -> None:
    said = refused_token(Endpoint("https://contoso.signalr.azure.cn"), TOKEN)
    assert (
        "the Entra token of the principal 11111111-1111, tenant 2222, audience"
        " https://signalr.azure.com." in said
    )
    assert "the SignalR resource contoso, its audience https://signalr.azure.com," in said


@pytest.mark.parametrize(
    "unreadable", ["", "opaque", "a.b", "a.!.c", "a.ä.c", "a.bnVsbA.c", "a._w.c", token()]
)
def test_a_token_that_cannot_be_read_leaves_gaps(unreadable: str) -> None:
    said = str(missing_permission("hub/send/action", CONTOSO, unreadable))
    assert said.startswith("the principal <object id> (audience <unknown>) has no role")
    assert "principal ?, tenant ?, audience ?." in refused_token(CONTOSO, unreadable)


def test_the_token_itself_is_never_told() -> None:
    for said in (missing_permission("user/read", CONTOSO, TOKEN), refused_token(CONTOSO, TOKEN)):
        assert "signature" not in f"{said} {said!r}"
