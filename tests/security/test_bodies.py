"""Bodies and connections that are made to exhaust the app: it answers, and goes on answering."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.processes import PATIENCE, FunctionApp

MEGABYTE = 1024 * 1024
SOON = 5.0
"""Seconds within which any of these is answered; most take milliseconds."""


def within(depth: int) -> bytes:
    return b'{"target":"t","arguments":' + b"[" * depth + b"]" * depth + b"}"


BOMBS = {
    "depth": (within(400_000), {400}),
    "depth of a thousand": (within(1_000), {202, 400}),
    "depth without an end": (b"[" * MEGABYTE, {400}),
    "width": (b"[" + b"{}," * 300_000 + b"{}]", {400}),
    "width of arguments": (b'{"target":"t","arguments":[' + b"0," * 500_000 + b"0]}", {202}),
    "a long number": (b'{"target":"t","arguments":[' + b"9" * 900_000 + b"]}", {400}),
    "a number of many zeros": (b'{"target":"t","arguments":[1e999999999]}', {400}),
    "a long fraction": (b'{"target":"t","arguments":[0.' + b"9" * 900_000 + b"]}", {202}),
    "the same name again and again": (b"{" + b'"target":"t",' * 70_000 + b'"target":"t"}', {400}),
    "names twice in depth and width": (
        b'{"target":"t","arguments":'
        + b"[" * 900
        + b'{"a":1,"a":2},' * 70_000
        + b"0"
        + b"]" * 900
        + b"}",
        {400},
    ),
    "a number too large in depth and width": (
        b'{"target":"t","arguments":'
        + b"[" * 900
        + b"[]," * 300_000
        + b"1e999"
        + b"]" * 900
        + b"}",
        {400},
    ),
    "names that nobody knows": (
        json.dumps({f"k{number}": 0 for number in range(60_000)}).encode(),
        {400},
    ),
    "a thousand items and one": (json.dumps([{"target": "t"}] * 1_001).encode(), {400}),
    "a long name": (json.dumps({"target": "t", "userId": "u" * 900_000}).encode(), {400}),
    "more than a megabyte": (b" " * (MEGABYTE + 1), {413}),
    "zeros": (bytes(MEGABYTE), {400}),
    "a byte order mark": (b'\xef\xbb\xbf{"target":"t"}', {400, 202}),
}


@pytest.fixture(autouse=True)
def still_there(anonymous_app: FunctionApp) -> Iterator[None]:
    """Whatever was sent, the next caller is answered, and nothing has failed."""
    yield
    answer = requests.get(f"{anonymous_app.url}/health", timeout=SOON)
    assert answer.json() == {"status": "ok"}
    assert "Traceback" not in anonymous_app.process.output


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("path", ["broadcast", "groups"])
def test_a_body_is_answered_soon_whatever_is_in_it(
    anonymous_app: FunctionApp, path: str, name: str
) -> None:
    body, expected = BOMBS[name]
    began = time.monotonic()
    answer = requests.post(f"{anonymous_app.url}/{path}", data=body, timeout=PATIENCE)
    assert time.monotonic() - began < SOON
    assert answer.status_code in (expected if path == "broadcast" else {400, 413})
    assert len(answer.content) < 200_000


@pytest.mark.parametrize("path", ["broadcast", "negotiate"])
def test_a_compressed_bomb_is_not_unpacked(anonymous_app: FunctionApp, path: str) -> None:
    bomb = gzip.compress(b'{"target":"' + bytes(50 * MEGABYTE))
    answer = requests.post(
        f"{anonymous_app.url}/{path}",
        data=bomb,
        headers={"Content-Encoding": "gzip"},
        timeout=SOON,
    )
    # Negotiate reads no body at all.
    assert answer.status_code == (400 if path == "broadcast" else 200)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /api/negotiate HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"POST /api/broadcast HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{",
        b"POST /api/broadcast HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    ],
    ids=["nothing", "half a header", "half a body", "half a chunk"],
)
def test_callers_who_never_come_to_an_end_keep_nobody_waiting(
    anonymous_app: FunctionApp, begun: bytes
) -> None:
    address = urlsplit(anonymous_app.url)
    with ExitStack() as slow:
        for _ in range(200):
            connection = socket.create_connection((address.hostname, address.port), SOON)
            slow.enter_context(connection)
            connection.sendall(begun)
        for _ in range(5):
            assert anonymous_app.negotiate()["accessToken"]


HEADS = {
    "two lengths": b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    "another length": b"Content-Length: 1\r\nContent-Length: 2",
    "a space before the colon": b"Transfer-Encoding : chunked",
    "a control character": b"X: a\r\n b\0c",
    "a long header": b"X: " + b"x" * 20_000,
    "no name": b": x",
}


@pytest.mark.parametrize("name", HEADS)
def test_a_request_that_two_servers_could_read_differently_is_refused(
    anonymous_app: FunctionApp, name: str
) -> None:
    address = urlsplit(anonymous_app.url)
    with socket.create_connection((address.hostname, address.port), SOON) as connection:
        start = b"POST /api/negotiate HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(start + HEADS[name] + b"\r\n\r\n")
        answer = connection.recv(MEGABYTE)
    assert answer.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert b"accessToken" not in answer
