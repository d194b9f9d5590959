"""An app that the service calls when clients do something."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from signalr_emulator import Config
from signalr_emulator.transports.timing import Timing
from signalr_emulator.upstream.settings import UpstreamConfig, UpstreamTemplate

from emulator.tests.wire import Wire

if TYPE_CHECKING:
    from emulator.tests.conftest import StartWire

_TIMING = Timing()
_MAX_BODY_BYTES = 32 * 1024 * 1024

type Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _empty(_request: web.Request) -> web.StreamResponse:
    return web.Response()


@dataclass
class App:
    """An upstream that remembers what it was sent."""

    url: str = ""
    requests: asyncio.Queue[tuple[web.Request, bytes]] = field(default_factory=asyncio.Queue)
    respond: Respond = _empty

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.put_nowait((request, await request.read()))
        return await self.respond(request)

    async def next(self) -> tuple[web.Request, bytes]:
        async with asyncio.timeout(5):
            return await self.requests.get()

    async def events(self, count: int) -> list[str]:
        return [(await self.next())[0].headers["X-ASRS-Event"] for _ in range(count)]


@asynccontextmanager
async def upstream_app() -> AsyncIterator[App]:
    """Run an upstream on a free port."""
    upstream = App()
    server = web.Application(client_max_size=_MAX_BODY_BYTES)
    server.router.add_route("*", "/{tail:.*}", upstream.handle)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield upstream
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(
    start: "StartWire",
    *templates: UpstreamTemplate,
    timing: Timing = _TIMING,
    **choices: float | tuple[float, ...] | Path,
) -> AsyncIterator[Wire]:
    """Run an emulator that calls upstreams."""
    upstream = UpstreamConfig(templates, **choices)  # type: ignore[arg-type]  # by each field's name
    config = Config(service_port=0, control_port=0, timing=timing, upstream=upstream)
    async with start(config) as wire:
        yield wire
