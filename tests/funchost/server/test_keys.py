import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from funchost.server.keys import FUNCTION_KEY, MASTER_KEY, FunctionKeys
from tests.funchost.hosting import RunningHost, running, write_app

_APP = """
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="function")
async def function(req: func.HttpRequest) -> str:
    return "function"


@app.route(route="admin", auth_level=func.AuthLevel.ADMIN)
def admin(req: func.HttpRequest) -> str:
    return "admin"


@app.route(route="anonymous", auth_level=func.AuthLevel.ANONYMOUS)
async def anonymous(req: func.HttpRequest) -> str:
    return ",".join(name for name in os.environ if name.startswith("FUNCHOST_"))


@app.route(route="fails")
async def fails(req: func.HttpRequest) -> str:
    raise ValueError("on purpose")
"""
_HEADER = "X-Functions-Key"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    settings = {"Host": {"CORS": "http://page.example"}}
    app = write_app(tmp_path_factory.mktemp("keys"), _APP, local_settings=settings)
    with running(app, "--keys", "--verbose") as started:
        yield started


def _printed(host: RunningHost, kind: str) -> str:
    (key,) = re.findall(rf"^{kind} key: (\S+)$", host.banner, re.MULTILINE)
    return str(key)


def _status(host: RunningHost, path: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return host.call("GET", f"/api/{path}", headers=named).status


def test_a_function_opens_by_header_and_by_query(host: RunningHost) -> None:
    key = _printed(host, "Function")
    assert _status(host, "function", X_Functions_Key=key) == 200
    assert _status(host, f"function?code={key}") == 200
    assert _status(host, f"function?CODE={key}") == 200


@pytest.mark.parametrize("level", ["function", "admin"])
def test_a_missing_or_wrong_key_is_401_without_body(host: RunningHost, level: str) -> None:
    key = _printed(host, "Function")
    for shown in ("", "x", key[:-1], key + "x", key.swapcase(), "ä"):
        answer = host.call("GET", f"/api/{level}", headers={_HEADER: shown})
        assert (answer.status, answer.body) == (401, b"")
    assert _status(host, level) == 401
    assert _status(host, f"{level}?code=") == 401
    assert _status(host, f"{level}?code=%ff%C3%A4") == 401


def test_only_the_master_key_opens_everything(host: RunningHost) -> None:
    function, master = _printed(host, "Function"), _printed(host, "Master")
    assert function != master
    assert _status(host, "admin", X_Functions_Key=function) == 401
    assert _status(host, "admin", X_Functions_Key=master) == 200
    assert _status(host, "function", X_Functions_Key=master) == 200


def test_the_header_comes_before_the_query(host: RunningHost) -> None:
    key = _printed(host, "Function")
    assert _status(host, f"function?code={key}", X_Functions_Key="wrong") == 401
    assert _status(host, f"function?code={key}", X_Functions_Key="") == 401
    assert _status(host, "function?code=wrong", X_Functions_Key=key) == 200
    assert _status(host, f"function?code=wrong&code={key}") == 401


def test_an_anonymous_function_and_the_home_page_stay_open(host: RunningHost) -> None:
    assert _status(host, "anonymous") == 200
    assert _status(host, "anonymous?code=wrong") == 200
    assert host.call("GET", "/").status == 200


def test_a_page_may_ask_for_permission_and_read_that_its_key_is_wrong(host: RunningHost) -> None:
    origin = {"Origin": "http://page.example"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": _HEADER}
    preflight = host.call("OPTIONS", "/api/function", headers=origin | asked)
    refused = host.call("GET", "/api/function", headers=origin)
    assert (preflight.status, refused.status) == (204, 401)
    for answer in (preflight, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == "http://page.example"
    assert preflight.headers["Access-Control-Allow-Headers"] == _HEADER


def test_no_log_tells_a_key_however_a_call_ends(host: RunningHost) -> None:
    key = _printed(host, "Function")
    assert _status(host, f"fails?code={key}") == 500
    assert _status(host, f"missing?code={key}") == 404
    assert _status(host, "fails", X_Functions_Key=key) == 500
    assert _status(host, "function?code=wrong-key") == 401
    assert "function: the key is missing or wrong" in host.log()
    assert key not in host.log()
    assert "wrong-key" not in host.log()


def test_keys_of_the_settings_are_used_and_neither_printed_nor_given_to_the_app(
    tmp_path: Path,
) -> None:
    settings = {"Values": {FUNCTION_KEY: "the-function-key", MASTER_KEY: "the-master-key"}}
    with running(write_app(tmp_path, _APP, local_settings=settings), "--keys") as host:
        assert _status(host, "function", X_Functions_Key="the-function-key") == 200
        assert _status(host, "admin", X_Functions_Key="the-master-key") == 200
        assert host.call("GET", "/api/anonymous").text == ""
        assert "the-" not in host.banner + host.log()


def test_without_the_option_nobody_is_asked(tmp_path: Path) -> None:
    with running(write_app(tmp_path, _APP)) as host:
        assert _status(host, "function") == _status(host, "admin") == 200
        assert "key:" not in host.banner


def test_keys_are_in_no_representation() -> None:
    keys = FunctionKeys.from_environment({FUNCTION_KEY: "secret"})
    assert "secret" not in repr(keys)
    assert keys.master not in repr(keys)
