"""What callers and developers give the Functions host of this machine."""

from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl, urljoin, urlsplit

from funchost.authentication.principal import Principal, read_principal
from funchost.authentication.sessions import Sessions
from funchost.authentication.sign_in import local_target
from funchost.routing.routes import Router
from funchost.routing.templates import TemplateError, parse_template
from funchost.server.admission import Admission, Asked
from funchost.server.cors import CorsPolicy
from funchost.server.hosts import parse_host
from funchost.server.keys import FunctionKeys
from funchost.settings import SettingsError, parse_host_settings, parse_local_settings
from funchost.worker.messages import trace_parent
from fuzz.target import target, text
from shared.functions.negotiate.app_service import read_principal as read_header

__all__: list[str] = []

_ORIGIN: Final = "http://127.0.0.1:7071"


@target(
    b"groups/{name:maxlength(64)}/{*rest}\n/groups/a/b/c",
    b"{id:int}/{a}.{b?}\n/7/x.y",
    b"{{x}}/{p:regex(^a{{2}}$)=aa}\n/{x}/aa",
    b"a/{d:datetime}/{g:guid?}\n/a/2024-01-01",
    b"{f:decimal:range(1,5)}\n/3",
)
def route_template(data: bytes) -> None:
    """A template is refused, or any path matches it or not."""
    template, _, path = text(data).partition("\n")
    with suppress(TemplateError):
        parse_template(template).match(path.split("/"))


_ROUTER: Final = Router("api")
for _route in (
    "{hub}/negotiate", "upstream/{hub}/{category}/{event}", "n/{i:int}/{d:decimal}/{t:datetime}",
    "f/{a}.{b?}", "l/{l:long:range(-5,5)}", "x/{x:double}/{g:guid?}",
    "r/{r:regex(^[a-z]+$)}/{*all}",
):  # fmt: skip
    _ROUTER.add(_route, _route)


@target(
    b"/api/chat/negotiate", b"/api/upstream/chat/messages/a%2Fb", b"/api/n/7/1.5/2024-01-01",
    b"/api/n/0001/1e5/01/02/2024", b"/api/f/a.b", b"/api/r/abc/%ff/%C3%A4",
)  # fmt: skip
def request_path(data: bytes) -> None:
    """Any path leads to one function or to none."""
    _ROUTER.match("POST", data.decode("latin-1"))


@target(
    b'{"version": "2.0", "extensions": {"http": {"routePrefix": "api"}}}',
    b'{"IsEncrypted": false, "Values": {"A": "b", "C": 1}, "Host": {"CORS": "http://localhost:3000",'
    b' "CORSCredentials": true, "LocalHttpPort": 7072}}',
)
def host_settings(data: bytes) -> None:
    """The text of a settings file is read or refused."""
    with suppress(SettingsError):
        parse_host_settings(text(data))
    with suppress(SettingsError):
        parse_local_settings(text(data))


_SESSIONS: Final = Sessions()
_ANN: Final = Principal("aad", "ann", "Ann", (("roles", "a"),), 4_000_000_000)
_COOKIE: Final = _SESSIONS.begin(_ANN)


@target(b"eyJhbGciOiJub25lIn0.e30.", b"eyJhbGciOiJIUzI1NiJ9.e30.eA")
def session_cookie(data: bytes) -> None:
    """Nobody has a session by a cookie of their own making."""
    cookie = text(data)
    assert _SESSIONS.read(cookie) is None
    _SESSIONS.end(cookie)
    assert _SESSIONS.read(_COOKIE) == _ANN


@target(b"/", b"/a?b=c#d", b"//evil", b"/\\evil", b"http://127.0.0.1:7071/x", b"/\t/evil", b"/%2f/")
def redirect(data: bytes) -> None:
    """After signing in a browser stays at this host."""
    found = local_target(text(data), _ORIGIN)
    assert found.isascii()
    assert found.isprintable()
    assert urlsplit(urljoin(_ORIGIN, found)).netloc == urlsplit(_ORIGIN).netloc
    assert not found.startswith("//")
    assert "\\" not in found


@target(b"user_id=ann&name=Ann+%C3%84&roles=a,b&claims=x%3Dy%0Az%3D1", b"user_id=%0D%0Ax")
def sign_in_form(data: bytes) -> None:
    """Who signs in is told to the app as it was written, in headers that hold."""
    form = dict(parse_qsl(data.decode(errors="replace")))
    try:
        written = read_principal("aad", form, 4_000_000_000)
    except ValueError:
        return
    headers = written.headers()
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    principal = read_header(headers["x-ms-client-principal"])
    assert principal is not None
    assert principal.claims["iat"] == "4000000000"
    with suppress(ValueError):
        assert _SESSIONS.read(_SESSIONS.begin(written)) == written


@target(b"http://localhost:3000,https://a.b", b"*", b"http://[::1]")
def cors_origins(data: bytes) -> None:
    """A list of origins is read or refused, and gives no other origin anything."""
    with suppress(ValueError):
        policy = CorsPolicy.parse(text(data), credentials=True)
        assert "Access-Control-Allow-Origin" not in policy.response_headers("http://other.example")


@target(
    b"localhost:7071\nhttp://localhost:7071", b"[::1]:80\nnull", b"127.0.0.1.\nhttps://[::1]",
    b"u@localhost\nhttp://u@localhost", b"127.0.0.1.nip.example\nhttp://localhost.a",
)  # fmt: skip
def host_admission(data: bytes) -> None:
    """Any host and origin are accepted or refused, and only this machine's are accepted."""
    host, _, origin = text(data).partition("\n")
    if Admission("127.0.0.1").refusal(Asked("POST", [host], True, origin)) is None:
        for each in (host, origin.partition("://")[2]):
            found = parse_host(each)
            assert found is not None
            assert found.is_loopback


@target(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
def trace_context(data: bytes) -> None:
    """A trace that is none is replaced by one."""
    found = trace_parent(text(data))
    assert trace_parent(found) == found


_KEYS: Final = FunctionKeys("f" * 40, "m" * 40)


@target(b"FUNCTION\nwrong", b"ADMIN\n" + b"f" * 40)
def function_key(data: bytes) -> None:
    """No other text than a key opens a function."""
    level, _, shown = text(data).partition("\n")
    accepted = {"m" * 40} if level == "ADMIN" else {"f" * 40, "m" * 40}
    opened = _KEYS.allows(level, {"x-functions-key": shown}, ())
    assert opened is (level == "ANONYMOUS" or shown in accepted)
