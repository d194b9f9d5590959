from collections.abc import Iterator

import pytest

from tests.e2e.processes import Emulator, FunctionApp, emulator, function_app


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("emulator") / "emulator.log") as running:
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
