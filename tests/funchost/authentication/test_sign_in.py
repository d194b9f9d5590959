import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from http.cookies import SimpleCookie
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from funchost.authentication.principal import Principal, read_principal
from funchost.authentication.sessions import Sessions
from funchost.authentication.sign_in import local_target
from tests.funchost.hosting import Answer, RunningHost, running, write_app

_APP = """
import json
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="headers")
async def headers(req: func.HttpRequest) -> str:
    return json.dumps(dict(req.headers))


@app.route(route="enabled")
async def enabled(req: func.HttpRequest) -> str:
    return os.environ.get("WEBSITE_AUTH_ENABLED", "")
"""
_COOKIE = "AppServiceAuthSession"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SPOOFED = {
    "X-MS-CLIENT-PRINCIPAL": base64.b64encode(b"{}").decode(),
    "x-ms-client-principal-id": "admin",
    "X-Ms-Client-Principal-Name": "admin",
    "X-MS-CLIENT-PRINCIPAL-IDP": "aad",
    "X-MS-TOKEN-AAD-ID-TOKEN": "token",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    settings = {
        "Values": {"WEBSITE_AUTH_ENABLED": "False"},
        "Host": {"CORS": "http://localhost:3000", "CORSCredentials": True},
    }
    app = write_app(tmp_path_factory.mktemp("auth"), _APP, local_settings=settings)
    with running(app, "--auth") as started:
        yield started


def _sign_in(host: RunningHost, path: str = "aad", **form: str) -> Answer:
    body = urlencode(form).encode()
    return host.call("POST", f"/.auth/login/{path}", body, _FORM)


def _session(answer: Answer) -> dict[str, str]:
    assert answer.status == 302, answer.text
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[_COOKIE]
    return {"Cookie": f"{_COOKIE}={cookie.value}"}


def _seen(host: RunningHost, headers: dict[str, str]) -> dict[str, str]:
    """Return the platform's headers as a function gets them."""
    got: dict[str, str] = json.loads(host.call("GET", "/api/headers", headers=headers).body)
    return {name: value for name, value in got.items() if name.startswith("x-ms-")}


def _me(host: RunningHost, headers: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    answer = host.call("GET", "/.auth/me", headers=headers)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    return json.loads(answer.body)


def test_the_app_learns_that_somebody_authenticates(host: RunningHost) -> None:
    assert host.call("GET", "/api/enabled").text == "True"


def test_a_function_gets_the_principal(host: RunningHost) -> None:
    form = {"user_id": "ann", "name": "Ann Ö", "roles": "admin, editor", "claims": "tid=t=1\n\n"}
    seen = _seen(host, _session(_sign_in(host, **form)))
    assert seen.pop("x-ms-client-principal-id") == "ann"
    assert seen.pop("x-ms-client-principal-name") == "Ann ?"
    assert seen.pop("x-ms-client-principal-idp") == "aad"
    principal = json.loads(base64.b64decode(seen.pop("x-ms-client-principal")))
    assert principal.keys() == {"auth_typ", "claims", "name_typ", "role_typ"}
    assert principal["auth_typ"] == "aad"
    claims = [(claim["typ"], claim["val"]) for claim in principal["claims"]]
    assert (principal["name_typ"], "Ann Ö") in claims
    roles = [value for kind, value in claims if kind == principal["role_typ"]]
    assert roles == ["admin", "editor"]
    assert ("tid", "t=1") in claims
    assert seen == {}


def test_the_principal_has_the_times_of_an_id_token_and_not_of_the_session(
    host: RunningHost,
) -> None:
    before = int(time())
    session = _session(_sign_in(host, user_id="ann"))
    seen = _seen(host, session)
    principal = json.loads(base64.b64decode(seen["x-ms-client-principal"]))
    claims = {claim["typ"]: claim["val"] for claim in principal["claims"]}
    assert before <= int(claims["iat"]) <= time()
    assert claims["nbf"] == claims["iat"]
    assert int(claims["exp"]) == int(claims["iat"]) + 3900
    (me,) = _me(host, session)
    assert datetime.fromisoformat(me["expires_on"]).timestamp() == int(claims["exp"])


def test_a_session_lasts_for_eight_hours() -> None:
    sessions = Sessions()
    now = int(time())
    ann = Principal("aad", "ann", "Ann", (), now - 8 * 3600 + 60)
    assert sessions.read(sessions.begin(ann)) == ann
    over = replace(ann, signed_in_at=now - 8 * 3600 - 1)
    assert sessions.read(sessions.begin(over)) is None


def test_headers_of_the_platform_come_from_nobody_else(host: RunningHost) -> None:
    assert _seen(host, _SPOOFED) == {}
    session = _session(_sign_in(host, user_id="ann"))
    assert _seen(host, _SPOOFED | session) == _seen(host, session)


def test_without_authentication_headers_pass_as_they_come(tmp_path: Path) -> None:
    settings = {"Values": {"WEBSITE_AUTH_ENABLED": "True"}}
    with running(write_app(tmp_path, _APP, local_settings=settings)) as host:
        expected = {name.lower(): value for name, value in _SPOOFED.items()}
        assert _seen(host, _SPOOFED) == expected
        assert host.call("GET", "/.auth/me").status == 404
        assert "Start the host with --auth" in host.log()


def test_me_describes_who_has_signed_in(host: RunningHost) -> None:
    assert _me(host, {}) == []
    (me,) = _me(host, _session(_sign_in(host, "google", user_id="ann", roles="admin")))
    assert me.keys() == {"expires_on", "provider_name", "user_claims", "user_id"}
    assert (me["provider_name"], me["user_id"]) == ("google", "ann")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.0000000Z", me["expires_on"])
    assert {"typ": "roles", "val": "admin"} in me["user_claims"]
    assert {"typ": "name", "val": "ann"} in me["user_claims"]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(host: RunningHost) -> None:
    attributes = _sign_in(host, user_id="ann").headers["Set-Cookie"].split("; ")[1:]
    assert sorted(attributes) == ["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Lax"]


def _altered(cookie: str) -> Iterator[str]:
    head, body, signature = cookie.split(".")
    claims = jwt.decode(cookie, options={"verify_signature": False})
    claims["principal"]["user_id"] = "admin"
    yield from ("", "x", "a.b.c", f"{head}.{body}.", f"{head}.{body}.{signature[:-2]}AA")
    yield jwt.encode(claims, "", "none")
    yield jwt.encode(claims, "another key, which has to have a certain length", "HS256")
    yield "\x80\xff"
    forged = jwt.encode(claims, "x" * 32, "HS256").split(".")[1]
    yield f"{head}.{forged}.{signature}"


def test_a_cookie_cannot_be_forged(host: RunningHost) -> None:
    session = _session(_sign_in(host, user_id="ann"))
    for forged in _altered(session["Cookie"].partition("=")[2]):
        assert _me(host, {"Cookie": f"{_COOKIE}={forged}"}) == []
    assert len(_me(host, session)) == 1


def test_signing_out_ends_the_session_and_no_other(host: RunningHost) -> None:
    ended, other = (_session(_sign_in(host, user_id="ann")) for _ in range(2))
    answer = host.call("GET", "/.auth/logout?post_logout_redirect_uri=/api/x", headers=ended)
    assert (answer.status, answer.headers["Location"]) == (302, "/api/x")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert _me(host, ended) == []
    assert _seen(host, ended) == {}
    assert len(_me(host, other)) == 1


def test_a_session_is_good_for_its_host_only(host: RunningHost, tmp_path: Path) -> None:
    session = _session(_sign_in(host, user_id="ann"))
    with running(write_app(tmp_path, _APP), "--auth") as another:
        assert _me(another, session) == []


def test_a_session_lasts_until_it_is_ended() -> None:
    sessions = Sessions()
    ann = Principal("aad", "ann", "Ann", (("a", "b"),), int(time()))
    cookie = sessions.begin(ann)
    assert sessions.read(cookie) == ann
    sessions.end("no cookie")
    assert sessions.read(cookie) == ann
    sessions.end(cookie)
    assert sessions.read(cookie) is None


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("target", "reached"),
    [
        ("/api/demo?transport=x#part", "/api/demo?transport=x#part"),
        ("http://{host}/api/demo", "/api/demo"),
        ("http://{host}", "/"),
        ("http://{host}.evil.example/", "/"),
        ("http://{host}@evil.example/", "/"),
        ("http://{host}//evil.example", "/"),
        ("https://{host}/api", "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        (" //evil.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("api/demo", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_led_to_another_site(
    host: RunningHost, method: str, target: str, reached: str
) -> None:
    target = target.replace("{host}", f"127.0.0.1:{host.port}")
    if method == "POST":
        answer = _sign_in(host, user_id="ann", post_login_redirect_uri=target)
    else:
        query = urlencode({"post_logout_redirect_uri": target})
        answer = host.call("GET", f"/.auth/logout?{query}")
    assert answer.status == 302
    assert answer.headers["Location"] == reached


def test_a_target_is_a_path_of_this_origin() -> None:
    assert local_target(None, "http://a") == "/"
    assert local_target("http://ab/c", "http://a") == "/"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000"])
def test_a_form_of_another_site_signs_nobody_in(host: RunningHost, origin: str) -> None:
    answer = host.call("POST", "/.auth/login/aad", b"user_id=ann", _FORM | {"Origin": origin})
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


def test_the_own_form_signs_in(host: RunningHost) -> None:
    own = {"Origin": f"http://127.0.0.1:{host.port}"}
    assert host.call("POST", "/.auth/login/aad", b"user_id=ann", _FORM | own).status == 302


@pytest.mark.parametrize(
    ("form", "mend"),
    [
        ({}, "User id: write"),
        ({"user_id": "  "}, "User id: write"),
        ({"user_id": "a\nb"}, "User id: write"),
        ({"user_id": "ä"}, "User id: write"),
        ({"user_id": "a" * 201}, "at most 200"),
        ({"user_id": "ann", "name": "a\0"}, "Name: leave out"),
        ({"user_id": "ann", "claims": "<b>"}, "not &#x27;&lt;b&gt;&#x27;"),
        ({"user_id": "ann", "claims": "exp=0"}, "&#x27;exp&#x27; is there already"),
        ({"user_id": "ann", "claims": "iat=0"}, "&#x27;iat&#x27; is there already"),
        ({"user_id": "ann", "claims": "a=" + "b" * 4000}, "Claims: write fewer"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_in_the_form(
    host: RunningHost, form: dict[str, str], mend: str
) -> None:
    answer = _sign_in(host, **form)
    assert answer.status == 400
    assert "Set-Cookie" not in answer.headers
    (alert,) = re.findall(r'<p class="error" role="alert">(.*?)</p>', answer.text)
    assert mend in alert


def test_a_body_that_is_no_text_is_a_form_without_fields(host: RunningHost) -> None:
    assert host.call("POST", "/.auth/login/aad", b"\xff%ff&&==", _FORM).status == 400


def test_the_form_repeats_nothing_as_markup(host: RunningHost) -> None:
    target = urlencode({"post_login_redirect_uri": '/"><script>'})
    refused = _sign_in(host, user_id="", name='"><script>', claims="</textarea><script>")
    for page in (host.call("GET", f"/.auth/login/aad?{target}"), refused):
        assert "<script>" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    style = refused.text.partition("<style>")[2].partition("</style>")[0]
    assert _hash_of(style) in refused.headers["Content-Security-Policy"]


def _hash_of(style: str) -> str:
    return base64.b64encode(sha256(style.encode()).digest()).decode()


def test_every_field_of_the_form_has_its_label(host: RunningHost) -> None:
    page = host.call("GET", "/.auth/login/aad").text
    fields = set(re.findall(r'<(?:input|textarea) id="(\w+)"', page))
    assert fields == {"user_id", "name", "roles", "claims"}
    assert set(re.findall(r'<label for="(\w+)"', page)) == fields
    assert '<html lang="en">' in page


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.auth/"),
        ("GET", "/.auth/login/"),
        ("GET", "/.auth/login/a/b"),
        ("GET", "/.auth/login/%3Cb%3E"),
        ("DELETE", "/.auth/login/aad"),
        ("POST", "/.auth/me"),
        ("POST", "/.auth/logout"),
    ],
)
def test_what_the_platform_does_not_have_is_404(host: RunningHost, method: str, path: str) -> None:
    assert host.call(method, path).status == 404


def test_a_page_of_an_allowed_origin_may_ask_who_has_signed_in(host: RunningHost) -> None:
    answer = host.call("GET", "/.auth/me", headers={"Origin": "http://localhost:3000"})
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_the_claims_of_a_form_are_read_line_by_line() -> None:
    principal = read_principal("aad", {"user_id": "ann", "claims": "a=1\r\n a = 2 \n"}, 7)
    assert principal == Principal("aad", "ann", "ann", (("a", "1"), ("a", "2")), 7)
