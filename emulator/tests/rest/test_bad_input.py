"""REST callers that send nonsense: the right kind of status, and nothing is logged as a failure."""

import contextlib
import gzip
import logging

import pytest

from emulator.tests.wire import API_VERSION, Wire

SEND = f"/api/hubs/chat/:send?api-version={API_VERSION}"
MEBIBYTE = 1024 * 1024
END = "\r\n"


async def status(
    wire: Wire,
    *parts: bytes,
    head: str = "",
    path: str = SEND,
    is_over: bool = False,
    is_endless: bool = False,
) -> int:
    """Send a request byte by byte, and give the status of its answer, or 0 if there is none."""
    reader, writer = await wire.raw()
    token = await wire.entra_token()
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n{head}"
        f"{'' if is_endless else END}".encode()
    )
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if is_over:
            writer.write_eof()
        answer = await reader.read()
    except ConnectionError:
        answer = b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return int(answer.split(b" ", 2)[1]) if answer else 0


def chunked(*bodies: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(body), body) for body in (*bodies, b""))


@pytest.fixture(autouse=True)
def no_failure_is_logged(caplog: pytest.LogCaptureFixture) -> object:
    yield
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


CHUNKED = "Transfer-Encoding: chunked\r\n"
GZIP = "Content-Encoding: gzip\r\n"


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (CHUNKED, chunked(b'{"target"', b':"t"}'), 202),
        (CHUNKED, b"zz\r\n", 400),
        (CHUNKED, chunked(b"x" * MEBIBYTE, b"x"), 413),
        (f"Content-Length: {MEBIBYTE + 1}\r\n", b"x" * (MEBIBYTE + 1), 413),
        ("Content-Length: -1\r\n", b"", 400),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", b"{}", 400),
        (f"Content-Length: 2\r\n{CHUNKED}", b"{}", 400),
        (GZIP + CHUNKED, chunked(gzip.compress(b'{"target":"t"}', mtime=0)), 202),
        (GZIP + CHUNKED, chunked(b"no gzip"), 400),
        (
            GZIP + CHUNKED,
            chunked(gzip.compress(b'{"target":"' + bytes(50 * MEBIBYTE), mtime=0)),
            413,
        ),
        (f"X-Long: {'x' * 20_000}\r\n", b"", 400),
        ("X-Many: x\r\n" * 1_000, b"", 400),
        ("no header\r\n", b"", 400),
        ("X-Null: \x00\r\n", b"", 400),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_bodies_and_headers(wire: Wire, head: str, body: bytes, expected: int) -> None:
    assert await status(wire, body, head=head) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/api/hubs/chat/users/%FF%FE/:send?api-version={API_VERSION}", 202),
        (f"/api/hubs/chat/users/%ZZ/:send?api-version={API_VERSION}", 202),
        (f"/api/hubs/%00/:send?api-version={API_VERSION}", 400),
        (f"/api/hubs/chat/:send?api-version={API_VERSION}&excluded=%FF&application=%", 400),
        (f"/api/hubs/chat/:send?{'a=b&' * 3000}api-version={API_VERSION}", 202),
        (f"/api/hubs/chat/:send?api-version={API_VERSION}&x={'x' * 20_000}", 400),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_paths(wire: Wire, path: str, expected: int) -> None:
    body = b'{"target":"t"}'
    head = f"Content-Length: {len(body)}\r\n"
    assert await status(wire, body, head=head, path=path) == expected


async def test_header_bomb(wire: Wire) -> None:
    # What is still on its way when the service refuses may cost the caller the answer.
    assert await status(wire, b"X: x\r\n" * 500_000, head="X: x\r\n", is_endless=True) in {0, 400}
    assert (await wire.send("chat/")).status == 202


async def test_caller_that_goes_away(wire: Wire) -> None:
    assert await status(wire, b"{", head="Content-Length: 9\r\n", is_over=True) in {0, 400}
    assert await status(wire, b"5\r\n{", head=CHUNKED, is_over=True) in {0, 400}
    assert (await wire.send("chat/")).status == 202


async def test_several_methods_that_no_path_has(wire: Wire) -> None:
    for method in ("TRACE", "PROPFIND", "CONNECT", "X-MINE"):
        answer = await wire.rest(method, SEND)
        assert answer.status in {400, 404, 405}
