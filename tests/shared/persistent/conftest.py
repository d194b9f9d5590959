import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

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


@pytest.fixture
def threaded_service() -> Iterator[StubService]:
    """A stub on an event loop of another thread."""
    started = threading.Event()
    stub = StubService()
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with stub_service(stub):
            started.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(10)
    yield stub
    loop.call_soon_threadsafe(done.set)
    thread.join(10)
    loop.close()
