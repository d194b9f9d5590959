"""Which audiences a token may have where the emulator has a name, as in a container.

Sources: Azure SignalR .NET SDK (the endpoint's scheme and host without its port, for clients, app
servers and the REST API); REST API reference (the URL of the call). Of Entra tokens: the scope of
the SDKs, with and without a slash at its end.
"""

from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlsplit

import aiohttp
import pytest
from signalr_emulator import Config
from signalr_emulator.documents.json_text import Json

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.connection_string import ConnectionString
from emulator.tests.wire import Wire

TIMES: dict[str, Json] = {"nbf": int(NOW), "exp": int(NOW) + 3600, "iat": int(NOW)}
BASES = (
    "http://signalr",
    "http://SignalR",
    "http://signalr:{port}",
    "http://localhost",
    "http://localhost:{port}",
    "http://127.0.0.1:{port}",
)
PUBLISHED = "http://signalr:18888"
"""By a port that a container's host has, and the emulator does not know."""
FOREIGN = ("http://other", "http://other:{port}", "https://signalr", "http://signalr:1", "signalr")
REST = "/api/hubs/chat/:send?api-version=2022-06-01"


@pytest.fixture
async def wire(start: StartWire) -> AsyncIterator[Wire]:
    config = Config(service_port=0, control_port=0, host_names=frozenset(("signalr",)))
    async with start(config) as wire:
        yield wire


async def statuses(wire: Wire, base: str, host: str) -> list[int]:
    """Call by each way in, with a token for this address, and give what is answered."""
    (text,) = wire.emulator.connection_strings()
    sign = ConnectionString.parse(text).token
    port = urlsplit(wire.emulator.service_url).port
    base, host = base.format(port=port), host.format(port=port)
    request = partial(wire.session.request, headers={"Host": host})
    found = []
    for method, path, audience in (
        ("POST", "/client/negotiate?hub=chat", "/client/?hub=chat"),
        ("POST", REST, REST),
        ("POST", "/api/v1/hubs/chat", "/api/v1/hubs/chat"),
    ):
        headers = {"Host": host, "Authorization": f"Bearer {sign(base + audience, TIMES)}"}
        body = {"target": "say", "arguments": []}
        url = wire.emulator.service_url + path
        async with request(method, url, headers=headers, json=body) as answer:
            found.append(answer.status)
    headers = {"Host": host, "Authorization": f"Bearer {sign(f'{base}/server/?hub=chat', TIMES)}"}
    try:
        url = f"{wire.emulator.service_url}/server/?hub=chat"
        async with wire.session.ws_connect(url, headers=headers):
            found.append(101)
    except aiohttp.WSServerHandshakeError as error:
        found.append(error.status)
    return found


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("host", ["signalr:{port}", "signalr", "localhost:{port}"])
async def test_every_name_of_the_emulator_with_and_without_its_port(
    wire: Wire, base: str, host: str
) -> None:
    assert await statuses(wire, base, host) == [200, 202, 202, 101]


async def test_the_port_by_which_it_is_called(wire: Wire) -> None:
    assert await statuses(wire, PUBLISHED, "signalr:18888") == [200, 202, 202, 101]
    # It is the port of the request, and of no other one.
    assert await statuses(wire, PUBLISHED, "signalr:{port}") == [401] * 4


@pytest.mark.parametrize("base", FOREIGN)
async def test_what_is_no_name_of_the_emulator(wire: Wire, base: str) -> None:
    assert await statuses(wire, base, "signalr:{port}") == [401] * 4


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("https://signalr.azure.com", 202),
        ("https://signalr.azure.com/", 202),
        ("https://signalr.azure.com/x", 401),
        ("https://management.azure.com", 401),
    ],
)
async def test_entra_tokens(wire: Wire, resource: str, status: int) -> None:
    query = f"api-version=2019-08-01&resource={resource}"
    token = (await wire.identity(query)).json["access_token"]
    answer = await wire.rest("POST", REST, body={"target": "say", "arguments": []}, token=token)
    assert answer.status == status
