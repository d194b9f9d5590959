"""The proxy in front of app servers, by real sockets."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from interop.app_servers.reverse_proxy import reverse_proxy

PATIENCE = 10.0
END = b"\r\n\r\n"
ABORTED = struct.pack("ii", 1, 0)
"""SO_LINGER by which the end of a socket is a reset."""


class Listener:
    """A server that a test plays: it takes one connection after the other."""

    def __init__(self, sockets: contextlib.ExitStack) -> None:
        self.sockets = sockets
        self.socket = sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.socket.settimeout(PATIENCE)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def accept(self) -> tuple[socket.socket, bytes]:
        """Give the next connection and the head of its request."""
        taken = self.sockets.enter_context(self.socket.accept()[0])
        taken.settimeout(PATIENCE)
        return taken, until(taken, END)

    def asked_by(self, proxy: str, request: str) -> tuple[socket.socket, socket.socket, bytes]:
        """Send a request to a proxy, and give the ends of client and server and what came."""
        host, port = proxy.removeprefix("http://").split(":")
        client = self.sockets.enter_context(socket.create_connection((host, int(port)), PATIENCE))
        client.sendall(f"GET {request}\r\n\r\n".encode())
        return client, *self.accept()


def until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        more = connection.recv(1)
        assert more, data
        data += more
    return data


@contextlib.contextmanager
def answering(listener: Listener, body: bytes) -> Iterator[list[bytes]]:
    """Answer the next request in the background, and keep its head and body."""
    seen: list[bytes] = []

    def answer() -> None:
        taken, head = listener.accept()
        seen.append(head)
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        taken.close()

    thread = threading.Thread(target=answer)
    thread.start()
    yield seen
    thread.join(PATIENCE)


@pytest.fixture
def sockets() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as every:
        yield every


@pytest.fixture
def service(sockets: contextlib.ExitStack) -> Listener:
    return Listener(sockets)


@pytest.fixture
def app(sockets: contextlib.ExitStack) -> Listener:
    return Listener(sockets)


@pytest.fixture
def proxy(service: Listener, app: Listener) -> Iterator[str]:
    with reverse_proxy(service.url, app.url) as url:
        yield url


@pytest.mark.parametrize("path", ["/client/?hub=chat", "/client/negotiate?hub=chat", "/chat?id=1"])
def test_the_path_says_who_gets_a_request(
    service: Listener, app: Listener, proxy: str, path: str
) -> None:
    asked = service if path.startswith("/client") else app
    with answering(asked, b"body") as seen:
        answer = requests.get(f"{proxy}{path}", headers={"X-Own": "kept"}, timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"body")
    (head,) = seen
    assert head.startswith(f"GET {path} HTTP/1.1\r\n".encode())
    assert f"Host: {asked.url.removeprefix('http://')}\r\n".encode() in head
    assert b"X-Own: kept\r\n" in head
    assert b"Connection: close\r\n" in head


def upgraded(listener: Listener, proxy: str) -> tuple[socket.socket, socket.socket]:
    """Open a WebSocket as far as bytes go, and give the ends of client and service."""
    client, server, head = listener.asked_by(
        proxy, "/client/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket"
    )
    assert b"Connection: Upgrade\r\n" in head
    server.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    until(client, END)
    return client, server


def test_bytes_pass_both_ways_as_they_come(service: Listener, proxy: str) -> None:
    client, server = upgraded(service, proxy)
    for sender, receiver in ((client, server), (server, client), (client, server)):
        sender.sendall(b"\x82\x01x")
        assert receiver.recv(100) == b"\x82\x01x"


def test_an_event_stream_passes_piece_by_piece(service: Listener, proxy: str) -> None:
    client, server, _ = service.asked_by(proxy, "/client/?hub=chat HTTP/1.1\r\nHost: a")
    for piece in (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
        b"data: 1\r\n\r\n",
    ):
        server.sendall(piece)
        assert until(client, END) == piece


@pytest.mark.parametrize("breaks", ["client", "service"])
def test_the_end_of_one_side_is_that_of_the_other(
    service: Listener, proxy: str, breaks: str
) -> None:
    client, server = upgraded(service, proxy)
    ends, other = (client, server) if breaks == "client" else (server, client)
    ends.sendall(b"last words")
    ends.close()
    assert until(other, b"last words")
    assert other.recv(1) == b""


@pytest.mark.parametrize("breaks", ["client", "service"])
def test_an_abort_of_one_side_is_one_of_the_other(
    service: Listener, proxy: str, breaks: str
) -> None:
    client, server = upgraded(service, proxy)
    ends, other = (client, server) if breaks == "client" else (server, client)
    ends.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTED)
    ends.close()
    with pytest.raises(ConnectionResetError):
        other.recv(1)


def test_a_poll_ends_when_its_client_goes(service: Listener, proxy: str) -> None:
    client, server, _ = service.asked_by(proxy, "/client/?hub=chat&id=1 HTTP/1.1\r\nHost: a")
    client.close()
    assert server.recv(1) == b""


def negotiator(name: str, service: Listener) -> tuple[str, contextlib.ExitStack]:
    """Run an app that negotiates, and give where it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            said = {
                "url": f"{service.url}/client/?hub=chat",
                "by": name,
                "sent": sent,
                "host": self.headers["Host"],
                "bearer": self.headers["Authorization"],
            }
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    exits = contextlib.ExitStack()
    exits.callback(server.server_close)
    exits.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}", exits


def negotiated(proxy: str) -> dict[str, str]:
    answer = requests.post(
        f"{proxy}/chat/negotiate?negotiateVersion=1",
        data="body",
        headers={"Authorization": "Bearer ann"},
        timeout=PATIENCE,
    )
    said: dict[str, str] = answer.json()
    return said


def test_a_negotiation_names_the_proxy_in_place_of_the_service(service: Listener) -> None:
    url, app = negotiator("first", service)
    with app, reverse_proxy(service.url, url) as proxy:
        assert negotiated(proxy) == {
            "url": f"{proxy}/client/?hub=chat",
            "by": "first",
            "sent": "body",
            "host": url.removeprefix("http://"),
            "bearer": "Bearer ann",
        }


def test_apps_get_requests_in_turn_as_long_as_they_are_there(service: Listener) -> None:
    first_url, first = negotiator("first", service)
    second_url, second = negotiator("second", service)
    with second, reverse_proxy(service.url, first_url, second_url) as proxy:
        with first:
            assert {negotiated(proxy)["by"] for _ in range(2)} == {"first", "second"}
        assert {negotiated(proxy)["by"] for _ in range(3)} == {"second"}
    with reverse_proxy(service.url, first_url) as proxy:
        assert requests.post(f"{proxy}/chat/negotiate", timeout=PATIENCE).status_code == 502
        assert requests.get(f"{proxy}/chat", timeout=PATIENCE).status_code == 502
