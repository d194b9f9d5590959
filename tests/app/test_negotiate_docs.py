"""The policies of docs/negotiate.md, run as they stand there."""

import re
from pathlib import Path
from typing import Any

import pytest

from shared import CredentialSettings, Hubs, Transports
from shared.aio import SignalRServiceClient
from shared.functions import (
    Caller,
    Connection,
    Identity,
    NegotiateRequest,
    NegotiateSettings,
    NotAllowedError,
    SignalRFunctions,
)

TEXT = (Path(__file__).parents[2] / "docs" / "negotiate.md").read_text()
ADMINISTRATORS, TENANTS, EACH_HUB, REQUEST = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def admit(code: str, caller: Caller, hub: str) -> Connection:
    connection: Connection = named(code)["admit"](caller, hub, Connection("ann"))
    return connection


def test_administrators_alone_get_a_short_connection_that_ends_with_their_session() -> None:
    assert admit(ADMINISTRATORS, Caller("ann"), "chat") == Connection("ann")
    with pytest.raises(NotAllowedError):
        admit(ADMINISTRATORS, Caller("ann"), "admin")
    with pytest.raises(NotAllowedError):
        admit(ADMINISTRATORS, Caller("ann", {"roles": "administrative"}), "admin")
    assert admit(ADMINISTRATORS, Caller("ann", {"roles": "admin"}), "admin").options is not None
    granted = admit(ADMINISTRATORS, Caller("ann", {"roles": ["admin"]}, 5.0), "admin")
    assert granted.minutes_to_expire == 5
    assert granted.options is not None
    assert granted.options.close_at == 5.0


def test_tenants_keep_to_themselves() -> None:
    caller = Caller("ann", {"tid": "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"})
    granted = admit(TENANTS, caller, "")
    assert Hubs.of(["tenant_*"]).find(granted.hub) == "tenant_7d3e5a90_61bc_4c2f_9f08_a4b7d21e6c83"
    assert granted.options is not None
    assert granted.options.transports is Transports.WEB_SOCKETS
    assert admit(TENANTS, caller, "tenant_t2").hub == granted.hub
    with pytest.raises(NotAllowedError):
        admit(TENANTS, Caller("bob"), "tenant_t1")


async def test_each_hub_has_its_policy_and_each_policy_what_it_takes() -> None:
    async with SignalRServiceClient("http://127.0.0.1:1", CredentialSettings()) as service:
        settings = NegotiateSettings((Identity.ANONYMOUS,))
        SignalRFunctions(service, ["chat", "public_*"], settings, policy=named(EACH_HUB)["admit"])
        SignalRFunctions(service, ["chat"], settings, policy=named(REQUEST)["admit"])
    with pytest.raises(NotAllowedError):
        named(EACH_HUB)["admit"]["chat"](Caller(), "chat", Connection())


async def test_a_policy_by_request_and_service() -> None:
    class Service:
        async def user_exists(self, hub: str, user_id: str) -> bool:
            return (hub, user_id) == ("chat", "ann")

    async def asked(user: str, **query: tuple[str, ...]) -> Connection:
        admit = named(REQUEST)["admit"]
        connection = Connection(user)
        found: Connection = await admit(
            Caller(user), "chat", connection, NegotiateRequest(query=query), Service()
        )
        return found

    assert (await asked("bob", room=("42",))).claims == {"room": "42"}
    assert (await asked("bob")).claims == {"room": "lobby"}
    with pytest.raises(NotAllowedError):
        await asked("ann")


def named(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  our own documentation
    return names
