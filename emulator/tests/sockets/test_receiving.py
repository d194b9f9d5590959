"""What is received takes no more memory than itself."""

import asyncio
import socket
import tracemalloc
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from emulator.tests.wire import Wire

REQUEST = b"HEAD /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
MOST_BYTES = 64 * 1024


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
async def test_a_small_request_is_received_into_little_memory(wire: Wire) -> None:
    loop = asyncio.get_running_loop()
    place = urlsplit(wire.emulator.service_url)
    with socket.create_connection((place.hostname, place.port)) as client:
        client.setblocking(False)
        for _ in range(2):  # what a first request imports and caches is not meant
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            await loop.sock_sendall(client, REQUEST)
            assert (await loop.sock_recv(client, 1024)).startswith(b"HTTP/1.1 200 ")
        _, most = tracemalloc.get_traced_memory()
    assert most - before < MOST_BYTES
