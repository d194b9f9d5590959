from collections.abc import Iterator

import pytest

from tests.e2e.processes import ROOT, Emulator, FunctionApp, emulator, function_app
from tests.issuer import TestIssuer, running_issuer


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("emulator") / "emulator.log") as running:
        yield running


@pytest.fixture(scope="package")
def anonymous_app(
    service: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    """The app where everybody may connect and nobody has a user id."""
    folder = tmp_path_factory.mktemp("anonymous")
    with function_app(service.app_settings, folder, ROOT, "--verbose") as running:
        yield running


@pytest.fixture(scope="package")
def issuer() -> Iterator[TestIssuer]:
    with running_issuer() as running:
        yield running
