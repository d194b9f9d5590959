import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from shared.persistent.aio import PersistentSender
from shared.settings.credential import CredentialKind, CredentialSettings
from tests.shared.persistent.stub_service import StubService, stub_service

KEY = CredentialSettings(
    CredentialKind.ACCESS_KEY, access_key="local-key-of-an-emulator-0123456789"
)

type Advance = Callable[[float], None]


@pytest.fixture
async def advance(monkeypatch: pytest.MonkeyPatch) -> Advance:
    """Move the event loop's clock on by some seconds."""
    loop = asyncio.get_running_loop()
    steady = loop.time
    offset = 0.0

    def moved(seconds: float) -> None:
        nonlocal offset
        offset += seconds

    monkeypatch.setattr(loop, "time", lambda: steady() + offset)
    return moved


@pytest.fixture
async def service() -> AsyncIterator[StubService]:
    async with stub_service() as stub:
        yield stub


@pytest.fixture
async def sender(service: StubService) -> AsyncIterator[PersistentSender]:
    async with PersistentSender(service.url, KEY, jitter=lambda: 0.0) as made:
        yield made
