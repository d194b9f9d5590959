"""pytest fixtures of signalr-emulator.

They lie outside of the package, which is imported only by tests that use them.
"""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from signalr_emulator.testing import RunningEmulator

__all__ = ["pytest_addoption", "signalr_emulator", "signalr_emulator_options"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option `signalr_emulator_options`."""
    parser.addini(
        "signalr_emulator_options",
        "options of signalr-emulator for its fixture, as in a shell: --upstream http://…",
        default="",
    )


@pytest.fixture(scope="session")
def signalr_emulator_options(pytestconfig: pytest.Config) -> list[str]:
    """The options of the emulator's command; override it for others than those of the ini file."""
    return shlex.split(pytestconfig.getini("signalr_emulator_options"))


@pytest.fixture(scope="session")
def signalr_emulator_process(
    signalr_emulator_options: list[str],
) -> "Iterator[RunningEmulator]":
    """The emulator of the session (of each worker of pytest-xdist), as the last test left it."""
    from signalr_emulator.testing import running_emulator  # noqa: PLC0415 - only if it is used

    with running_emulator(*signalr_emulator_options) as emulator:
        yield emulator


@pytest.fixture
def signalr_emulator(signalr_emulator_process: "RunningEmulator") -> "RunningEmulator":
    """The same emulator, reset for this test."""
    signalr_emulator_process.reset()
    return signalr_emulator_process
