"""The ports of the service speak TLS where that is chosen, to clients and app servers alike."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from signalr_emulator import Clock, Config, running
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.client_endpoint.test_real_clients import WAYS
from emulator.tests.client_endpoint.test_web_socket import greeting, other_is_cut, read_all, until
from emulator.tests.conftest import StartWire
from emulator.tests.real_client import javascript, started
from emulator.tests.server_endpoint.stub import app_server
from emulator.tests.wire import HANDSHAKE_REPLY, Wire

TLS = Config(service_port=0, control_port=0, tls=True)


@pytest.fixture
async def wire(start: StartWire) -> AsyncIterator[Wire]:
    async with start(TLS) as wire:
        yield wire


async def connected_by_hand(wire: Wire) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect a client that reads only when it is told to, and may send what it likes."""
    token = await wire.client_token()
    reader, writer = await wire.raw()
    writer.write(greeting(token))
    return reader, writer


@pytest.mark.parametrize(("transport", "protocol"), WAYS)
async def test_a_real_client_by_every_transport(
    wire: Wire, tmp_path: Path, transport: str, protocol: str
) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(wire.emulator.ca_certificate)
    token = await wire.client_token()
    arguments = (wire.hub_url(), token, transport, protocol)
    assert wire.hub_url().startswith("https://127.0.0.1:")
    async with javascript("client.mjs", *arguments, trusted=ca_file) as client:
        connection_id = await started(client)
        long = "ü" * 20_000
        await wire.send("chat/", long)
        assert await client.event() == {"event": "say", "arguments": [long]}
        assert (await wire.invoke(connection_id, "double", 21)).json == {"result": 42}
        wire.member(connection_id).disconnect("bye", allow_reconnect=False)
        closed = await client.event()
        assert closed == {"event": "closed", "error": "Server returned an error on close: bye"}
    assert await wire.connection_counts() == {}


async def test_nobody_is_answered_without_tls(wire: Wire) -> None:
    url = wire.emulator.service_url.replace("https:", "http:")
    with pytest.raises(aiohttp.ClientError):
        await wire.session.get(f"{url}/api/health")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "signalr", "other"])
async def test_the_certificate_has_the_names_of_the_emulator(start: StartWire, name: str) -> None:
    config = Config(service_port=0, control_port=0, tls=True, host_names=frozenset(("signalr",)))
    async with start(config) as wire:
        trust = ssl.create_default_context(cadata=wire.emulator.ca_certificate)
        port = urlsplit(wire.emulator.service_url).port

        async def answered() -> bytes:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=trust, server_hostname=name
            )
            host = f"[{name}]" if ":" in name else name
            writer.write(f"GET /api/v1/health HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            try:
                return await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()

        if name == "other":
            with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
                await answered()
        else:
            assert (await answered()).split()[1] == b"200"


async def test_a_slow_client_is_cut_and_the_others_go_on(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, tls=True, max_write_buffer=100_000)
    async with start(config) as wire:
        fast = await wire.connect()
        _reader, writer = await connected_by_hand(wire)
        await other_is_cut(wire, fast)
        writer.transport.abort()
        await fast.ws.close()


async def test_who_breaks_the_protocol_is_told_why(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await connected_by_hand(wire)
    await reader.readuntil(HANDSHAKE_REPLY.encode())
    fragment_of_nothing = bytes([0x80, 0x80, 0, 0, 0, 0])
    writer.write(fragment_of_nothing)
    status = aiohttp.WSCloseCode.PROTOCOL_ERROR.to_bytes(2)
    assert (await reader.readuntil(status)).endswith(bytes([0x88, 2]) + status)
    assert await wire.connection_counts() == {}
    writer.close()
    await writer.wait_closed()
    # TLS has no end of one direction alone, and to ask for one would be an error.
    assert [each for each in caplog.records if each.name == "asyncio"] == []


async def test_a_client_whose_connection_breaks_is_gone(wire: Wire) -> None:
    connected = await wire.connect()
    connected.ws.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    async def gone() -> bool:
        return await wire.connection_counts() == {}

    await until(gone)
    await connected.ws.close()


async def test_a_client_that_is_dropped(wire: Wire) -> None:
    connected = await wire.connect()
    await wire.drop(connected.connection_id)
    assert await connected.closed() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_stopping_tells_the_clients(signing_key: SigningKey, clock: Clock) -> None:
    async with running(TLS, clock=clock, signing_key=signing_key) as emulator:
        trust = ssl.create_default_context(cadata=emulator.ca_certificate)
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust))
        socket = await Wire(emulator, session).connect()
        # The client reads while the emulator stops, as it has to answer the closing handshake.
        reading = asyncio.create_task(read_all(socket))
    assert await reading == ['{"type":7,"allowReconnect":true}\x1e']
    await session.close()


async def test_a_token_and_a_link_that_the_service_makes_have_its_scheme(wire: Wire) -> None:
    made = await wire.rest("POST", "/api/hubs/chat/:generateToken?api-version=2022-11-01")
    assert (await wire.negotiate(token=made.json["token"])).status == 200
    members = await wire.connect(), await wire.connect()
    for member in members:
        path = f"/api/hubs/chat/groups/g/connections/{member.connection_id}"
        assert (await wire.rest("PUT", f"{path}?api-version=2024-12-01")).status == 200
    query = "api-version=2024-12-01&maxpagesize=1"
    page = (await wire.rest("GET", f"/api/hubs/chat/groups/g/connections?{query}")).json
    assert page["nextLink"].startswith(f"{wire.emulator.service_url}/")
    for member in members:
        await member.ws.close()


async def test_app_servers(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, tls=True, service_mode=ServiceMode.DEFAULT)
    async with start(config) as wire, app_server(wire) as server:
        ws = await server.client(wire)
        await server.accept()
        assert await ws.receive_str() == HANDSHAKE_REPLY
        await server.ws.send_str("hello")
        assert await server.closed() == aiohttp.WSCloseCode.UNSUPPORTED_DATA
        close = json.loads(str(await ws.receive_str()).removesuffix("\x1e"))
        assert "app server is lost" in close["error"]
        await ws.close()
