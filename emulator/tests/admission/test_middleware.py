"""What a web page reaches that a developer visits, over real sockets."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator

import jwt
import pytest
from signalr_emulator import Config
from signalr_emulator.authentication.access_keys import EMULATOR_KEY

from emulator.tests.conftest import StartWire
from emulator.tests.wire import API_VERSION, HANDSHAKE, HANDSHAKE_REPLY, Answer, Wire

FOREIGN = "https://foreign.example"
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)
WAYS = {
    "negotiate": ("POST", "/client/negotiate", (), 200),
    "WebSocket": ("GET", "/client/", UPGRADE, 101),
    "Server-Sent Events": ("GET", "/client/", ("Accept: text/event-stream",), 200),
    "long polling": ("GET", "/client/", (), 200),
}
"""Method, path, headers and status of each way in."""

every_way = pytest.mark.parametrize("way", WAYS)
has_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def ask(port: int, start: str, *headers: str, address: str = "127.0.0.1") -> Answer:
    """Send a request as it is written, and read its answer; of one that goes on only the head."""
    reader, writer = await asyncio.open_connection(address, port)
    writer.write("\r\n".join([start, *headers, "Content-Length: 0", "", ""]).encode("latin-1"))
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in head[1:] if line)
    status = int(head[0].split(" ")[1])
    body = await reader.readexactly(int(fields["Content-Length"])) if status >= 400 else b""
    writer.close()
    return Answer(status, fields, body)


async def come_in(wire: Wire, way: str, *headers: str, address: str = "127.0.0.1") -> Answer:
    """Connect by one of the ways, with what only the well-known key is needed for."""
    method, path, own, _ = WAYS[way]
    now = int(wire.emulator.service.clock.now())
    claims = {"aud": "http://localhost/client/?hub=chat", "exp": now + 60}
    query = f"hub=chat&negotiateVersion=1&access_token={jwt.encode(claims, EMULATOR_KEY, 'HS256')}"
    if path == "/client/":
        reply = (await wire.negotiate()).json
        query += f"&id={reply['connectionToken']}"
    if not any(each.startswith("Host:") for each in headers):
        headers = (f"Host: 127.0.0.1:{port_of(wire.emulator.service_url)}", *headers)
    start = f"{method} {path}?{query} HTTP/1.1"
    return await ask(port_of(wire.emulator.service_url), start, *headers, *own, address=address)


@every_way
async def test_a_foreign_page_does_not_come_in(wire: Wire, way: str) -> None:
    for origin in (FOREIGN, "null", "http://127.0.0.1.foreign.example", ""):
        refused = await come_in(wire, way, f"Origin: {origin}")
        assert refused.status == 403, origin
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert refused.json["code"] == "Forbidden"
        assert "--allowed-origin" in refused.json["message"]
    refused = await come_in(wire, way, "Origin: http://localhost", f"Origin: {FOREIGN}")
    assert refused.status in {400, 403}
    assert await wire.connection_counts() == {}


@every_way
async def test_programs_and_pages_of_this_machine_come_in(wire: Wire, way: str) -> None:
    *_, expected = WAYS[way]
    port = port_of(wire.emulator.service_url)
    for headers in (
        (),
        ("Origin: http://localhost:3000",),
        ("Origin: https://127.0.0.1",),
        ("Origin: http://[::1]:3000",),
        (f"Host: LOCALHOST.:{port}", f"Origin: http://localhost:{port}"),
    ):
        assert (await come_in(wire, way, *headers)).status == expected, headers


@every_way
async def test_an_allowed_origin_comes_in_and_takes_the_place_of_the_default(
    start: StartWire, way: str
) -> None:
    *_, expected = WAYS[way]
    allowed = frozenset(("https://contoso.com",))
    async with start(Config(service_port=0, control_port=0, allowed_origins=allowed)) as wire:
        assert (await come_in(wire, way, "Origin: https://Contoso.com")).status == expected
        assert (await come_in(wire, way, "Origin: http://localhost:3000")).status == 403
        # Some clients send the service's own address.
        own = f"Origin: {wire.emulator.service_url}"
        assert (await come_in(wire, way, own)).status == expected


@every_way
async def test_another_name_of_this_machine_does_not_come_in(wire: Wire, way: str) -> None:
    port = port_of(wire.emulator.service_url)
    for host in ("foreign.example", "127.0.0.1.foreign.example", "0.0.0.0", "192.0.2.7"):  # noqa: S104
        same = f"Origin: http://{host}:{port}"
        for headers in ((f"Host: {host}:{port}",), (f"Host: {host}:{port}", same)):
            refused = await come_in(wire, way, *headers)
            assert refused.status == 403, headers
            assert f"--host-name {host}." in refused.json["message"]


async def test_a_page_of_this_machine_shakes_hands(wire: Wire) -> None:
    token = await wire.client_token()
    url = f"{wire.emulator.service_url}/client/?hub=chat&access_token={token}"
    async with wire.session.ws_connect(url, origin="http://localhost:3000") as ws:
        await ws.send_str(HANDSHAKE)
        assert (await ws.receive(timeout=5)).data == HANDSHAKE_REPLY


MALFORMED = (
    (),
    ("Host:",),
    ("Host: a b",),
    ("Host: user@localhost",),
    ("Host: localhost:80x",),
    ("Host: [::1",),
    ("Host: localhost", "Host: localhost"),
    ("Host: localhost", "Host: foreign.example"),
)


@pytest.mark.parametrize("headers", MALFORMED, ids=str)
@pytest.mark.parametrize("plane", ["service", "control"])
async def test_malformed_hosts(wire: Wire, plane: str, headers: tuple[str, ...]) -> None:
    url = wire.emulator.service_url if plane == "service" else wire.emulator.control_url
    path = "/api/health" if plane == "service" else "/emulator/state"
    assert (await ask(port_of(url), f"GET {path} HTTP/1.1", *headers)).status == 400


async def test_the_host_of_an_absolute_target_counts(wire: Wire) -> None:
    port = port_of(wire.emulator.control_url)
    for target, expected in (
        ("http://foreign.example/emulator/state", 403),
        (f"http://localhost:{port}/emulator/state", 200),
        (f"http://[::1]:{port}/emulator/state", 200),
    ):
        answer = await ask(port, f"GET {target} HTTP/1.1", "Host: 127.0.0.1")
        assert answer.status == expected, target


@pytest.mark.parametrize("path", ["/", "/emulator/state", "/emulator/clock", "/no/such/path"])
async def test_no_other_name_opens_the_control_plane(wire: Wire, path: str) -> None:
    port = port_of(wire.emulator.control_url)
    for method in ("GET", "POST", "OPTIONS"):
        refused = await ask(port, f"{method} {path} HTTP/1.1", f"Host: foreign.example:{port}")
        assert refused.status == 403
        assert refused.headers["Content-Type"].startswith("application/problem+json")
        assert "--host-name foreign.example." in refused.json["detail"]


async def test_a_name_that_moves_does_not_move_the_clock(wire: Wire) -> None:
    """As DNS rebinding does: the page's own name leads here, so that its requests are its own."""
    url = f"{wire.emulator.control_url}/emulator/clock"
    headers = {"Host": "foreign.example", "Origin": "http://foreign.example"}
    answer = await wire.request("POST", url, headers=headers, data=b'{"advance": 3600}')
    assert answer.status == 403
    assert (await wire.control("/emulator/clock"))["offset"] == 0


async def test_the_authority_answers_to_its_names_only(wire: Wire) -> None:
    tenant = wire.emulator.service.tenant.tenant_id
    url = f"{wire.emulator.authority_url}/{tenant}/discovery/v2.0/keys"
    assert (await wire.request("GET", url)).status == 200
    for headers in ({"Host": "foreign.example"}, {"Origin": FOREIGN}):
        assert (await wire.request("GET", url, headers=headers)).status == 403


async def test_operations_are_not_for_foreign_pages(wire: Wire) -> None:
    path = f"/api/hubs/chat/:send?api-version={API_VERSION}"
    body = json.dumps({"target": "say"}).encode()
    for headers in ({"Origin": FOREIGN}, {"Host": "foreign.example"}):
        headers |= {"Authorization": f"Bearer {await wire.entra_token()}"}
        url = wire.emulator.service_url + path
        answer = await wire.request("POST", url, headers=headers, data=body)
        assert (answer.status, answer.json["code"]) == (403, "Forbidden")


async def test_what_is_refused_is_in_the_journal(wire: Wire) -> None:
    await come_in(wire, "negotiate", f"Origin: {FOREIGN}")
    assert (await wire.control("/emulator/journal"))["rows"][-1]["outcome"] == "403"


@pytest.fixture
async def named(start: StartWire) -> AsyncIterator[Wire]:
    """An emulator that is called by a name too."""
    names = frozenset(("signalr.example",))
    async with start(Config(service_port=0, control_port=0, host_names=names)) as wire:
        yield wire


async def test_a_chosen_name_is_answered_on_every_plane(named: Wire) -> None:
    for url, path in (
        (named.emulator.service_url, "/api/health"),
        (named.emulator.control_url, "/emulator/state"),
    ):
        for host in ("signalr.example", "SignalR.Example.:1", "127.0.0.1"):
            answer = await ask(port_of(url), f"GET {path} HTTP/1.1", f"Host: {host}")
            assert answer.status == 200
        refused = await ask(port_of(url), f"GET {path} HTTP/1.1", "Host: a.signalr.example")
        assert refused.status == 403


@pytest.mark.parametrize("port", ["", ":PORT"])
async def test_a_chosen_name_is_an_audience(named: Wire, port: str) -> None:
    origin = "http://signalr.example" + port.replace(
        "PORT", str(port_of(named.emulator.service_url))
    )
    token = await named.client_token(aud=f"{origin}/client/?hub=chat")
    assert (await named.negotiate(token=token)).status == 200
    token = await named.client_token(aud=f"{origin}/api/hubs/chat/:send")
    path = f"/api/hubs/chat/:send?api-version={API_VERSION}"
    assert (await named.rest("POST", path, body={"target": "t"}, token=token)).status == 202


async def test_the_own_page_of_a_chosen_name_comes_in(named: Wire) -> None:
    own = ("Host: signalr.example", "Origin: https://signalr.example")
    assert (await come_in(named, "WebSocket", *own)).status == 101
    control = port_of(named.emulator.control_url)
    assert (await ask(control, "GET /emulator/state HTTP/1.1", *own)).status == 200


async def test_a_chosen_name_is_in_the_certificate_of_the_authority(named: Wire) -> None:
    trust = ssl.create_default_context(cadata=named.emulator.ca_certificate)
    port = port_of(named.emulator.authority_url)
    for name in ("signalr.example", "localhost"):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trust, server_hostname=name
        )
        writer.close()


@has_ipv6
async def test_any_address_leads_to_an_emulator_that_listens_on_all(start: StartWire) -> None:
    async with start(Config(host="::", service_port=0, control_port=0)) as wire:
        ports = (port_of(wire.emulator.service_url), port_of(wire.emulator.control_url))
        for port, path in zip(ports, ("/api/health", "/emulator/state"), strict=True):
            start_line = f"GET {path} HTTP/1.1"
            for host in ("[::1]", f"[2001:db8::7]:{port}", "192.0.2.7", "127.0.0.1", "localhost"):
                answer = await ask(port, start_line, f"Host: {host}", address="::1")
                assert answer.status == 200, host
            refused = await ask(port, start_line, "Host: foreign.example", address="::1")
            assert refused.status == 403


@has_ipv6
@every_way
async def test_the_same_rules_by_ipv6(start: StartWire, way: str) -> None:
    *_, expected = WAYS[way]
    async with start(Config(host="::", service_port=0, control_port=0)) as wire:
        host = f"[::1]:{port_of(wire.emulator.service_url)}"
        for origin, status in ((f"http://{host}", expected), (FOREIGN, 403)):
            headers = (f"Host: {host}", f"Origin: {origin}")
            assert (await come_in(wire, way, *headers, address="::1")).status == status
