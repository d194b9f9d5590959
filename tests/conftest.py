import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine makes examples must not decide how a test ends.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", settings.get_profile("any machine"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "any machine"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what runs in the background, and programs that are tested would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

_OURS = ("AZURE", "IDENTITY_", "SIGNALR_", "NEGOTIATE_", "WEBSITE_", "UPSTREAM_")


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What `make start` keeps for a developer is not for tests."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own Azure settings must not decide how a test ends."""
    for name in list(os.environ):
        if name.upper().startswith(_OURS):
            monkeypatch.delenv(name)
