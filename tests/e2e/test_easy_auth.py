"""The local host stands in for App Service authentication, and asks for function keys."""

import base64
import json
from collections.abc import Iterator

import jwt
import pytest
import requests

from tests.e2e.processes import PATIENCE, ROOT, Emulator, FunctionApp, function_app

SETTINGS = {"NEGOTIATE_IDENTITY": "app-service", "NEGOTIATE_CLAIMS": "name,roles=role"}


@pytest.fixture(scope="module")
def app(service: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionApp]:
    settings = {**service.app_settings, **SETTINGS}
    folder = tmp_path_factory.mktemp("app")
    with function_app(settings, folder, ROOT, "--auth", "--keys") as running:
        yield running


@pytest.fixture
def site(app: FunctionApp) -> str:
    return app.url.removesuffix("/api")


def signed_in(site: str, **form: str) -> requests.Session:
    session = requests.Session()
    answer = session.post(f"{site}/.auth/login/aad", data=form, timeout=PATIENCE)
    assert answer.status_code == 200 or answer.history, answer.text
    return session


def negotiate(site: str, session: requests.Session, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return session.post(f"{site}/api/negotiate", headers=named, timeout=PATIENCE)


def test_who_signs_in_is_the_user_of_its_connections(site: str) -> None:
    session = signed_in(site, user_id="ann", name="Ann Ö", claims="roles=admin\nroles=editor\n")
    token = negotiate(site, session).json()["accessToken"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["asrs.s.uid"] == "ann"
    assert claims["name"] == "Ann Ö"
    assert claims["role"] == ["admin", "editor"]


def test_headers_of_the_platform_count_from_the_platform_alone(site: str) -> None:
    principal = base64.b64encode(json.dumps({"claims": []}).encode()).decode()
    spoofed = {"x_ms_client_principal_id": "admin", "X_MS_CLIENT_PRINCIPAL": principal}
    assert negotiate(site, requests.Session(), **spoofed).status_code == 401
    session = signed_in(site, user_id="ann")
    token = negotiate(site, session, **spoofed).json()["accessToken"]
    assert jwt.decode(token, options={"verify_signature": False})["asrs.s.uid"] == "ann"


def test_me_tells_who_has_signed_in(site: str) -> None:
    assert requests.get(f"{site}/.auth/me", timeout=PATIENCE).json() == []
    session = signed_in(site, user_id="ann", claims="roles=admin")
    (me,) = session.get(f"{site}/.auth/me", timeout=PATIENCE).json()
    assert (me["provider_name"], me["user_id"]) == ("aad", "ann")
    assert {"typ": "roles", "val": "admin"} in me["user_claims"]


def test_signing_out_ends_the_session_for_good(site: str) -> None:
    session = signed_in(site, user_id="ann")
    ((name, value),) = session.cookies.items()
    session.get(f"{site}/.auth/logout", timeout=PATIENCE)
    assert negotiate(site, session).status_code == 401
    assert negotiate(site, requests.Session(), Cookie=f"{name}={value}").status_code == 401


def test_no_script_and_no_other_site_gets_at_the_session(site: str) -> None:
    answer = requests.post(
        f"{site}/.auth/login/aad",
        data={"user_id": "ann"},
        timeout=PATIENCE,
        allow_redirects=False,
    )
    assert {"HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))


@pytest.mark.parametrize("cookie", ["", "x", "AppServiceAuthSession=guessed"])
def test_a_cookie_cannot_be_made_up(site: str, cookie: str) -> None:
    assert negotiate(site, requests.Session(), Cookie=cookie).status_code == 401


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        ("/api/demo?transport=x", "/api/demo?transport=x"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_nobody_is_led_to_another_site(site: str, target: str, reached: str) -> None:
    form = {"user_id": "ann", "post_login_redirect_uri": target}
    answer = requests.post(
        f"{site}/.auth/login/aad", data=form, timeout=PATIENCE, allow_redirects=False
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == reached


def test_a_form_of_another_site_signs_nobody_in(site: str) -> None:
    answer = requests.post(
        f"{site}/.auth/login/aad",
        data={"user_id": "ann"},
        headers={"Origin": "https://evil.example"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("user_id", ["", " ", "a\nb", "ä"])
def test_a_user_id_has_to_fit_in_a_header(site: str, user_id: str) -> None:
    answer = requests.post(f"{site}/.auth/login/aad", data={"user_id": user_id}, timeout=PATIENCE)
    assert answer.status_code == 400


def test_the_form_repeats_nothing_as_markup(site: str) -> None:
    query = {"post_login_redirect_uri": '/"><script>'}
    answer = requests.get(f"{site}/.auth/login/aad", params=query, timeout=PATIENCE)
    assert '"><script>' not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_functions_open_with_their_key(app: FunctionApp) -> None:
    function_key = app.process.wait_for(r"^Function key: (\S+)$")[1]
    master_key = app.process.wait_for(r"^Master key: (\S+)$")[1]
    message = {"target": "newMessage"}
    for wrong in ("", "x", function_key[:-1]):
        refused = app.post("broadcast", message, x_functions_key=wrong)
        assert (refused.status_code, refused.content) == (401, b"")
    assert app.post("broadcast", message, x_functions_key=function_key).status_code == 202
    assert app.post(f"broadcast?code={function_key}", message).status_code == 202
    assert app.post("broadcast", message, x_functions_key=master_key).status_code == 202
    assert requests.get(f"{app.url}/health", timeout=PATIENCE).status_code == 200
    log = app.process.output.replace(f"Function key: {function_key}", "")
    assert function_key not in log
