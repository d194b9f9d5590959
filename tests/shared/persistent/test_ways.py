"""The way to the service: TLS and proxies, as the environment has them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from shared.errors import ServiceUnavailableError
from shared.persistent.aio import PersistentSender
from tests.shared.persistent.conftest import KEY
from tests.shared.persistent.stub_service import StubService, stub_service


@asynccontextmanager
async def proxy_to(url: str, asked: list[str]) -> AsyncIterator[str]:
    """Serve as a proxy that leads everybody to one service, and keep what it is asked for."""
    leads_to = urlsplit(url)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        there, here = await asyncio.open_connection(leads_to.hostname, leads_to.port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(copy(reader, here), copy(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_proxy_of_the_environment_is_gone_through(
    service: StubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    async with proxy_to(service.url, asked) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with PersistentSender("http://signalr.test", KEY) as sender:
            await sender.send_to_all("chat", "news")
    (request,) = asked
    assert request.startswith("CONNECT signalr.test:80 HTTP/1.1")
    assert "Bearer" not in request


async def test_this_machine_is_reached_without_a_proxy(
    service: StubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with PersistentSender(service.url, KEY) as sender:
        await sender.send_to_all("chat", "news")
    assert len(service.lines) == 1


async def test_a_proxy_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "gopher://proxy.test")
    async with PersistentSender("http://signalr.test", KEY, send_timeout=0.3) as sender:
        with pytest.raises(ServiceUnavailableError, match="gopher"):
            await sender.send_to_all("chat", "news")


async def test_authorities_of_the_environment_are_trusted_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with stub_service(tls=tls) as service:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name, raising=False)
        async with PersistentSender(service.url, KEY, send_timeout=0.5) as sender:
            with pytest.raises(ServiceUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
                await sender.send_to_all("chat", "news")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        async with PersistentSender(service.url, KEY) as sender:
            await sender.send_to_all("chat", "news")
        assert len(service.lines) == 1
