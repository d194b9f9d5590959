"""What a web page reaches that a developer visits: by the rules, and over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from funchost.routing.routes import Router
from funchost.server.admission import Admission, Asked
from funchost.server.cors import CorsPolicy
from funchost.server.front_end import FrontEnd, application
from funchost.server.front_end import runner as served_by
from funchost.server.hosts import Host, host_name, parse_host
from funchost.worker.functions import Function
from funchost.worker.messages import HttpRequest, HttpResponse
from tests.funchost.hosting import RunningHost

HERE = Admission("127.0.0.1")
FOREIGN = "https://foreign.example"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", Host("localhost", "")),
        ("LocalHost.:7071", Host("localhost", "7071")),
        ("my_app:", Host("my_app", "")),
        ("[::1]:7071", Host("[::1]", "7071")),
        *((text, None) for text in ("", ".", ":7071", "a b", " a", "a\t", "a,b", "a:1, b:1")),
        *((text, None) for text in ("u@a", "u:p@a:1", "a:80x", "a:-1", "a:1:2", "a/b", "a?", "a#")),
        *((text, None) for text in ("::1", "[::1", "[a]", "[127.0.0.1.5]", "[::1%eth0]", "[]")),
        *((text, None) for text in ("http://a", "b\xfccher", "a%2eb", "\u0661", "a\n")),
    ],
)
def test_host_header(text: str, host: Host | None) -> None:
    assert parse_host(text) == host


def test_a_name_that_is_chosen() -> None:
    assert [host_name(each) for each in ("A.b.", "[::1]")] == ["a.b", "[::1]"]
    for text in ("a:80", "a:", "::1", "http://a", "*", ""):
        with pytest.raises(ValueError, match="is no host name"):
            host_name(text)


def _status(admission: Admission, asked: Asked) -> int:
    refusal = admission.refusal(asked)
    return 200 if refusal is None else refusal.status


@pytest.mark.parametrize(
    ("listened", "host", "status"),
    [
        *(("127.0.0.1", each, 200) for each in ("127.0.0.1", "127.9.9.9:1", "LOCALHOST.:7071")),
        *(("127.0.0.1", each, 200) for each in ("[::1]", "[::ffff:127.0.0.1]", "App.Example:9")),
        *(("127.0.0.1", each, 403) for each in ("foreign.example", "127.0.0.1.foreign.example")),
        *(("127.0.0.1", each, 403) for each in ("192.0.2.7", "0.0.0.0", "[::]", "127.1", "a.b")),  # noqa: S104
        *(("127.0.0.1", each, 400) for each in ("", "a b", "u@localhost", "localhost:80x")),
        *((every, "192.0.2.7", 200) for every in ("0.0.0.0", "::")),  # noqa: S104
        *((every, "[2001:db8::7]:1", 200) for every in ("0.0.0.0", "::")),  # noqa: S104
        *((every, "foreign.example", 403) for every in ("0.0.0.0", "::")),  # noqa: S104
        ("192.0.2.7", "192.0.2.7:7071", 200),
        ("192.0.2.7", "192.0.2.8", 403),
        ("2001:db8::7", "[2001:DB8:0::7]", 200),
        ("Devbox", "devbox.", 200),
        ("devbox", "localhost", 200),
    ],
)
def test_hosts(listened: str, host: str, status: int) -> None:
    admission = Admission(listened, frozenset(("app.example",)))
    assert _status(admission, Asked("GET", [host], needs_host=True)) == status


def test_old_requests_need_no_host() -> None:
    assert _status(HERE, Asked("GET", [], needs_host=False)) == 200
    assert _status(HERE, Asked("GET", [], needs_host=True)) == 400
    assert _status(HERE, Asked("GET", ["foreign.example"], needs_host=False)) == 403
    assert _status(HERE, Asked("GET", ["localhost", "foreign.example"], needs_host=True)) == 403


CORS = CorsPolicy(frozenset(("https://contoso.com",)))
ANY = CorsPolicy(frozenset("*"))


@pytest.mark.parametrize(
    ("cors", "origin", "site", "status"),
    [
        (None, None, None, 200),
        (None, None, "same-origin", 200),
        (None, None, "none", 200),
        (None, None, "cross-site", 403),
        (CORS, None, "cross-site", 403),
        (ANY, None, "cross-site", 200),
        *((None, f"http://{each}", "cross-site", 200) for each in ("localhost:3000", "[::1]")),
        *((None, f"{each}://app.example:7071", None, 200) for each in ("http", "https")),
        *((None, each, None, 403) for each in ("http://app.example", FOREIGN, "null", "")),
        *((None, f"http://localhost.{each}", None, 403) for each in ("foreign.example", "x")),
        *(
            (None, each, None, 403)
            for each in ("ftp://localhost", "localhost", "http://u@localhost")
        ),
        (None, f"http://localhost, {FOREIGN}", None, 403),
        (CORS, "https://Contoso.com", "cross-site", 200),
        (CORS, "http://contoso.com", None, 403),
        (CORS, "http://localhost:3000", None, 200),
        (ANY, FOREIGN, "cross-site", 200),
    ],
)
def test_who_may_change(
    cors: CorsPolicy | None, origin: str | None, site: str | None, status: int
) -> None:
    admission = Admission("127.0.0.1", frozenset(("app.example",)), cors)
    for method in ("POST", "PUT", "PATCH", "DELETE", "QUERY"):
        asked = Asked(method, ["app.example:7071"], True, origin, site)
        assert _status(admission, asked) == status
    for method in ("GET", "HEAD", "OPTIONS"):
        assert _status(admission, Asked(method, ["app.example:7071"], True, origin, site)) == 200


class _Functions:
    """One function, which remembers the methods by which it was called."""

    def __init__(self) -> None:
        function = Function("f", "1", "httpTrigger", route="f", is_http=True)
        self.functions: tuple[Function, ...] = (function,)
        self.ran: list[str] = []

    async def invoke(
        self,
        function: Function,  # noqa: ARG002 - there is one
        request: HttpRequest,
        invocation_id: str,  # noqa: ARG002 - nobody asks for it
    ) -> HttpResponse:
        self.ran.append(request.method)
        return HttpResponse(200, {})


@asynccontextmanager
async def serving(admission: Admission) -> AsyncIterator[tuple[_Functions, int]]:
    """Serve the function where the admission says; give its port."""
    functions, router = _Functions(), Router()
    router.add("f", "f")
    front_end = FrontEnd(
        functions, router, admission=admission, cors=admission.cors, max_body_bytes=9
    )
    runner = served_by(application(front_end.serve), 1)
    await runner.setup()
    try:
        await web.TCPSite(runner, admission.listened, 0).start()
        yield functions, runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ask(port: int, start: str, *headers: str, address: str = "127.0.0.1") -> tuple[int, str]:
    """Send a request as it is written; give status and body of its answer."""
    reader, writer = await asyncio.open_connection(address, port)
    lines = (start, *headers, "Content-Type: text/plain", "Connection: close")
    writer.write("\r\n".join([*lines, "Content-Length: 2", "", "{}"]).encode("latin-1"))
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split(" ")[1]), body


async def test_no_function_runs_for_what_a_foreign_page_posts() -> None:
    async with serving(Admission("127.0.0.1", cors=CORS)) as (functions, port):
        host = f"Host: 127.0.0.1:{port}"
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for origin in (FOREIGN, "null", "http://127.0.0.1.foreign.example"):
                status, body = await ask(port, f"{method} /f HTTP/1.1", host, f"Origin: {origin}")
                assert status == 403
                assert "Host.CORS" in body
        stripped = (host, "Sec-Fetch-Site: cross-site")
        assert (await ask(port, "POST /f HTTP/1.1", *stripped))[0] == 403
        two = (host, f"Origin: http://localhost, {FOREIGN}")
        assert (await ask(port, "POST /f HTTP/1.1", *two))[0] == 403
        assert functions.ran == []


async def test_functions_run_for_programs_and_pages_that_may_call() -> None:
    async with serving(Admission("127.0.0.1", cors=CORS)) as (functions, port):
        host = f"Host: localhost:{port}"
        for headers in (
            (),
            (f"Origin: http://localhost:{port}",),
            ("Origin: http://127.0.0.1:3000", "Sec-Fetch-Site: cross-site"),
            ("Origin: https://contoso.com", "Sec-Fetch-Site: cross-site"),
        ):
            assert (await ask(port, "POST /f HTTP/1.1", host, *headers))[0] == 200
        # A link of any site may lead here.
        assert (await ask(port, "GET /f HTTP/1.1", host, f"Origin: {FOREIGN}"))[0] == 200
        assert functions.ran == ["POST"] * 4 + ["GET"]


async def test_no_other_name_of_this_machine_is_answered() -> None:
    async with serving(HERE) as (functions, port):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            for host in ("foreign.example", f"127.0.0.1.foreign.example:{port}", "192.0.2.7"):
                headers = (f"Host: {host}", f"Origin: http://{host}")
                status, body = await ask(port, f"{method} /f HTTP/1.1", *headers)
                assert status == 403
                assert method == "HEAD" or "--host-name" in body
        target = "GET http://foreign.example/f HTTP/1.1"
        assert (await ask(port, target, "Host: localhost"))[0] == 403
        target = f"GET http://[::1]:{port}/f HTTP/1.1"
        assert (await ask(port, target, "Host: localhost"))[0] == 200
        assert functions.ran == ["GET"]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Host:",),
        ("Host: a b",),
        ("Host: user@localhost",),
        ("Host: localhost:80x",),
        ("Host: localhost", "Host: localhost"),
        ("Host: localhost", "Host: foreign.example"),
    ],
    ids=str,
)
async def test_malformed_hosts_are_400(headers: tuple[str, ...]) -> None:
    async with serving(HERE) as (functions, port):
        assert (await ask(port, "GET /f HTTP/1.1", *headers))[0] == 400
        assert functions.ran == []


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")
async def test_any_address_leads_to_a_host_that_listens_on_all() -> None:
    async with serving(Admission("::")) as (_, port):
        for host in (f"[::1]:{port}", "[2001:db8::7]", "192.0.2.7", "localhost"):
            own = (f"Host: {host}", f"Origin: http://{host}")
            assert (await ask(port, "POST /f HTTP/1.1", *own, address="::1"))[0] == 200
        for headers in (("Host: foreign.example",), ("Host: [::1]", f"Origin: {FOREIGN}")):
            assert (await ask(port, "POST /f HTTP/1.1", *headers, address="::1"))[0] == 403


def test_a_running_host_refuses_them_too(host: RunningHost) -> None:
    for headers in ({"Host": "foreign.example"}, {"Origin": FOREIGN}):
        answer = host.call("POST", "/api/sync", b"{}", {"Content-Type": "text/plain"} | headers)
        assert answer.status == 403
    own = {"Origin": f"http://127.0.0.1:{host.port}"}
    assert host.call("POST", "/api/sync", b"{}", own).status == 200
