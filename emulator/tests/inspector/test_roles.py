"""Who has which role, changed on the page."""

import json
from typing import Any

import pytest
from signalr_emulator import Config
from signalr_emulator.access_control.roles import APP_SERVER, SERVICE_OWNER, Role
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED

from emulator.tests.conftest import StartWire
from emulator.tests.inspector.stream import watching
from emulator.tests.wire import Wire


async def shown(wire: Wire) -> Any:  # noqa: ANN401 - a test knows what it expects
    async with watching(wire) as state:
        return await state()


async def switch(wire: Wire, assignment: str, body: object) -> int:
    answer = await wire.request(
        "POST",
        f"{wire.emulator.control_url}/emulator/role-assignments/{assignment}",
        data=json.dumps(body).encode(),
    )
    return answer.status


async def test_a_role_assignment_is_switched_off_and_on(wire: Wire) -> None:
    async with watching(wire) as state:
        assignment = (await state())["roleAssignments"][0]
    assert assignment["role"] == "SignalR Service Owner"
    assert assignment["principalId"] == SYSTEM_ASSIGNED.principal_id
    assert assignment["enabled"] is True
    assert (await wire.send("chat/")).status == 202

    assert await switch(wire, assignment["id"], {"enabled": False}) == 200
    assert (await wire.send("chat/")).status == 403
    async with watching(wire) as state:
        assert (await state())["roleAssignments"][0]["enabled"] is False

    assert await switch(wire, assignment["id"], {"enabled": True}) == 200
    assert (await wire.send("chat/")).status == 202


async def test_an_assignment_made_anew_has_effect(wire: Wire) -> None:
    async with watching(wire) as state:
        shown = (await state())["roleAssignments"][0]
    roles = wire.emulator.service.roles
    assignment = roles.assignment(shown["scope"], shown["id"])
    assert await switch(wire, shown["id"], {"enabled": False}) == 200
    roles.delete_assignment(assignment)
    roles.put_assignment(assignment, SYSTEM_ASSIGNED.principal_id)
    assert (await wire.send("chat/")).status == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enabled": "yes"},
        {"enabled": None},
        [],
        1,
        {"role": "Reader"},
        {"role": None},
        {"role": "SignalR App Server", "enabled": "yes"},
    ],
)
async def test_a_switch_that_is_not_understood(wire: Wire, body: object) -> None:
    async with watching(wire) as state:
        assignment = (await state())["roleAssignments"][0]
    assert await switch(wire, assignment["id"], body) == 400


async def test_an_unknown_role_assignment(wire: Wire) -> None:
    assert await switch(wire, "unknown", {"enabled": True}) == 404


async def test_another_role_is_chosen(wire: Wire) -> None:
    assignment = (await shown(wire))["roleAssignments"][0]
    assert await switch(wire, assignment["id"], {"role": APP_SERVER.name}) == 200
    assert (await wire.send("chat/")).status == 403
    assert (await wire.rest("GET", "/api/v1/auth/accessKey")).status == 200
    assert (await shown(wire))["roleAssignments"][0] == {**assignment, "role": APP_SERVER.name}

    assert await switch(wire, assignment["id"], {"role": SERVICE_OWNER.name}) == 200
    assert (await wire.send("chat/")).status == 202


async def test_a_role_that_is_switched_off_stays_off_when_it_becomes_another(wire: Wire) -> None:
    assignment = (await shown(wire))["roleAssignments"][0]
    assert await switch(wire, assignment["id"], {"enabled": False}) == 200
    assert await switch(wire, assignment["id"], {"role": APP_SERVER.name}) == 200
    assert (await wire.rest("GET", "/api/v1/auth/accessKey")).status == 403
    assert await switch(wire, assignment["id"], {"role": APP_SERVER.name, "enabled": True}) == 200
    assert (await wire.rest("GET", "/api/v1/auth/accessKey")).status == 200


async def test_the_roles_of_the_configuration_can_be_chosen(start: StartWire) -> None:
    sender = Role(
        role_id="11111111-2222-3333-4444-555555555555",
        name="Sender",
        data_actions=("Microsoft.SignalRService/SignalR/hub/send/action",),
        assignable_scopes=(Config().resource_id,),
    )
    async with start(Config(service_port=0, control_port=0, role=sender)) as wire:
        state = await shown(wire)
        roles = {each["name"]: each["isCustom"] for each in state["roles"]}
        assert (roles["Sender"], roles[SERVICE_OWNER.name]) == (True, False)
        assignment = state["roleAssignments"][0]["id"]
        assert await switch(wire, assignment, {"role": SERVICE_OWNER.name}) == 200
        assert await switch(wire, assignment, {"role": "Sender"}) == 200
        assert (await wire.send("chat/")).status == 202
        assert (await wire.send("chat/users/ann/")).status == 403


async def test_who_has_no_role_is_given_one(start: StartWire) -> None:
    async with start(Config(service_port=0, control_port=0, role=None)) as wire:
        assert (await wire.send("chat/")).status == 403
        url = f"{wire.emulator.control_url}/emulator/role-assignments"
        wanted = {"principalId": SYSTEM_ASSIGNED.principal_id, "role": SERVICE_OWNER.name}
        given = await wire.request("POST", url, data=json.dumps(wanted).encode())
        assert given.status == 201
        assert (await wire.send("chat/")).status == 202
        assert (await shown(wire))["roleAssignments"][0]["id"] == given.json["id"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": SERVICE_OWNER.name}, "#/principalId"),
        ({"principalId": "p", "role": "Owner"}, "#/role"),
        ({"principalId": "p", "role": SERVICE_OWNER.name, "at": "/"}, "#/at"),
    ],
)
async def test_a_role_that_cannot_be_given(wire: Wire, body: object, pointer: str) -> None:
    url = f"{wire.emulator.control_url}/emulator/role-assignments"
    answer = await wire.request("POST", url, data=json.dumps(body).encode())
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, pointer)
