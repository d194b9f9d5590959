from collections.abc import Iterator

import pytest
from signalr_emulator.testing import RunningEmulator

from shared import CredentialSettings
from tests.e2e.processes import Emulator, FunctionApp, free_ports, function_app
from tests.e2e.processes import emulator as running
from tests.e2e.service_clients import BOTH_CLIENTS, OpenClient, use_identity
from tests.issuer import TestIssuer, running_issuer


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("emulator") / "emulator.log") as started:
        yield started


@pytest.fixture(scope="module")
def issuer() -> Iterator[TestIssuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def app(service: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionApp]:
    """The app with App Service authentication on, so that a caller can have a user id."""
    settings = {
        **service.app_settings,
        "WEBSITE_AUTH_ENABLED": "True",
        "NEGOTIATE_IDENTITY": "app-service",
    }
    with function_app(settings, tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="module")
def anonymous_app(
    service: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    with function_app(service.app_settings, tmp_path_factory.mktemp("anonymous")) as running:
        yield running


@pytest.fixture
def identity(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> CredentialSettings:
    """The managed identity that the emulator of the test's own module gives this process."""
    return use_identity(emulator, monkeypatch)


@pytest.fixture(params=BOTH_CLIENTS)
def open_client(request: pytest.FixtureRequest) -> OpenClient:
    return BOTH_CLIENTS[request.param]


@pytest.fixture(scope="module")
def ports() -> list[int]:
    """Free ports of app, service and control plane."""
    return free_ports(3)
