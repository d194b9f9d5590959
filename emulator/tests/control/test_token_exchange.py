"""The real azure-identity, with a managed identity in place of an app registration's secret."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential, ManagedIdentityCredential
from signalr_emulator import Config, running
from signalr_emulator.configuration.settings import APP_REGISTRATION, USER_ASSIGNED
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.wire import SIGNALR, Wire

TENANT = Config().tenant_id
OTHER = dataclasses.replace(
    USER_ASSIGNED, principal_id="principal-2", client_id="client-2", resource_id="/ids/two"
)
EXCHANGE = "api://AzureADTokenExchange/.default"


@pytest.fixture
async def wire(signing_key: SigningKey) -> AsyncIterator[Wire]:
    identities = (*Config().identities, OTHER)
    config = Config(service_port=0, control_port=0, identities=identities)
    # azure-identity has the real clock.
    async with (
        running(config, signing_key=signing_key) as emulator,
        aiohttp.ClientSession() as session,
    ):
        yield Wire(emulator, session)


@pytest.fixture(params=["App Service", "IMDS"])
def endpoint(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, wire: Wire) -> str:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    settings = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": wire.emulator.control_url}
    if request.param == "App Service":
        settings = wire.emulator.app_settings()
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return str(request.param)


async def exchanged(
    wire: Wire, ca_file: Path, identity: Mapping[str, str], scope: str = EXCHANGE
) -> str:
    """Give the app registration's token for SignalR."""

    def get() -> str:
        ca_file.write_text(wire.emulator.ca_certificate)
        with (
            ManagedIdentityCredential(identity_config=identity) as managed,
            ClientAssertionCredential(
                TENANT,
                APP_REGISTRATION.client_id,
                lambda: managed.get_token(scope).token,
                authority=wire.emulator.authority_url,
                connection_verify=str(ca_file),
            ) as credential,
        ):
            return credential.get_token(f"{SIGNALR}/.default").token

    return await asyncio.to_thread(get)


@pytest.mark.parametrize(
    "identity",
    [
        {"client_id": USER_ASSIGNED.client_id},
        {"object_id": USER_ASSIGNED.principal_id},
        {"resource_id": USER_ASSIGNED.resource_id},
    ],
)
@pytest.mark.usefixtures("endpoint")
async def test_the_apps_token_opens_the_service(
    wire: Wire, tmp_path: Path, identity: dict[str, str]
) -> None:
    token = await exchanged(wire, tmp_path / "ca.pem", identity)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["oid"], claims["appid"], claims["tid"], claims["appidacr"]) == (
        APP_REGISTRATION.principal_id,
        APP_REGISTRATION.client_id,
        TENANT,
        "2",
    )
    assert (await wire.rest("GET", "/api/v1/auth/accessKey", token=token)).status == 200


@pytest.mark.parametrize(
    ("identity", "scope", "number"),
    [
        ({"client_id": OTHER.client_id}, EXCHANGE, 700213),
        ({}, EXCHANGE, 700226),
        ({"client_id": USER_ASSIGNED.client_id}, f"{SIGNALR}/.default", 700211),
    ],
)
@pytest.mark.usefixtures("endpoint")
async def test_what_the_app_does_not_trust(
    wire: Wire, tmp_path: Path, identity: dict[str, str], scope: str, number: int
) -> None:
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}: "):
        await exchanged(wire, tmp_path / "ca.pem", identity, scope)
