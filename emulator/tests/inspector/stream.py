"""Reads the stream of the page."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from emulator.tests.wire import Wire


@asynccontextmanager
async def watching(wire: Wire) -> AsyncIterator[Callable[[], Any]]:
    """Read the page's stream: each call waits for the next state."""
    async with wire.session.get(f"{wire.emulator.control_url}/emulator/events") as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"

        async def state() -> Any:  # noqa: ANN401 - a test knows what it expects
            line = await asyncio.wait_for(response.content.readline(), 5)
            assert await response.content.readline() == b"\r\n"
            assert line.startswith(b"data: ")
            return json.loads(line[6:])

        yield state
