import gzip
import json
import re
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from funchost.routing.routes import Router
from funchost.server.admission import Admission
from funchost.server.front_end import FrontEnd, application
from funchost.worker.functions import Function
from funchost.worker.runtime import Worker
from tests.funchost.hosting import Answer, RunningHost


def _json(answer: Answer) -> Any:  # noqa: ANN401 - whatever the function describes
    assert answer.status == 200
    return json.loads(answer.body)


def test_prints_functions_and_urls(host: RunningHost) -> None:
    lines = host.banner.splitlines()
    base = f"http://127.0.0.1:{host.port}"
    assert lines[:2] == ["Functions:", ""]
    assert f"        threaded: [POST] {base}/api/sync" in lines
    assert f"        echo: {base}/api/echo/{{name?}}" in lines
    assert "        clock: timerTrigger (not run by this host)" in lines
    assert lines[-1] == f"Functions host ready on {base}"


@pytest.mark.parametrize("path", ["/api/echo", "/api/sync"])
def test_maps_the_request(host: RunningHost, path: str) -> None:
    body = bytes(range(256))
    seen = _json(host.call("POST", f"{path}?a=1&b=x+y%26", body, {"X-Custom": "Value"}))
    assert seen["method"] == "POST"
    assert seen["url"] == f"http://127.0.0.1:{host.port}{path}?a=1&b=x+y%26"
    assert seen["headers"]["x-custom"] == "Value"
    assert seen["query"] == {"a": "1", "b": "x y&"}
    assert seen["body"] == body.hex()


def test_joins_repeated_query_values_and_drops_empty_ones(host: RunningHost) -> None:
    assert _json(host.call("GET", "/api/echo?a=1&A=2&a=3&none="))["query"] == {"a": "1,2,3"}


def test_route_values_are_decoded_inside_their_segment(host: RunningHost) -> None:
    assert _json(host.call("GET", "/api/echo/caf%C3%A9%20%3F"))["params"] == {"name": "café ?"}
    assert _json(host.call("GET", "/api/echo/a%2Fb"))["params"] == {"name": "a%2Fb"}
    assert _json(host.call("GET", "/api/echo/a%0Ab%0D%0A"))["params"] == {"name": "a\nb\r\n"}
    assert _json(host.call("GET", "/API/Echo"))["params"] == {}


def test_a_request_without_body_has_empty_bytes(host: RunningHost) -> None:
    assert _json(host.call("GET", "/api/echo"))["body"] == ""


def test_a_compressed_body_arrives_as_it_came(host: RunningHost) -> None:
    body = gzip.compress(b"text")
    seen = _json(host.call("POST", "/api/echo", body, {"Content-Encoding": "gzip"}))
    assert seen["body"] == body.hex()


def test_passes_the_trace_context_on(host: RunningHost) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = {"traceparent": parent, "tracestate": "vendor=1"}
    assert _json(host.call("GET", "/api/echo", headers=sent))["trace"] == [parent, "vendor=1"]


@pytest.mark.parametrize("header", [{}, {"traceparent": "00-" + "0" * 32 + "-1-00"}])
def test_makes_a_trace_context_when_there_is_none(
    host: RunningHost, header: dict[str, str]
) -> None:
    seen = [_json(host.call("GET", "/api/echo", headers=header)) for _ in range(2)]
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", s["trace"][0]) for s in seen)
    assert seen[0]["trace"] != seen[1]["trace"]
    assert seen[0]["invocation"] != seen[1]["invocation"]


def test_the_more_precise_route_wins(host: RunningHost) -> None:
    assert host.call("GET", "/api/items/12").text == "number 12"
    assert host.call("GET", "/api/items/twelve").text == "name twelve"
    assert host.call("GET", "/api/files").text == "none"
    assert host.call("GET", "/api/files/a/b%20c/").text == "a/b c/"
    assert host.call("GET", "/api/unrouted").text == "found by its name"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/missing"), ("GET", "/echo"), ("GET", "/api/sync"), ("POST", "/api/items/1")],
)
def test_no_function_and_wrong_method_are_404_without_body(
    host: RunningHost, method: str, path: str
) -> None:
    answer = host.call(method, path)
    assert (answer.status, answer.body) == (404, b"")


def test_a_returned_string_is_text(host: RunningHost) -> None:
    answer = host.call("GET", "/api/items/1")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_copies_status_and_headers_but_no_hop_by_hop_ones(host: RunningHost) -> None:
    answer = host.call("GET", "/api/headers")
    assert (answer.status, answer.text, answer.headers["x-own"]) == (203, "four", "yes")
    assert answer.headers["content-length"] == "4"
    assert "transfer-encoding" not in answer.headers
    assert "keep-alive" not in answer.headers


def test_serialises_cookies(host: RunningHost) -> None:
    assert host.call("GET", "/api/cookies").headers.get_all("set-cookie") == [
        "a=1%2F2; path=/app; secure; samesite=strict; httponly",
        "b=2; max-age=60; domain=example.org",
        "c=3; expires=Wed, 21 Oct 2026 07:28:00 GMT; samesite=none",
    ]


def test_head_has_the_headers_without_the_body(host: RunningHost) -> None:
    answer = host.call("HEAD", "/api/headers")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (203, b"", "4")


def test_no_content(host: RunningHost) -> None:
    answer = host.call("GET", "/api/empty")
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/api/fails", "LookupError: what went wrong"),
        ("/api/nothing", "NoneType"),
        ("/api/quits", "SystemExit: 3"),
        ("/api/quits-async", "SystemExit: 3"),
        ("/api/cancels", "CancelledError"),
        ("/api/cancels-async", "CancelledError: on its own"),
    ],
)
def test_a_failed_function_is_500_and_its_trace_in_the_log(
    host: RunningHost, path: str, reason: str
) -> None:
    answer = host.call("GET", path)
    assert (answer.status, answer.body) == (500, b"")
    failure = host.log().rpartition(" failed (Id=")[2]
    assert "Traceback" in failure
    assert reason in failure


def test_a_request_is_one_line_without_anything_secret(host: RunningHost) -> None:
    before = len(host.log())
    secret = {"Authorization": "secret-header", "Content-Type": "text/plain"}
    host.call("POST", "/api/sync?code=secret-query", b"secret-body", secret)
    host.call("GET", "/api/nowhere")
    spoken, ran, unknown = host.log()[before:].splitlines()
    time = r"\d\d:\d\d:\d\d"
    assert re.fullmatch(rf"{time} INFO    threaded: the app speaks", spoken)
    assert re.fullmatch(rf"{time} POST /api/sync 200 \d+ ms", ran)
    assert re.fullmatch(rf"{time} GET /api/nowhere 404 \d+ ms", unknown)


def test_a_path_breaks_no_line_and_does_not_speak_to_the_terminal(host: RunningHost) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as connection:
        connection.sendall(b"GET /a\x1b[2J\x9b1m%0aINFO HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096)
    host.call("GET", "/" + 1000 * "a")
    *_, last = host.log().splitlines()
    assert len(last) < 250
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", host.log())


@pytest.mark.parametrize(
    "malformed",
    [b"GET /api/echo?code=secret\0 HTTP/1.1", b"GET /api/echo HTTP/1.1\r\nBad Name: secret"],
)
def test_a_malformed_request_is_400_and_not_quoted_in_the_log(
    host: RunningHost, malformed: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as connection:
        connection.sendall(malformed + b"\r\nHost: a\r\n\r\n")
        assert b" 400 " in connection.recv(4096).splitlines()[0]
    assert host.call("GET", "/").status == 200
    assert "secret" not in host.log()


def test_the_home_page_answers(host: RunningHost) -> None:
    assert host.call("GET", "/").status == 200
    assert host.call("POST", "/").status == 404


def test_a_declared_body_over_the_limit_is_413(host: RunningHost) -> None:
    answer = host.call("POST", "/api/sync", None, {"Content-Length": str(100 * 1024 * 1024 + 1)})
    assert (answer.status, answer.body) == (413, b"")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FROM_FILE", "file"),
        ("FROM_BOTH", "environment"),
        ("NUMBER", "7"),
        ("FUNCTIONS_WORKER_RUNTIME", "python"),
        ("AZURE_FUNCTIONS_ENVIRONMENT", "Development"),
    ],
)
def test_local_settings_reach_the_app(host: RunningHost, name: str, value: str) -> None:
    assert host.call("GET", f"/api/out?name={name}").text == value
    assert "FROM_BOTH is set in the environment" in host.log()


def test_the_app_knows_its_address(host: RunningHost) -> None:
    assert host.call("GET", "/api/out?name=WEBSITE_HOSTNAME").text == f"127.0.0.1:{host.port}"


def test_an_allowed_origin_may_read_every_answer(host: RunningHost) -> None:
    for path in ("/api/headers", "/api/fails", "/api/missing"):
        answer = host.call("GET", path, headers={"Origin": "http://page.example"})
        assert answer.headers["access-control-allow-origin"] == "http://page.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]
    assert host.call("GET", "/api/headers").headers["vary"] == "Accept, Origin"


@pytest.mark.parametrize("origin", ["http://stranger.example", "http://other.example", "null"])
def test_another_origin_gets_no_cors_headers(host: RunningHost, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for answer in (
        host.call("GET", "/api/headers", headers={"Origin": origin}),
        host.call("OPTIONS", "/api/headers", headers=asked),
    ):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_the_host_answers_preflights(host: RunningHost) -> None:
    answer = host.call(
        "OPTIONS",
        "/api/sync",
        headers={
            "Origin": "http://other.example:81",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-own",
        },
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "http://other.example:81"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-own"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert int(answer.headers["access-control-max-age"]) > 0


def test_options_without_origin_is_a_request_like_any_other(host: RunningHost) -> None:
    assert _json(host.call("OPTIONS", "/api/echo"))["method"] == "OPTIONS"


@pytest.fixture
async def small() -> AsyncIterator[TestClient[Any, Any]]:
    """Serve a front end that takes four bytes, over a worker that is never reached."""
    worker = Worker()
    worker.functions = (Function("f", "1", "httpTrigger", route="f", is_http=True),)
    router = Router()
    router.add("f", "f")
    front_end = FrontEnd(worker, router, admission=Admission("127.0.0.1"), max_body_bytes=4)
    async with TestClient(TestServer(application(front_end.serve))) as client:
        yield client


async def _five_bytes() -> AsyncIterator[bytes]:
    yield b"123"
    yield b"45"


async def test_a_body_of_unknown_length_over_the_limit_is_413(
    small: TestClient[Any, Any],
) -> None:
    async with small.post("/f", data=_five_bytes()) as response:
        assert (response.status, await response.read()) == (413, b"")
