import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import aiohttp
import jwt
import pytest
from signalr_emulator import Config, running
from signalr_emulator.entra.applications import Application
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.conftest import StartWire
from emulator.tests.wire import SIGNALR, Answer, Wire

FORM = {
    "grant_type": "client_credentials",
    "client_id": "app",
    "client_secret": "right",
    "scope": f"{SIGNALR}/.default",
}
APPLICATION = Application("app", "principal", "right")
CONFIG = Config(service_port=0, control_port=0, applications=(APPLICATION,))


class Client:
    """Asks the authority of an emulator."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.url = wire.emulator.authority_url
        self.tenant = wire.emulator.service.tenant.tenant_id

    async def get(self, path: str) -> Answer:
        return await self.wire.request("GET", self.url + path)

    async def token(self, tenant: str | None = None, **changes: str) -> Answer:
        url = f"{self.url}/{tenant or self.tenant}/oauth2/v2.0/token"
        return await self.wire.request(
            "POST",
            url,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(FORM | changes).encode(),
        )


@pytest.fixture
async def client(start: StartWire) -> AsyncIterator[Client]:
    async with start(CONFIG) as wire:
        yield Client(wire)


@pytest.mark.parametrize("tenant", [None, "LOCAL.onmicrosoft.com"])
async def test_token_of_an_application(client: Client, tenant: str | None) -> None:
    answer = await client.token(tenant)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json["access_token"]
    assert answer.json == {
        "token_type": "Bearer",
        "expires_in": 3599,
        "ext_expires_in": 3599,
        "access_token": token,
    }
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["appid"], claims["appidacr"]) == (SIGNALR, "app", "1")
    assert (claims["oid"], claims["sub"], claims["ver"]) == ("principal", "principal", "1.0")
    assert claims["exp"] - claims["iat"] == 3599 + 300
    accepted = await client.wire.rest("GET", "/api/v1/auth/accessKey", token=token)
    assert accepted.status == 200


async def test_application_without_a_role(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, role=None, applications=(APPLICATION,))
    async with start(config) as wire:
        token = (await Client(wire).token()).json["access_token"]
        refused = await wire.rest("GET", "/api/v1/auth/accessKey", token=token)
    assert refused.status == 403


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "other"}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": SIGNALR}, 400, "invalid_scope", 1002012),
        ({"scope": "/.default"}, 400, "invalid_scope", 1002012),
        ({"tenant": "other"}, 400, "invalid_request", 90002),
    ],
)
async def test_refused(
    client: Client, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    assert_refused(await client.token(**changes), status, error, number)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"grant_type": "client_credentials"}'),
        ("multipart/form-data", b"grant_type"),
        ("application/x-www-form-urlencoded", b"grant_type=\xff"),
    ],
)
async def test_body_that_is_no_form(client: Client, content_type: str, body: bytes) -> None:
    url = f"{client.url}/{client.tenant}/oauth2/v2.0/token"
    answer = await client.wire.request(
        "POST", url, headers={"Content-Type": content_type}, data=body
    )
    assert_refused(answer, 400, "invalid_request", 900144)


def assert_refused(answer: Answer, status: int, error: str, number: int) -> None:
    assert answer.status == status
    assert answer.json["error"] == error
    assert answer.json["error_codes"] == [number]
    assert answer.json["error_description"].startswith(f"AADSTS{number}: ")


@pytest.mark.parametrize("name", [None, "local.onmicrosoft.com"])
async def test_discovery(client: Client, name: str | None) -> None:
    answer = await client.get(f"/{name or client.tenant}/v2.0/.well-known/openid-configuration")
    assert answer.status == 200
    tenant_url = f"{client.url}/{client.tenant}"
    assert answer.json["issuer"] == f"https://login.microsoftonline.com/{client.tenant}/v2.0"
    assert answer.json["authorization_endpoint"] == f"{tenant_url}/oauth2/v2.0/authorize"
    assert answer.json["token_endpoint"] == f"{tenant_url}/oauth2/v2.0/token"
    assert answer.json["jwks_uri"] == f"{tenant_url}/discovery/v2.0/keys"
    keys = await client.get(f"/{name or client.tenant}/discovery/v2.0/keys")
    assert keys.json == client.wire.emulator.service.tenant.key_set()


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"])
async def test_discovery_of_an_unknown_tenant(client: Client, path: str) -> None:
    assert_refused(await client.get(f"/other/{path}"), 400, "invalid_tenant", 90002)


async def instance(client: Client, endpoint: str) -> Answer:
    query = urlencode({"api-version": "1.0", "authorization_endpoint": endpoint})
    return await client.get(f"/common/discovery/instance?{query}")


async def test_instance_discovery(client: Client) -> None:
    host = client.url.removeprefix("https://")
    answer = await instance(client, f"{client.url}/tenant/oauth2/v2.0/authorize")
    assert answer.status == 200
    assert answer.json == {
        "tenant_discovery_endpoint": f"{client.url}/tenant/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


@pytest.mark.parametrize(
    "endpoint", ["", "https://login.example/t/oauth2/v2.0/authorize", "https://[", "{url}"]
)
async def test_instance_discovery_of_others(client: Client, endpoint: str) -> None:
    answer = await instance(client, endpoint.format(url=client.url))
    assert_refused(answer, 400, "invalid_instance", 50049)


async def test_names_in_the_certificate(client: Client) -> None:
    port = client.url.rpartition(":")[2]
    client.url = f"https://localhost:{port}"
    answer = await client.get(f"/{client.tenant}/v2.0/.well-known/openid-configuration")
    assert answer.json["token_endpoint"].startswith(f"{client.url}/{client.tenant}/")


async def test_other_clients_do_not_trust_it(client: Client) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await client.wire.session.get(client.url, ssl=ssl.create_default_context())


async def test_no_secret_crosses_plain_http(client: Client) -> None:
    client.url = client.wire.emulator.control_url
    assert (await client.token()).status == 404


def test_an_idle_client_is_cut_when_the_emulator_stops(signing_key: SigningKey) -> None:
    async def connect_and_stop() -> ssl.SSLSocket:
        async with running(CONFIG, signing_key=signing_key) as emulator:
            address = ("127.0.0.1", int(emulator.authority_url.rpartition(":")[2]))
            context = ssl.create_default_context(cadata=emulator.ca_certificate)
            return await asyncio.to_thread(
                context.wrap_socket, socket.create_connection(address), server_hostname=address[0]
            )

    idle = asyncio.run(connect_and_stop())
    gc.collect()  # a transport that is still open warns here
    idle.close()
