import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode

from emulator.tests.conftest import StartWire
from emulator.tests.server_endpoint.stub import OPENED, AppServer, app_server
from emulator.tests.wire import Wire

type Advance = Callable[[float], None]


@pytest.fixture(autouse=True)
async def _closed() -> AsyncIterator[None]:
    """Close what a test has opened, before a collection finds it."""
    yield
    for ws in OPENED:
        await ws.close()
    OPENED.clear()


@pytest.fixture
async def wire(start: StartWire) -> AsyncIterator[Wire]:
    """An emulator whose clients app servers answer."""
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)
    async with start(config) as wire:
        yield wire


@pytest.fixture
async def server(wire: Wire) -> AsyncIterator[AppServer]:
    async with app_server(wire) as server:
        yield server


@pytest.fixture
async def advance(monkeypatch: pytest.MonkeyPatch) -> Advance:
    """Move the event loop's clock on by some seconds."""
    loop = asyncio.get_running_loop()
    steady, offset = loop.time, 0.0

    def moved(seconds: float) -> None:
        nonlocal offset
        offset += seconds

    monkeypatch.setattr(loop, "time", lambda: steady() + offset)
    return moved
