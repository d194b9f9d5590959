"""The connection string of Microsoft's emulator works as it is."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest
from signalr_emulator import Config
from signalr_emulator.documents.json_text import Json
from signalr_emulator.errors import PortUnavailableError

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.connection_string import ConnectionString
from emulator.tests.real_client import javascript, started
from emulator.tests.wire import Wire

TEXT = (
    "Endpoint=http://localhost;Port=8888;"
    "AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH;Version=1.0;"
)
QUERY = "?api-version=2022-06-01"
TIMES: dict[str, Json] = {"nbf": int(NOW), "exp": int(NOW) + 3600, "iat": int(NOW)}


@asynccontextmanager
async def serving(start: StartWire) -> AsyncIterator[tuple[Wire, ConnectionString]]:
    """Run an emulator for the text as it is; with another port if somebody else has that one."""
    async with AsyncExitStack() as stack:
        try:
            wire = await stack.enter_async_context(start(Config()))
        except PortUnavailableError:
            config = Config(service_port=0, control_port=0)
            wire = await stack.enter_async_context(start(config))
        port = wire.emulator.service_url.rpartition(":")[2]
        yield wire, ConnectionString.parse(TEXT.replace("8888", port))


@pytest.mark.parametrize(
    ("algorithm", "kid"), [("HS256", None), ("HS256", "-1093451172"), ("HS512", "7")]
)
@pytest.mark.parametrize("with_port", [False, True])
async def test_default_connection_string(
    start: StartWire, algorithm: str, kid: str | None, *, with_port: bool
) -> None:
    async with serving(start) as (wire, service):
        base = service.url if with_port else service.endpoint
        user: dict[str, Json] = {"asrs.s.uid": "ann"}
        sign = partial(service.token, algorithm=algorithm, kid=kid)
        token = sign(f"{base}/client/?hub=chat", TIMES | user)
        url = f"{service.url}/client/?hub=chat"
        async with javascript("client.mjs", url, token, "WebSockets", "json") as client:
            await started(client)
            path = f"/api/hubs/chat/users/ann/:send{QUERY}"
            name: dict[str, Json] = {"nameid": "machine_0f8fad5bd9cb469fa16570867728950e"}
            token = sign(f"{base}{path}", TIMES | name)
            message: Json = {"Target": "say", "Arguments": ["hi"]}
            answer = await wire.rest("POST", path, body=message, token=token)
            assert answer.status == 202
            assert await client.event() == {"event": "say", "arguments": ["hi"]}


async def test_another_algorithm(wire: Wire) -> None:
    service = ConnectionString.parse(TEXT)
    path = f"/api/hubs/chat/:send{QUERY}"
    sign = partial(service.token, claims=TIMES, algorithm="HS384")
    answer = await wire.rest(
        "POST", path, body={"target": "say"}, token=sign(f"{service.endpoint}{path}")
    )
    assert answer.status == 401
    token = sign(f"{service.endpoint}/client/?hub=chat")
    assert (await wire.negotiate(token=token)).status == 401
