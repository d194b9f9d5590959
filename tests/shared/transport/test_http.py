"""HTTP to a service, by those who block and by those who wait on an event loop: the same for both.

Where an event loop watches no sockets, as the default one on Windows, threads send for it.
"""

import contextlib
import dataclasses
import socket
import threading
import time
from pathlib import Path

import pytest

from shared.transport.flow import NoAnswerError, Request
from shared.transport.http import Timeouts
from tests.scripted_service import HANG_UP, Received, Reply, scripted_service
from tests.shared.transport.conftest import Send, Sender


@pytest.fixture
def send(sender: Sender) -> Send:
    return sender(Timeouts(connect=2.0, read=0.2))


def request(url: str) -> Request:
    return Request("POST", url, {"Authorization": "Bearer ours"}, b"body")


def test_any_status_is_an_answer(send: Send) -> None:
    with scripted_service(lambda _: Reply(418, {"X-Ms-Error-Code": "Teapot"}, b"tea")) as service:
        answer = send(request(f"{service.url}/a%2Fb?x=1"))
    assert (answer.status, answer.headers["x-ms-error-code"], answer.body) == (
        418,
        "Teapot",
        b"tea",
    )
    (received,) = service.received
    assert (received.method, received.path, received.body) == ("POST", "/a%2Fb?x=1", b"body")


def test_a_redirect_is_not_followed_with_our_token(send: Send) -> None:
    with scripted_service(lambda _: Reply(302, {"Location": "/elsewhere"})) as service:
        assert send(request(service.url)).status == 302
    assert len(service.received) == 1


def test_a_netrc_file_does_not_replace_the_token(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password theirs\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted_service(lambda _: Reply(200)) as service:
        send(request(service.url))
    assert service.received[0].headers["Authorization"] == "Bearer ours"


def test_connections_are_kept_open(send: Send) -> None:
    with scripted_service(lambda _: Reply(202)) as service:
        for _ in range(3):
            send(request(service.url))
    assert len({each.client_port for each in service.received}) == 1


def test_a_refused_connection_was_not_delivered(send: Send) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(NoAnswerError, match="refused") as caught:
            send(request(url))
    assert not caught.value.delivered


def test_an_answer_that_is_too_large_is_given_up(sender: Sender) -> None:
    send = sender(largest_answer=10_000)
    size = 5_000
    with scripted_service(lambda _: Reply(200, body=b"x" * size)) as service:
        for _ in range(3):
            assert len(send(request(service.url)).body) == size
        size = 10_000
        with pytest.raises(NoAnswerError, match="too large") as caught:
            send(request(service.url))
    assert caught.value.delivered


def test_a_hang_up_may_have_been_delivered(send: Send) -> None:
    with scripted_service(lambda _: HANG_UP) as service, pytest.raises(NoAnswerError) as caught:
        send(request(service.url))
    assert caught.value.delivered


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "[::1", "a b"])
def test_a_host_that_is_none_gives_no_answer(send: Send, host: str) -> None:
    with pytest.raises(NoAnswerError):
        send(request(f"http://{host}/"))


def test_silence_may_have_been_delivered(send: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NoAnswerError, match="timed out") as caught:
            send(request(url))
    assert caught.value.delivered


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 202 Accepted\r\nServer: ",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 9999\r\n\r\n",
    ],
)
def test_an_answer_that_drips_in_is_given_up(sender: Sender, before: bytes) -> None:
    """Each piece comes in time, and the whole of it never would."""
    send = sender(Timeouts(connect=2.0, read=5.0, total=0.3))
    given_up = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(2**16)
            connection.sendall(before)
            while not given_up.wait(0.02):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(NoAnswerError, match="too long") as caught:
            send(request(url))
        given_up.set()
        thread.join()
    assert caught.value.delivered


@pytest.mark.parametrize("read_timeout", [None, 0.3])
def test_an_answer_may_take_longer_than_a_connection(
    sender: Sender, read_timeout: float | None
) -> None:
    given_up = threading.Event()
    send = sender(Timeouts(connect=0.1, read=0.3))
    asked = dataclasses.replace(request("http://"), read_timeout=read_timeout)

    def silence(_: Received) -> Reply:
        given_up.wait(10)
        return Reply(202)

    with scripted_service(silence) as service:
        began = time.monotonic()
        with pytest.raises(NoAnswerError, match="timed out"):
            send(dataclasses.replace(asked, url=service.url))
        assert time.monotonic() - began >= 0.3
        given_up.set()


def test_a_proxy_of_the_environment_is_used(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_service(lambda _: Reply(200)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        send(request("http://contoso.service.signalr.net/api"))
    assert proxy.received[0].path == "http://contoso.service.signalr.net/api"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_is_on_this_machine_is_not_asked_through_a_proxy(
    send: Send, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with (
        scripted_service(lambda _: Reply(502)) as proxy,
        scripted_service(lambda _: Reply(200)) as it,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        url = it.url.replace("127.0.0.1", host)
        assert send(request(f"{url}/api/health")).status == 200
    assert [each.path for each in it.received] == ["/api/health"]
    assert proxy.received == []


def test_a_link_local_address_is_not_asked_through_a_proxy(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = sender(Timeouts(connect=0.1, read=0.1))
    with scripted_service(lambda _: Reply(502)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with pytest.raises(NoAnswerError):
            send(request("http://[fe80::1]:9/"))
    assert proxy.received == []
