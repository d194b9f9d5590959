import asyncio

import jwt
import pytest
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from signalr_emulator import Config, running
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.conftest import USER_ASSIGNED
from emulator.tests.wire import SIGNALR, Wire

PATH = "/metadata/identity/oauth2/token"
QUERY = f"api-version=2018-02-01&resource={SIGNALR}"


async def test_reply(wire: Wire) -> None:
    url = f"{wire.emulator.control_url}{PATH}?{QUERY}"
    answer = await wire.request("GET", url, headers={"Metadata": "true"})
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    reply = answer.json
    claims = jwt.decode(reply.pop("access_token"), options={"verify_signature": False})
    assert (claims["aud"], claims["oid"]) == (SIGNALR, SYSTEM_ASSIGNED.principal_id)
    assert reply == {
        "client_id": SYSTEM_ASSIGNED.client_id,
        "expires_in": "86400",
        "expires_on": "1700086400",
        "ext_expires_in": "86400",
        "not_before": "1699999700",
        "resource": SIGNALR,
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    ("query", "metadata"),
    [
        (QUERY, None),
        (QUERY, "false"),
        (f"resource={SIGNALR}", "true"),
        (f"api-version=2017-01-01&resource={SIGNALR}", "true"),
        ("api-version=2018-02-01", "true"),
        (f"{QUERY}&client_id=unknown", "true"),
        (f"{QUERY}&object_id=unknown", "true"),
        (f"{QUERY}&msi_res_id=unknown", "true"),
    ],
)
async def test_refused(wire: Wire, query: str, metadata: str | None) -> None:
    headers = {} if metadata is None else {"Metadata": metadata}
    answer = await wire.request(
        "GET", f"{wire.emulator.control_url}{PATH}?{query}", headers=headers
    )
    assert answer.status == 400
    assert set(answer.json) == {"error", "error_description"}
    assert answer.json["error"] == "invalid_request"


async def test_azure_identity(monkeypatch: pytest.MonkeyPatch, signing_key: SigningKey) -> None:
    config = Config(service_port=0, control_port=0, identities=(SYSTEM_ASSIGNED, USER_ASSIGNED))
    async with running(config, signing_key=signing_key) as emulator:
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.control_url)

        def principal(**named: str) -> str:
            client_id = named.pop("client_id", None)
            credential = ManagedIdentityCredential(client_id=client_id, identity_config=named)
            with credential:
                token = credential.get_token(f"{SIGNALR}/.default").token
            oid: str = jwt.decode(token, options={"verify_signature": False})["oid"]
            return oid

        assert await asyncio.to_thread(principal) == SYSTEM_ASSIGNED.principal_id
        for named in (
            {"client_id": "client-2"},
            {"object_id": "principal-2"},
            {"resource_id": "/subscriptions/s/ids/two"},
        ):
            assert await asyncio.to_thread(principal, **named) == "principal-2"
        with pytest.raises(CredentialUnavailableError):
            await asyncio.to_thread(principal, client_id="unknown")
