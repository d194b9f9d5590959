import asyncio
import time
from typing import Any

import jwt
import pytest
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from signalr_emulator import Config, running
from signalr_emulator.configuration.settings import APP_REGISTRATION, SYSTEM_ASSIGNED
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.conftest import NOW, USER_ASSIGNED, StartWire
from emulator.tests.wire import SIGNALR, Wire

QUERY = f"api-version=2019-08-01&resource={SIGNALR}"


@pytest.mark.parametrize("resource", [SIGNALR, f"{SIGNALR}/"])
async def test_token_of_the_system_assigned_identity(wire: Wire, resource: str) -> None:
    answer = await wire.identity(f"api-version=2019-08-01&resource={resource}")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    reply = answer.json
    token = reply.pop("access_token")
    assert reply == {
        "expires_on": "1700086400",
        "resource": resource,
        "token_type": "Bearer",
        "client_id": SYSTEM_ASSIGNED.client_id,
    }
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == resource
    assert claims["oid"] == SYSTEM_ASSIGNED.principal_id


@pytest.mark.parametrize("header", [None, "", "wrong", "local-emulato", "\xe9"])
async def test_wrong_identity_header(wire: Wire, header: str | None) -> None:
    answer = await wire.identity(header=header)
    assert answer.status == 401
    assert answer.json["statusCode"] == 401


async def test_header_that_is_no_utf_8(wire: Wire) -> None:
    host, port = wire.emulator.control_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    start = f"GET /msi/token?{QUERY} HTTP/1.0\r\nHost: localhost\r\n".encode()
    writer.write(start + b"X-IDENTITY-HEADER: \xff\r\n\r\n")
    assert (await reader.read()).split(b" ", 2)[1] == b"401"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "api-version=2019-08-01",
        "api-version=2019-08-01&resource=",
        f"resource={SIGNALR}",
        f"api-version=2017-09-01&resource={SIGNALR}",
        f"{QUERY}&client_id=unknown",
        f"{QUERY}&object_id=unknown",
        f"{QUERY}&principal_id=unknown",
        f"{QUERY}&mi_res_id=unknown",
    ],
)
async def test_wrong_identity_requests(wire: Wire, query: str) -> None:
    answer = await wire.identity(query)
    assert answer.status == 400
    assert set(answer.json) == {"statusCode", "message"}
    assert answer.json["statusCode"] == 400


@pytest.mark.parametrize(
    "named",
    [
        "client_id=client-2",
        "object_id=principal-2",
        "principal_id=principal-2",
        "mi_res_id=/subscriptions/s/ids/two",
    ],
)
async def test_user_assigned_identity(start: StartWire, named: str) -> None:
    identities = (SYSTEM_ASSIGNED, USER_ASSIGNED)
    async with start(Config(service_port=0, control_port=0, identities=identities)) as wire:
        reply = (await wire.identity(f"{QUERY}&{named}")).json
    assert reply["client_id"] == "client-2"


async def test_azure_identity(monkeypatch: pytest.MonkeyPatch, signing_key: SigningKey) -> None:
    async with running(Config(service_port=0, control_port=0), signing_key=signing_key) as emulator:
        for name, value in emulator.app_settings().items():
            monkeypatch.setenv(name, value)

        def get_token(client_id: str | None = None) -> tuple[str, int]:
            with ManagedIdentityCredential(client_id=client_id) as credential:
                token = credential.get_token(f"{SIGNALR}/.default")
            return token.token, token.expires_on

        token, expires_on = await asyncio.to_thread(get_token)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["aud"] == SIGNALR
        assert claims["exp"] == expires_on
        assert expires_on == pytest.approx(time.time() + 24 * 3600, abs=60)
        with pytest.raises(CredentialUnavailableError):
            await asyncio.to_thread(get_token, "unknown")
        assert emulator.service.activity.identity_requests == 2


async def test_open_id_discovery_leads_to_the_key_of_the_tokens(wire: Wire) -> None:
    tenant = wire.emulator.service.tenant.tenant_id
    control = wire.emulator.control_url
    configuration = await wire.control(f"/{tenant}/v2.0/.well-known/openid-configuration")
    assert configuration["issuer"] == f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert configuration["jwks_uri"] == f"{control}/{tenant}/discovery/v2.0/keys"
    authority = wire.emulator.authority_url
    assert configuration["token_endpoint"] == f"{authority}/{tenant}/oauth2/v2.0/token"
    (key,) = (await wire.request("GET", configuration["jwks_uri"])).json["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    token = (await wire.identity()).json["access_token"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    jwt.decode(token, jwt.PyJWK(key), algorithms=["RS256"], audience=SIGNALR, options=options)


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"])
async def test_unknown_tenant(wire: Wire, path: str) -> None:
    answer = await wire.request("GET", f"{wire.emulator.control_url}/other/{path}")
    assert (answer.status, answer.json["error_codes"]) == (400, [90002])


async def test_clock_is_advanced(wire: Wire) -> None:
    url = f"{wire.emulator.control_url}/emulator/clock"
    assert await wire.control("/emulator/clock") == {"now": NOW, "offset": 0.0}
    for offset in (5400.5, 10801.0):
        answer = await wire.request("POST", url, data=b'{"advance": 5400.5}')
        assert answer.status == 200
        assert answer.json == {"now": NOW + offset, "offset": offset}
    assert await wire.control("/emulator/clock") == {"now": NOW + 10801, "offset": 10801.0}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"advance": -1}', "#/advance"),
        (b'{"advance": "60"}', "#/advance"),
        (b'{"advance": true}', "#/advance"),
        (b'{"advance": 1e300}', "#/advance"),
        (b"{}", "#/advance"),
        (b'{"advance": 1%s}' % (b"0" * 400), "#/advance"),
        (b'{"advance": 1, "by": 1}', "#/by"),
        (b"[]", "#"),
        (b"{", "#"),
        (b'{"advance": NaN}', "#"),
    ],
)
async def test_clock_does_not_go_backwards(wire: Wire, body: bytes, pointer: str) -> None:
    url = f"{wire.emulator.control_url}/emulator/clock"
    answer = await wire.request("POST", url, data=body)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json["status"] == 400
    assert answer.json["title"] == "Bad Request"
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert (await wire.control("/emulator/clock"))["offset"] == 0


async def test_what_was_given_out_ahead_is_good_after_a_reset(wire: Wire) -> None:
    url = f"{wire.emulator.control_url}/emulator/clock"
    await wire.request("POST", url, data=b'{"advance": 90000}')
    client_token = await wire.client_token()
    answer = await wire.request("DELETE", url)
    assert (answer.status, answer.json) == (200, {"now": NOW, "offset": 0.0})
    # The Entra token and the client token begin 25 hours from now.
    assert (await wire.send("chat/")).status == 202
    assert (await wire.negotiate(token=client_token)).status == 200
    never = await wire.client_token(nbf=NOW + 90001)
    refused = await wire.negotiate(token=never)
    assert (refused.status, refused.json["message"]) == (401, "The token is not valid yet.")


async def test_state(wire: Wire) -> None:
    await wire.identity(header="wrong")
    sockets = [await wire.connect() for _ in range(2)]
    await wire.rest("GET", "/api/v1/auth/accessKey", token="wrong")
    (key,) = wire.emulator.service.first.access_keys.live()
    state = await wire.control("/emulator/state")
    assert state.pop("resources") == {"local": state}
    assert state == {
        "identityRequests": 2,
        "keyRequests": 2,
        "liveKeys": [key.key_id],
        "connections": {"chat": len(sockets)},
        "serverConnections": {},
        "roleAssignments": [
            {
                "principalId": principal_id,
                "role": "SignalR Service Owner",
                "scope": Config().resource_id,
                "enabled": True,
            }
            for principal_id in (SYSTEM_ASSIGNED.principal_id, APP_REGISTRATION.principal_id)
        ],
    }
