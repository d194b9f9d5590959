import json
from typing import Any

import aiohttp
import pytest
from signalr_emulator import Clock, Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.transports.timing import Timing

from emulator.tests.conftest import StartWire
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Socket, Wire, said


async def test_negotiation(wire: Wire) -> None:
    answer = await wire.negotiate()
    assert answer.status == 200
    assert answer.json == {
        "negotiateVersion": 1,
        "connectionId": answer.json["connectionId"],
        "connectionToken": answer.json["connectionToken"],
        "availableTransports": [
            {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
            {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
            {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
        ],
    }


@pytest.mark.parametrize(
    ("query", "version"), [("", 0), ("&negotiateVersion=0", 0), ("&negotiateVersion=9", 1)]
)
async def test_negotiate_versions(wire: Wire, query: str, version: int) -> None:
    reply = (await wire.negotiate(query=query)).json
    assert reply["negotiateVersion"] == version
    assert ("connectionToken" in reply) is bool(version)


@pytest.mark.parametrize("version", ["x", "-1", "", "1.0", "9" * 5000])
async def test_negotiate_version_that_is_no_number(wire: Wire, version: str) -> None:
    answer = await wire.negotiate(query=f"&negotiateVersion={version}")
    assert answer.status == 200
    assert set(answer.json) == {"error"}


async def test_version_0_connects_with_the_connection_id(wire: Wire) -> None:
    reply = (await wire.negotiate(query="")).json
    ws = await wire.open(connection_token=reply["connectionId"])
    await ws.send_str(HANDSHAKE)
    assert await Socket(ws, reply["connectionId"]).text() == HANDSHAKE_REPLY


@pytest.mark.parametrize("path", ["/client/", "/client"])
async def test_connection_without_negotiation(wire: Wire, path: str) -> None:
    headers = {"Authorization": f"Bearer {await wire.client_token('Chat')}"}
    ws = await wire.session.ws_connect(
        f"{wire.emulator.service_url}{path}?hub=CHAT", headers=headers
    )
    await ws.send_str(HANDSHAKE)
    socket = Socket(ws, "unknown")
    assert await socket.text() == HANDSHAKE_REPLY
    await wire.send("chat/", "hi")
    assert await socket.text() == said("hi")


@pytest.mark.parametrize(
    ("claims", "user"),
    [
        ({"sub": "dora"}, "dora"),
        ({"sub": "dora", "nameid": "ben"}, "dora"),
        ({"nameid": "ben", "sub": "dora"}, "ben"),
        ({"sub": "dora", "asrs.s.uid": "ann"}, "ann"),
    ],
)
async def test_what_is_sent_to_a_user_reaches_whom_the_token_means(
    wire: Wire, claims: dict[str, Any], user: str
) -> None:
    ws = await wire.open(token=await wire.client_token(**claims))
    await ws.send_str(HANDSHAKE)
    socket = Socket(ws, "unknown")
    assert await socket.text() == HANDSHAKE_REPLY
    for each in ("ann", "ben", "dora"):
        await wire.send(f"chat/users/{each}/", each)
    await wire.send("chat/", "end")
    assert [await socket.text() for _ in range(2)] == [said(user), said("end")]


async def refusal(wire: Wire, **options: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await wire.open(**options)
    return caught.value.status


async def test_connection_tokens_that_cannot_connect(wire: Wire) -> None:
    token = (await wire.negotiate()).json["connectionToken"]
    assert await refusal(wire, connection_token="unknown") == 404
    assert await refusal(wire, hub="news", connection_token=token) == 404
    ws = await wire.open(connection_token=token)
    assert await refusal(wire, connection_token=token) == 409
    await ws.close()
    while (status := await refusal(wire, connection_token=token)) == 409:
        continue
    assert status == 404


async def test_negotiated_connection_does_not_wait_forever(start: StartWire) -> None:
    timing = Timing(connect=0)
    async with start(Config(service_port=0, control_port=0, timing=timing)) as wire:
        token = (await wire.negotiate()).json["connectionToken"]
        assert await refusal(wire, connection_token=token) == 404


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "http://127.0.0.1/client/?hub=news"},
        {"aud": "https://127.0.0.1/client/?hub=chat"},
        {"aud": None},
        {"exp": 1_699_999_999},
        {"exp": None},
        {"nbf": 1_700_000_001},
    ],
    ids=str,
)
async def test_wrong_client_tokens(wire: Wire, claims: dict[str, Any]) -> None:
    token = await wire.client_token(**claims)
    answer = await wire.negotiate(token=token)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert await refusal(wire, token=token) == 401


async def test_audience_may_name_the_port(wire: Wire) -> None:
    audience = f"{wire.emulator.service_url}/client/?hub=chat"
    assert (await wire.negotiate(token=await wire.client_token(aud=audience))).status == 200


async def test_no_token_and_entra_token(wire: Wire) -> None:
    url = f"{wire.emulator.service_url}/client/negotiate?hub=chat"
    assert (await wire.request("POST", url)).status == 401
    assert (await wire.negotiate(token=await wire.entra_token())).status == 401


@pytest.mark.parametrize("token", ["%C3%A9", "%FF", "%00", "a.b.c"])
async def test_token_that_is_no_token(wire: Wire, token: str) -> None:
    url = f"{wire.emulator.service_url}/client/negotiate?hub=chat&access_token={token}"
    assert (await wire.request("POST", url)).status == 401


async def test_token_ends_with_the_key_that_signed_it(wire: Wire, clock: Clock) -> None:
    token = await wire.client_token(exp=1_700_100_000)
    clock.advance(90 * 60 - 1)
    assert (await wire.negotiate(token=token)).status == 200
    clock.advance(1)
    assert (await wire.negotiate(token=token)).status == 401


async def test_connections_outlive_the_clock(wire: Wire, clock: Clock) -> None:
    socket = await wire.connect()
    clock.advance(3600 * 24)
    # The app's own token has ended.
    wire = Wire(wire.emulator, wire.session)
    await wire.send("chat/", "hi")
    assert await socket.text() == said("hi")


@pytest.mark.parametrize("query", ["", "?hub=", "?hub=1"])
async def test_hub_is_required(wire: Wire, query: str) -> None:
    url = f"{wire.emulator.service_url}/client/negotiate{query}"
    assert (await wire.request("POST", url)).status == 400


async def test_cors(wire: Wire) -> None:
    origin = "http://localhost:3000"
    url = f"{wire.emulator.service_url}/client/negotiate?hub=chat&negotiateVersion=1"
    preflight = await wire.request(
        "OPTIONS",
        url,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-signalr-user-agent",
        },
    )
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
    assert preflight.headers["Access-Control-Allow-Headers"] == "authorization,x-signalr-user-agent"
    refused = await wire.request("POST", url, headers={"Origin": origin})
    assert refused.status == 401
    for answer in (preflight, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert answer.headers["Vary"] == "Origin"
    plain = await wire.request("POST", url)
    assert "Access-Control-Allow-Origin" not in plain.headers
    health = await wire.request(
        "HEAD", f"{wire.emulator.service_url}/api/health", headers={"Origin": origin}
    )
    assert "Access-Control-Allow-Origin" not in health.headers


@pytest.mark.parametrize("query", ["", "&useStatefulReconnect=true"])
async def test_default_mode_without_app_server(start: StartWire, query: str) -> None:
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)
    async with start(config) as wire:
        negotiated = (await wire.negotiate(query=f"&negotiateVersion=1{query}")).json
        ws = await wire.open(connection_token=negotiated["connectionToken"])
        await ws.send_str(HANDSHAKE)
        socket = Socket(ws, negotiated["connectionId"])
        refused = json.loads((await socket.text()).removesuffix("\x1e"))
        assert refused["error"].startswith("SignalR Service is now in 'Default' service mode")
        await socket.closed()
        assert await wire.connection_counts() == {}


async def test_origins_that_may_connect(start: StartWire) -> None:
    allowed = frozenset(("https://contoso.com",))
    async with start(Config(service_port=0, control_port=0, allowed_origins=allowed)) as wire:
        url = f"{wire.emulator.service_url}/client/negotiate?hub=chat"
        for origin, expected in (("https://contoso.com", "https://contoso.com"), ("null", None)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            preflight = await wire.request("OPTIONS", url, headers=headers)
            assert preflight.status == 204
            assert preflight.headers.get("Access-Control-Allow-Origin") == expected
