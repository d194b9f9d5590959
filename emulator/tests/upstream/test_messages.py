import pytest
from signalr_emulator.protocols.messages import Completion
from signalr_emulator.upstream.messages import (
    Answer,
    UpstreamClient,
    answer,
    connected,
    disconnected,
    headers,
    invoked,
    signature,
)

KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
DIGEST = "d4b71f6479906bf45cdc69c969315019a67a52deae1eab86c7a7f3d9b25cd31e"
FRAMED = b'{"type":3,"invocationId":"1","result":4}\x1e'


def test_signature() -> None:
    assert signature("abc", [KEY]) == f"sha256={DIGEST}"
    first, second = signature("abc", [KEY, "other"]).split(", ")
    assert first == f"sha256={DIGEST}"
    assert second.startswith("sha256=")
    assert second != first


def test_headers() -> None:
    client = UpstreamClient(
        connection_id="abc",
        hub="chat",
        user_id="Ann",
        claims=(("role", "admin"), ("name", "Ann")),
        query="hub=chat&x=a%20b",
    )
    assert headers(client, connected(), [KEY]) == {
        "Content-Type": "application/json",
        "X-ASRS-Connection-Id": "abc",
        "X-ASRS-Hub": "chat",
        "X-ASRS-Category": "connections",
        "X-ASRS-Event": "connected",
        "X-ASRS-User-Id": "Ann",
        "X-ASRS-User-Claims": "role: admin, name: Ann",
        "X-ASRS-Client-Query": "?hub=chat&x=a%20b",
        "X-ASRS-Signature": f"sha256={DIGEST}",
    }


@pytest.mark.parametrize("user", [None, ""])
def test_headers_of_a_client_without_user_and_keys(user: str | None) -> None:
    given = headers(UpstreamClient("abc", "chat", user), connected(), [])
    assert "X-ASRS-User-Id" not in given
    assert "X-ASRS-Signature" not in given
    assert given["X-ASRS-Client-Query"] == ""


def test_no_text_breaks_a_header() -> None:
    client = UpstreamClient("abc", "chat", user_id="a\r\nX-Evil: 1\ud800ü")
    assert headers(client, connected(), [])["X-ASRS-User-Id"] == "a%0D%0AX-Evil: 1\\ud800ü"


def test_bodies() -> None:
    assert connected().body == b'{"type":10}'
    assert disconnected(None).body == b'{"type":11}'
    assert disconnected("bad").body == b'{"type":11,"error":"bad"}'
    event = invoked("messagepack", "say", b"\x95\x01")
    assert (event.category, event.event, event.body) == ("messages", "say", b"\x95\x01")
    assert event.content_type == "application/x-msgpack"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, FRAMED, FRAMED),
        (200, b"", Completion("1")),
        (204, b"", Completion("1")),
        (404, FRAMED, Completion("1", error="Invocation failed, status code 404")),
        (302, b"", Completion("1", error="Invocation failed, status code 302")),
        (201, FRAMED, Completion("1", error="Invocation failed, status code 201")),
        (200, None, Completion("1", error="Invocation failed, response over 16777216 bytes")),
        (200, b"\xff", Completion("1", error="Invocation failed, response is not UTF-8 text")),
    ],
)
def test_answers(status: int, body: bytes | None, expected: Answer) -> None:
    assert answer("json", "1", status, body) == expected
    assert answer("json", None, status, body) is None


def test_binary_answer() -> None:
    assert answer("messagepack", "1", 200, b"\x02\x93\xff") == b"\x02\x93\xff"
