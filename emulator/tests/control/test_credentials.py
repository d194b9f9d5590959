"""The real azure-identity against the authority, and its tokens against the service."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from signalr_emulator import Config, running
from signalr_emulator.access_control.roles import APP_SERVER, RoleAssignment
from signalr_emulator.configuration.settings import APP_REGISTRATION, SYSTEM_ASSIGNED
from signalr_emulator.entra.certificates import ClientCertificate
from signalr_emulator.entra.credential_files import CredentialFiles, credential_files
from signalr_emulator.entra.federation import TOKEN_EXCHANGE
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.conftest import USER_ASSIGNED
from emulator.tests.wire import SIGNALR, Wire

CLIENT_ID = APP_REGISTRATION.client_id
SUBJECT = APP_REGISTRATION.federated_credentials[0].subject
SECRET = APP_REGISTRATION.secret or ""
TENANT = Config().tenant_id

type Credential = (
    CertificateCredential
    | ClientSecretCredential
    | DefaultAzureCredential
    | EnvironmentCredential
    | ManagedIdentityCredential
    | WorkloadIdentityCredential
)


@dataclasses.dataclass(frozen=True, slots=True)
class App:
    """An app outside of Azure, beside a running emulator."""

    wire: Wire
    files: CredentialFiles

    @property
    def options(self) -> dict[str, Any]:
        return {
            "authority": self.wire.emulator.authority_url,
            "connection_verify": str(self.files.ca_certificate),
            # The host that would be asked knows no emulators.
            "disable_instance_discovery": True,
        }

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AZURE_AUTHORITY_HOST": self.wire.emulator.authority_url,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT_ID,
        }

    async def token(self, make: Callable[[], Credential]) -> str:
        def get() -> str:
            with make() as credential:
                return credential.get_token(f"{SIGNALR}/.default").token

        return await asyncio.to_thread(get)

    async def key_status(self, make: Callable[[], Credential]) -> int:
        token = await self.token(make)
        return (await self.wire.rest("GET", "/api/v1/auth/accessKey", token=token)).status

    async def refused(self, make: Callable[[], Credential], number: int) -> None:
        with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}: "):
            await self.token(make)


@pytest.fixture(scope="session")
def certificate() -> ClientCertificate:
    return ClientCertificate.generate()


@pytest.fixture
async def app(
    signing_key: SigningKey,
    certificate: ClientCertificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[App]:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    registration = dataclasses.replace(APP_REGISTRATION, certificate=certificate.certificate)
    config = Config(
        service_port=0,
        control_port=0,
        applications=(registration,),
        identities=(SYSTEM_ASSIGNED, USER_ASSIGNED),
    )
    # azure-identity has the real clock.
    async with (
        running(config, signing_key=signing_key) as emulator,
        aiohttp.ClientSession() as session,
    ):
        emulator.service.role_assignments.assignments.append(
            RoleAssignment(USER_ASSIGNED.principal_id, APP_SERVER, config.resource_id)
        )
        with credential_files(
            emulator.ca_certificate,
            certificate.pem,
            emulator.federated_token(registration),
            ca_file=tmp_path / "ca.pem",
        ) as files:
            yield App(Wire(emulator, session), files)


@pytest.mark.parametrize("tenant", [TENANT, "local.onmicrosoft.com"])
async def test_client_secret(app: App, tenant: str) -> None:
    def make() -> Credential:
        return ClientSecretCredential(tenant, CLIENT_ID, SECRET, **app.options)

    assert await app.key_status(make) == 200


async def test_wrong_client_secret(app: App) -> None:
    await app.refused(
        lambda: ClientSecretCredential(TENANT, CLIENT_ID, "wrong", **app.options), 7000215
    )


async def test_unknown_client(app: App) -> None:
    await app.refused(lambda: ClientSecretCredential(TENANT, "x", SECRET, **app.options), 700016)


async def test_untrusted_authority(app: App) -> None:
    options = app.options | {"connection_verify": True, "retry_total": 0}
    with pytest.raises(ClientAuthenticationError, match="CERTIFICATE_VERIFY_FAILED"):
        await app.token(lambda: ClientSecretCredential(TENANT, CLIENT_ID, SECRET, **options))


async def test_certificate(app: App) -> None:
    path = str(app.files.client_certificate)
    make = lambda: CertificateCredential(TENANT, CLIENT_ID, path, **app.options)  # noqa: E731
    assert await app.key_status(make) == 200


async def test_wrong_certificate(app: App) -> None:
    other = ClientCertificate.generate().pem.encode()
    await app.refused(
        lambda: CertificateCredential(TENANT, CLIENT_ID, certificate_data=other, **app.options),
        700027,
    )


def workload(
    app: App, path: Path | None = None, tenant: str = TENANT
) -> WorkloadIdentityCredential:
    return WorkloadIdentityCredential(
        tenant_id=tenant,
        client_id=CLIENT_ID,
        token_file_path=str(path or app.files.federated_token),
        **app.options,
    )


async def test_workload_identity(app: App) -> None:
    assert await app.key_status(lambda: workload(app)) == 200


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"subject": "system:serviceaccount:local:other"}, 700213),
        ({"audience": "api://other"}, 700212),
        ({"lifetime": 0}, 700024),
    ],
)
async def test_wrong_federated_token(
    app: App, tmp_path: Path, changes: dict[str, Any], number: int
) -> None:
    service = app.wire.emulator.service
    claims: dict[str, Any] = {"subject": SUBJECT, "audience": TOKEN_EXCHANGE, "lifetime": 60}
    path = tmp_path / "token"
    path.write_text(service.external_issuer.issue(now=service.clock.now(), **(claims | changes)))
    await app.refused(lambda: workload(app, path), number)


async def test_federated_token_survives_an_advanced_clock(app: App) -> None:
    app.wire.emulator.service.clock.advance(2 * 365 * 24 * 3600)
    assert await app.key_status(lambda: workload(app)) == 200


async def test_unknown_tenant(app: App) -> None:
    await app.refused(lambda: workload(app, tenant="other.onmicrosoft.com"), 90002)


async def test_discovery_of_an_unknown_tenant(app: App) -> None:
    # MSAL has words of its own for what the discovery document's answer was.
    with pytest.raises(ClientAuthenticationError, match="check your tenant name"):
        await app.token(
            lambda: ClientSecretCredential("other.invalid", CLIENT_ID, SECRET, **app.options)
        )


@pytest.mark.parametrize("kind", [EnvironmentCredential, DefaultAzureCredential])
@pytest.mark.parametrize("proof", ["secret", "certificate"])
async def test_environment(
    app: App, monkeypatch: pytest.MonkeyPatch, kind: type[Any], proof: str
) -> None:
    for name, value in app.environment.items():
        monkeypatch.setenv(name, value)
    if proof == "secret":
        monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    else:
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(app.files.client_certificate))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(app.files.ca_certificate))
    assert await app.key_status(lambda: kind(disable_instance_discovery=True)) == 200


async def test_default_credential_by_workload_identity(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in app.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(app.files.federated_token))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(app.files.ca_certificate))
    assert await app.key_status(DefaultAzureCredential) == 200


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"client_id": "client-2"},
        {"object_id": "principal-2"},
        {"resource_id": "/subscriptions/s/ids/two"},
    ],
)
async def test_managed_identity_of_app_service(
    app: App, monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    for name, value in app.wire.emulator.app_settings().items():
        monkeypatch.setenv(name, value)
    client_id = named.get("client_id")
    others = {name: value for name, value in named.items() if name != "client_id"}

    def make() -> Credential:
        return ManagedIdentityCredential(client_id=client_id, identity_config=others)

    assert await app.key_status(make) == 200
    # What this identity lacks tells that it is the one that was named.
    token = await app.token(make)
    sent = await app.wire.rest(
        "POST",
        "/api/hubs/chat/:send?api-version=2024-12-01",
        body={"target": "say"},
        token=token,
    )
    assert sent.status == (403 if named else 202)
