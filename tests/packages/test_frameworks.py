"""The pages about FastAPI, Django and scripts, run as they stand with the installed library."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

from load.processes import PATIENCE, ROOT
from tests.e2e.processes import client, free_ports
from tests.e2e.recorded_client import RecordedClient, recorded_client
from tests.packages.conftest import Environment, clean_environment
from tests.packages.servers import answers, running

# A user database in memory, and a login by header: a page's own login is its reader's.
DJANGO = """
import sys, types
from django.conf import settings
settings.configure(
    SECRET_KEY="test", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF="site_", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    MIDDLEWARE=["site_.login"],
)
import django
django.setup()
from django.contrib.auth.models import AnonymousUser, User
from django.utils.decorators import sync_and_async_middleware
from asgiref.sync import iscoroutinefunction
sys.modules["site_"] = sys.modules[__name__]

@sync_and_async_middleware
def login(get_response):
    def user(request):
        name = request.headers.get("x-user")
        request.user = User(username=name) if name else AnonymousUser()
        async def auser():
            return request.user
        request.auser = auser
        return request
    if iscoroutinefunction(get_response):
        async def answer(request):
            return await get_response(user(request))
        return answer
    return lambda request: get_response(user(request))

import views
from django.urls import path
urlpatterns = [
    path("negotiate", views.negotiate),
    path("refresh", views.refresh),
    path("messages", views.send),
]
"""
WSGI = """
from wsgiref.simple_server import make_server
from django.core.wsgi import get_wsgi_application
make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application()).serve_forever()
"""
ASGI = """
import uvicorn
from django.core.asgi import get_asgi_application
uvicorn.run(get_asgi_application(), host="127.0.0.1", port=int(sys.argv[1]), lifespan="off")
"""


def text_of(page: str) -> str:
    text = (ROOT / "docs" / page).read_text()
    assert len(text.splitlines()) < 90, "a page is a screen"
    return text


def program(page: str) -> str:
    (code,) = re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL)
    return str(code)


def program_for_asgi(page: str) -> str:
    """Return the program with what the page's table changes in it."""
    code = program(page)
    rows = re.findall(r"^\| `(.+)` \| `(.+)` \|$", text_of(page), re.MULTILINE)
    assert rows
    for before, after in rows:
        assert before in code
        code = code.replace(before, after)
    return code


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator() as started:
        yield started


@pytest.fixture(params=["fastapi", "django-wsgi", "django-asgi"])
def server(
    request: pytest.FixtureRequest,
    environment: Environment,
    emulator: RunningEmulator,
    tmp_path: Path,
) -> Iterator[str]:
    (port,) = free_ports(1)
    if request.param == "fastapi":
        (tmp_path / "main.py").write_text(program("fastapi.md"))
        command = ["-m", "uvicorn", "main:app", "--port", str(port)]
    else:
        is_wsgi = request.param == "django-wsgi"
        views = program("django.md") if is_wsgi else program_for_asgi("django.md")
        (tmp_path / "views.py").write_text(views)
        (tmp_path / "serve.py").write_text(DJANGO + (WSGI if is_wsgi else ASGI))
        command = ["serve.py", str(port)]
    url = f"http://127.0.0.1:{port}"
    settings = clean_environment(**emulator.app_settings)
    with running([str(environment.python), *command], tmp_path, settings, lambda: answers(url)):
        yield url


def say(server: str, user: str, text: str) -> None:
    # One page takes it from the query, the other from a form.
    said = {"text": text}
    sent = requests.post(
        f"{server}/messages", said, params=said, headers={"x-user": user}, timeout=PATIENCE
    )
    assert sent.ok, sent.text


def test_a_client_negotiates_and_gets_what_its_user_is_sent(server: str) -> None:
    with client(server, x_user="ann") as ann, client(server, x_user="bob") as bob:
        for each in (ann, bob):
            each.connection_id()
        say(server, "ann", "Hello")
        assert ann.message() == ["Hello"]
        say(server, "bob", "Bye")
        assert bob.message() == ["Bye"]


def test_the_answer_of_negotiate_is_not_kept(server: str) -> None:
    answer = requests.post(f"{server}/negotiate", headers={"x-user": "ann"}, timeout=PATIENCE)
    assert "no-store" in answer.headers["Cache-Control"]


def connection_of(server: str, user: str) -> AbstractContextManager[RecordedClient]:
    return recorded_client(server, "LongPolling", app_headers={"x-user": user})


def hears(server: str, connection: RecordedClient, user: str) -> None:
    """Show that a connection goes on, and is the user's."""
    say(server, user, "still here")
    assert connection.receive()["arguments"] == ["still here"]


def test_a_sign_in_is_renewed_and_its_connection_goes_on(server: str) -> None:
    with connection_of(server, "ann") as ann:
        assert ann.lifetime in {3599, 3600}
        ann.token = ""  # so that polls show the next one
        answer = ann.refresh()
        assert answer.status == 200, answer.body
        assert answer.json().keys() == {"accessToken", "tokenLifetimeSeconds"}
        assert answer.json()["tokenLifetimeSeconds"] in {3599, 3600}
        assert "no-store" in answer.headers["Cache-Control"]
        hears(server, ann, "ann")


def test_nobody_renews_what_is_not_theirs(server: str) -> None:
    token = "X_SignalR_Connection_Token"
    with connection_of(server, "ann") as ann, connection_of(server, "bob") as bob:
        assert ann.refresh(**{token: bob.connection_token}).status == 404
        assert ann.refresh(**{token: ann.connection_id}).status == 404
        assert ann.refresh(**{token: ""}).status in {400, 422}
        hears(server, ann, "ann")
        hears(server, bob, "bob")


@pytest.mark.parametrize("server", ["django-wsgi", "django-asgi"], indirect=True)
def test_who_has_not_logged_in_gets_401_and_no_other_page(server: str) -> None:
    for path in ("negotiate", "refresh"):
        answer = requests.post(f"{server}/{path}", allow_redirects=False, timeout=PATIENCE)
        assert (answer.status_code, answer.content) == (401, b"")


def test_a_script_makes_a_token_and_sends(
    environment: Environment, emulator: RunningEmulator, tmp_path: Path
) -> None:
    (tmp_path / "send.py").write_text(program("script.md"))
    settings = clean_environment(**emulator.app_settings)
    arguments = [emulator.service_url, "ann", "Hello"]
    url, token = environment.run("send.py", *arguments, folder=tmp_path, settings=settings).split()
    negotiated = requests.post(
        url.replace("/client/?", "/client/negotiate?negotiateVersion=1&"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE,
    )
    assert negotiated.status_code == 200, negotiated.text
