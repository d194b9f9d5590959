import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest
from signalr_emulator import Clock, Config, running
from signalr_emulator.entra.identities import Identity, IdentityKind
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.upstream_app import App, upstream_app
from emulator.tests.wire import Wire

NOW = 1_700_000_000.0
USER_ASSIGNED = Identity(
    IdentityKind.USER_ASSIGNED, "principal-2", "client-2", "/subscriptions/s/ids/two"
)

type StartWire = Callable[[Config], AbstractAsyncContextManager[Wire]]


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still unless it is advanced."""
    return Clock(lambda: NOW)


@pytest.fixture
def start(signing_key: SigningKey, clock: Clock) -> StartWire:
    """Runs an emulator of a given configuration on free ports."""

    @asynccontextmanager
    async def start_wire(config: Config) -> AsyncIterator[Wire]:
        async with running(config, clock=clock, signing_key=signing_key) as emulator:
            trust = ssl.create_default_context(cadata=emulator.ca_certificate)
            connector = aiohttp.TCPConnector(ssl=trust)
            async with aiohttp.ClientSession(connector=connector) as session:
                yield Wire(emulator, session)

    return start_wire


@pytest.fixture
async def wire(start: StartWire) -> AsyncIterator[Wire]:
    async with start(Config(service_port=0, control_port=0)) as wire:
        yield wire


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with upstream_app() as app:
        yield app
