"""Requests that never come to their end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from funchost.authentication.sign_in import EasyAuth
from funchost.routing.routes import Router
from funchost.server.admission import Admission
from funchost.server.front_end import FrontEnd, application
from funchost.server.front_end import runner as served_by
from funchost.server.patience import Patience
from funchost.worker.functions import Function
from funchost.worker.runtime import Worker

SHORT = 0.2
LONG = 20.0
HASTY_WITH_HEADERS = Patience(headers=SHORT, silence=LONG)
HASTY_WITH_BODIES = Patience(headers=LONG, silence=SHORT)

type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(patience: Patience) -> AsyncIterator[Connection]:
    """Connect to a host with a function that is never reached, and with logins."""
    worker, router = Worker(), Router()
    worker.functions = (Function("f", "1", "httpTrigger", route="f", is_http=True),)
    router.add("f", "f")
    front_end = FrontEnd(
        worker,
        router,
        admission=Admission("127.0.0.1"),
        max_body_bytes=1_000,
        auth=EasyAuth(),
        patience=patience,
    )
    runner = served_by(application(front_end.serve), 1, patience)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
        try:
            async with asyncio.timeout(LONG):
                yield reader, writer
        finally:
            # Not in an orderly way, as the host may wait for the rest of a body.
            writer.transport.abort()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("begun", ["", "P", "POST /f HTTP/1.1\r\nHost: localhost\r\nX: "])
async def test_headers_that_never_end_are_not_waited_for(begun: str) -> None:
    async with connected(HASTY_WITH_HEADERS) as (reader, writer):
        writer.write(begun.encode())
        assert await reader.read() == b""


async def test_headers_that_drip_are_not_waited_for() -> None:
    async with connected(HASTY_WITH_HEADERS) as (reader, writer):
        writer.write(b"POST /f HTTP/1.1\r\nHost: localhost\r\nX: ")
        while not reader.at_eof() and reader.exception() is None:
            writer.write(b"x")
            await asyncio.sleep(SHORT / 10)


async def test_each_request_of_a_connection_has_the_same_time() -> None:
    async with connected(HASTY_WITH_HEADERS) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: local")
        answers = await reader.read()
        assert answers.startswith(b"HTTP/1.1 200 ")
        assert answers.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("path", ["/f", "/.auth/login/aad"])
@pytest.mark.parametrize(
    "begun",
    [
        "Content-Length: 9\r\n\r\n",
        "Content-Length: 9\r\n\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nff\r\na",
        "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    ],
)
async def test_a_body_that_never_ends_is_answered_408(path: str, begun: str) -> None:
    async with connected(HASTY_WITH_BODIES) as (reader, writer):
        writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{begun}".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nConnection: close\r\n" in head


async def test_a_body_may_take_longer_if_it_goes_on() -> None:
    async with connected(HASTY_WITH_BODIES) as (reader, writer):
        start = "POST /.auth/login/aad HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n"
        writer.write(start.encode())
        for _ in range(12):
            writer.write(b"a")
            await asyncio.sleep(SHORT / 8)
        # It has come, and is no login.
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 400 ")
