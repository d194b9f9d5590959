"""The pages about FastAPI, Django and scripts, run as they stand with the installed library."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

from load.processes import PATIENCE, ROOT
from tests.e2e.processes import client, free_ports
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
from django.contrib.auth.models import User
from django.utils.decorators import sync_and_async_middleware
from asgiref.sync import iscoroutinefunction
sys.modules["site_"] = sys.modules[__name__]

@sync_and_async_middleware
def login(get_response):
    def user(request):
        request.user = User(username=request.headers["x-user"])
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
urlpatterns = [path("negotiate", views.negotiate), path("messages", views.send)]
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


def blocks(page: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text()
    assert len(text.splitlines()) < 90, "a page is a screen"
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


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
        (code,) = blocks("fastapi.md")
        (tmp_path / "main.py").write_text(code)
        command = ["-m", "uvicorn", "main:app", "--port", str(port)]
    else:
        blocking, awaitable = blocks("django.md")
        is_wsgi = request.param == "django-wsgi"
        (tmp_path / "views.py").write_text(blocking if is_wsgi else awaitable)
        (tmp_path / "serve.py").write_text(DJANGO + (WSGI if is_wsgi else ASGI))
        command = ["serve.py", str(port)]
    url = f"http://127.0.0.1:{port}"
    settings = clean_environment(**emulator.app_settings)
    with running([str(environment.python), *command], tmp_path, settings, lambda: answers(url)):
        yield url


def test_a_client_negotiates_and_gets_what_its_user_is_sent(server: str) -> None:
    with client(server, x_user="ann") as ann, client(server, x_user="bob") as bob:
        for each in (ann, bob):
            each.connection_id()
        said: dict[str, Any] = {"text": "Hello"}
        # One page takes it from the query, the other from a form.
        sent = requests.post(
            f"{server}/messages", said, params=said, headers={"x-user": "ann"}, timeout=PATIENCE
        )
        assert sent.ok, sent.text
        assert ann.message() == ["Hello"]
        said = {"text": "Bye"}
        requests.post(
            f"{server}/messages", said, params=said, headers={"x-user": "bob"}, timeout=PATIENCE
        )
        assert bob.message() == ["Bye"]


def test_the_answer_of_negotiate_is_not_kept(server: str) -> None:
    answer = requests.post(f"{server}/negotiate", headers={"x-user": "ann"}, timeout=PATIENCE)
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_script_makes_a_token_and_sends(
    environment: Environment, emulator: RunningEmulator, tmp_path: Path
) -> None:
    (code,) = blocks("script.md")
    (tmp_path / "send.py").write_text(code)
    settings = clean_environment(**emulator.app_settings)
    arguments = [emulator.service_url, "ann", "Hello"]
    url, token = environment.run("send.py", *arguments, folder=tmp_path, settings=settings).split()
    negotiated = requests.post(
        url.replace("/client/?", "/client/negotiate?negotiateVersion=1&"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE,
    )
    assert negotiated.status_code == 200, negotiated.text
