import jwt
import pytest
from signalr_emulator import Config
from signalr_emulator.authentication.access_keys import EMULATOR_KEY
from signalr_emulator.configuration.settings import FurtherService

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.wire import API_VERSION, Wire

TWO = Config(service_port=0, further_services=(FurtherService(0),), control_port=0)


async def exists(wire: Wire, url: str, connection_id: str) -> int:
    answer = await wire.request(
        "HEAD",
        f"{url}/api/hubs/chat/connections/{connection_id}?api-version={API_VERSION}",
        headers={"Authorization": f"Bearer {await wire.entra_token()}"},
    )
    return answer.status


async def test_settings_name_every_endpoint(start: StartWire) -> None:
    async with start(TWO) as wire:
        settings = wire.emulator.app_settings()
        first, second = wire.emulator.service_urls
    assert first != second
    assert settings["AzureSignalRConnectionString__serviceUri"] == first
    assert settings["Azure__SignalR__Endpoints__local__serviceUri"] == first
    assert settings["Azure__SignalR__Endpoints__local_2__serviceUri"] == second


def test_names_of_resources() -> None:
    services = (FurtherService(1), FurtherService(2, "orders"))
    group = Config().resource_id.removesuffix("/local")
    assert [
        (each.name, each.resource_id, each.port)
        for each in Config(service_port=0, further_services=services).resources
    ] == [
        ("local", f"{group}/local", 0),
        ("local-2", f"{group}/local-2", 1),
        ("orders", f"{group}/orders", 2),
    ]


async def test_single_endpoint_has_no_name(wire: Wire) -> None:
    assert not [name for name in wire.emulator.app_settings() if "Endpoints" in name]


async def test_connections_and_activity_are_apart(start: StartWire) -> None:
    async with start(TWO) as wire:
        first, second = wire.emulator.service_urls
        socket = await wire.connect()
        assert await exists(wire, first, socket.connection_id) == 200
        assert await exists(wire, second, socket.connection_id) == 404
        state = await wire.control("/emulator/state")
    assert set(state["resources"]) == {"local", "local-2"}
    assert state["resources"]["local"]["connections"] == {"chat": 1}
    assert state["resources"]["local-2"]["connections"] == {}
    assert state["resources"]["local-2"]["keyRequests"] == 0
    scopes = [each["scope"].rpartition("/")[2] for each in state["roleAssignments"]]
    # The managed identity and the app registration have the role at each.
    assert sorted(scopes) == ["local", "local", "local-2", "local-2"]


async def test_temporary_key_of_another_resource(start: StartWire) -> None:
    async with start(TWO) as wire:
        token = await wire.client_token()
        answers = [
            await wire.request(
                "POST",
                f"{url}/client/negotiate?hub=chat&negotiateVersion=1",
                headers={"Authorization": f"Bearer {token}"},
            )
            for url in wire.emulator.service_urls
        ]
    assert [answer.status for answer in answers] == [200, 401]


@pytest.mark.parametrize(
    ("key", "statuses"),
    [(EMULATOR_KEY, [202, 401]), (f"{EMULATOR_KEY}2", [401, 202])],
    ids=["first", "second"],
)
async def test_own_key_of_another_resource(start: StartWire, key: str, statuses: list[int]) -> None:
    async with start(TWO) as wire:
        url = f"http://127.0.0.1/api/hubs/chat/:send?api-version={API_VERSION}"
        token = jwt.encode({"aud": url, "exp": int(NOW) + 60}, key, "HS256")
        answers = [
            await wire.request(
                "POST",
                f"{service_url}/api/hubs/chat/:send?api-version={API_VERSION}",
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
                data=b'{"target": "t"}',
            )
            for service_url in wire.emulator.service_urls
        ]
    assert [answer.status for answer in answers] == statuses
