"""What goes over connections, and which of them are used again, by each kind of sender."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from shared.transport.flow import NoAnswerError, Request
from tests.shared.transport.conftest import Send, Sender
from tests.shared.transport.raw_server import (
    ACCEPTED,
    RawServer,
    answering,
    raw_server,
    read_request,
)

OK = b"HTTP/1.1 200 OK\r\n"
PATIENCE = 10.0


def request(server: RawServer, method: str = "POST", body: bytes | None = b"body") -> Request:
    url = f"http://127.0.0.1:{server.port}/api"
    return Request(method, url, {"Authorization": "Bearer ours"}, body)


def over_tls(server: RawServer, body: bytes = b"body") -> Request:
    url = f"https://127.0.0.1:{server.port}/api"
    return Request("POST", url, {"Authorization": "Bearer ours"}, body)


@pytest.fixture
def send(sender: Sender) -> Send:
    return sender()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    return authority


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class Reads:
    """Reads once for each request, and answers if there is anything left to answer."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        while read := connection.recv(2**16):
            self.reads.append(read)
            if not read.startswith(b"body"):
                connection.sendall(ACCEPTED)


def test_head_and_body_arrive_together(send: Send) -> None:
    script = Reads()
    with raw_server(script) as server:
        for _ in range(2):
            assert send(request(server)).status == 202
    assert [each.endswith(b"\r\n\r\nbody") for each in script.reads] == [True, True]


def test_head_and_body_are_one_record_of_tls(send: Send, tls: ssl.SSLContext) -> None:
    script = Reads()
    with raw_server(script, tls) as server:
        for _ in range(2):
            assert send(over_tls(server)).status == 202
    assert [each.endswith(b"\r\n\r\nbody") for each in script.reads] == [True, True]


def test_a_certificate_that_nobody_vouches_for_is_refused(send: Send) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    script = Reads()
    with (
        raw_server(script, context) as server,
        pytest.raises(NoAnswerError, match="certificate verify failed"),
    ):
        send(over_tls(server))
    assert script.reads == []


def test_a_certificate_of_another_host_is_refused(send: Send, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("contoso.service.signalr.net").configure_cert(context)
    script = Reads()
    with raw_server(script, context) as server, pytest.raises(NoAnswerError, match=r"127\.0\.0\.1"):
        send(over_tls(server))
    assert script.reads == []


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_body_longer_than_all_buffers_arrives_whole(
    send: Send, tls: ssl.SSLContext, is_encrypted: bool
) -> None:
    body = bytes(range(256)) * 2**16
    received: list[bytes] = []

    def script(connection: socket.socket) -> None:
        received.append(read_request(connection).partition(b"\r\n\r\n")[2])
        connection.sendall(ACCEPTED)

    with raw_server(script, tls if is_encrypted else None) as server:
        asked = over_tls(server, body) if is_encrypted else request(server, body=body)
        assert send(asked).status == 202
    assert received == [body]


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_long_answer_arrives_whole(send: Send, tls: ssl.SSLContext, is_encrypted: bool) -> None:
    body = bytes(range(256)) * 4096
    answer = OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with raw_server(answering(answer, answer), tls if is_encrypted else None) as server:
        for _ in range(2):
            assert send(over_tls(server) if is_encrypted else request(server)).body == body
    assert server.connections == 1


def test_who_refuses_a_body_without_reading_it_is_heard(send: Send) -> None:
    answered = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answered.wait(PATIENCE)

    with raw_server(script) as server:
        assert send(request(server, body=b"x" * 2**24)).status == 413
        answered.set()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Late: 1\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", b""),
    ],
)
def test_after_an_answer_that_says_where_it_ends_the_connection_is_used_again(
    send: Send, answer: bytes, body: bytes
) -> None:
    with raw_server(answering(answer, ACCEPTED)) as server:
        assert send(request(server)).body == body
        assert send(request(server)).status == 202
    assert server.connections == 1


def test_what_answers_head_has_no_body_whatever_it_says(send: Send) -> None:
    told = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nx-ms-error-code: Warning\r\n\r\n"
    untold = b"HTTP/1.1 200 OK\r\n\r\n"
    with raw_server(answering(told, untold, ACCEPTED)) as server:
        first = send(request(server, "HEAD", None))
        assert (first.status, first.headers["X-Ms-Error-Code"], first.body) == (404, "Warning", b"")
        assert send(request(server, "HEAD", None)).status == 200
        assert send(request(server)).status == 202
    assert server.connections == 1


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("POST", OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc"),
        ("POST", b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        ("POST", b"HTTP/1.0 200 OK\r\n\r\nabc"),
        ("POST", OK + b"\r\nabc"),
        ("HEAD", OK + b"Connection: close\r\n\r\n"),
        ("HEAD", b"HTTP/1.0 200 OK\r\n\r\n"),
    ],
)
def test_after_an_answer_that_ends_the_connection_comes_another_one(
    send: Send, method: str, answer: bytes
) -> None:
    with raw_server(answering(answer)) as server:
        for _ in range(2):
            assert send(request(server, method)).status == 200
    assert server.connections == 2


def test_what_nobody_has_asked_for_is_no_answer_to_the_next_request(send: Send) -> None:
    unasked = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answering(ACCEPTED + unasked)) as server:
        for _ in range(3):
            assert send(request(server)).status == 202
    assert server.connections == 3


def test_neither_trailers_nor_what_comes_after_are_headers_of_the_answer(send: Send) -> None:
    answer = OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Late: 1\r\n\r\n"
    unasked = b"HTTP/1.1 200 OK\r\nX-Late: 2\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answering(answer + unasked)) as server:
        assert dict(send(request(server)).headers) == {"transfer-encoding": "chunked"}


def test_what_comes_unasked_a_moment_later_is_no_answer_either(send: Send) -> None:
    come = threading.Event()

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(ACCEPTED)
        connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        come.set()

    with raw_server(script) as server:
        for _ in range(2):
            come.clear()
            assert send(request(server)).status == 202
            assert come.wait(PATIENCE)
    assert server.connections == 2


def test_a_connection_that_the_service_has_closed_meanwhile_costs_no_message(send: Send) -> None:
    closed = threading.Event()

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(ACCEPTED)
        connection.close()
        closed.set()

    with raw_server(script) as server:
        for _ in range(3):
            closed.clear()
            assert send(request(server)).status == 202
            assert closed.wait(PATIENCE)
    assert server.connections == 3


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"SSH-2.0-server\r\n", "not HTTP/1.1"),
        (OK + b"Content-Length: x\r\n\r\n", "not HTTP/1.1"),
        (OK + b"Content-Length: 9\r\n\r\nabc", "closed before the answer was whole"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc", "closed before the answer was whole"),
        (OK + b"X-Long: ", "closed before the answer was whole"),
        (b"", "closed before the answer was whole"),
        (OK + b"X-Long: " + b"x" * 2**19, "too large"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "changes the protocol",
        ),
    ],
)
def test_what_is_no_whole_answer_is_none(send: Send, answer: bytes, problem: str) -> None:
    with (
        raw_server(answering(answer)) as server,
        pytest.raises(NoAnswerError, match=problem) as caught,
    ):
        send(request(server))
    assert caught.value.delivered


def test_a_proxy_leads_to_the_service_without_reading_along(
    send: Send, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    received: list[bytes] = []

    def script(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with tls.wrap_socket(connection, server_side=True) as encrypted:
            while message := read_request(encrypted):
                received.append(message)
                encrypted.sendall(ACCEPTED)

    with raw_server(script) as proxy:
        monkeypatch.setenv("https_proxy", f"http://ann:secret@127.0.0.1:{proxy.port}")
        monkeypatch.setattr("shared.transport.surroundings.passes_proxies_by", lambda _: False)
        monkeypatch.setenv("no_proxy", "")
        for _ in range(2):
            send(
                Request("POST", "https://127.0.0.1:444/api", {"Authorization": "Bearer ours"}, b"b")
            )
    (connect,) = asked
    assert connect.startswith(b"CONNECT 127.0.0.1:444 HTTP/1.")
    assert b"\r\nProxy-Authorization: Basic YW5uOnNlY3JldA==\r\n" in connect
    assert b"ours" not in connect
    assert len(received) == 2
    for each in received:
        assert each.startswith(b"POST /api HTTP/1.1\r\nHost: 127.0.0.1:444\r\n")
        assert b"Proxy-Authorization" not in each
    assert proxy.connections == 1


def test_a_proxy_may_be_spoken_to_by_tls_itself(
    send: Send, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[bytes] = []

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = tls.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                message = inner.read(2**16)
            except ssl.SSLWantReadError:
                pass
            else:
                if not message:
                    return
                received.append(message)
                inner.write(ACCEPTED)
            if outgoing.pending:
                connection.sendall(outgoing.read())
            elif piece := connection.recv(2**16):
                incoming.write(piece)
            else:
                return

    with raw_server(script, tls) as proxy:
        monkeypatch.setenv("https_proxy", f"https://127.0.0.1:{proxy.port}")
        monkeypatch.setattr("shared.transport.surroundings.passes_proxies_by", lambda _: False)
        monkeypatch.setenv("no_proxy", "")
        for _ in range(2):
            asked = Request("POST", "https://127.0.0.1:444/api", {}, b"body")
            assert send(asked).status == 202
    assert [each.endswith(b"\r\n\r\nbody") for each in received] == [True, True]
    assert proxy.connections == 1


def test_a_proxy_that_passes_requests_on_is_told_who_asks(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while message := read_request(connection):
            received.append(message)
            connection.sendall(ACCEPTED)

    with raw_server(script) as proxy:
        monkeypatch.setenv("http_proxy", f"http://ann:secret@127.0.0.1:{proxy.port}")
        for _ in range(2):
            send(Request("POST", "http://contoso.service.signalr.net/api", {}, b"body"))
    start = b"POST http://contoso.service.signalr.net/api HTTP/1.1\r\n"
    assert [each.startswith(start) for each in received] == [True, True]
    assert [b"\r\nHost: contoso.service.signalr.net\r\n" in each for each in received] == [True] * 2
    assert [b"\r\nProxy-Authorization: Basic YW5u" in each for each in received] == [True, True]
    assert proxy.connections == 1


def test_a_proxy_that_refuses_is_named(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answering(refusal)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(NoAnswerError, match="407"):
            send(Request("POST", "https://contoso.service.signalr.net/api", {}, b"body"))


@pytest.mark.parametrize("value", ["Bearer a\r\nX-Other: b", "Bearer a\nb", "a\rb"])
def test_a_header_with_a_line_break_is_not_sent_and_not_shown(send: Send, value: str) -> None:
    script = Reads()
    with raw_server(script) as server:
        asked = request(server)
        asked.headers = {"Authorization": value}
        with pytest.raises(ValueError, match="Authorization") as caught:
            send(asked)
    assert "Bearer" not in str(caught.value)
    assert script.reads == []
