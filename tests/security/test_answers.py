"""What answers give away: to strangers nothing, to caches nothing, to other sites nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.e2e.processes import PATIENCE, Emulator, FunctionApp, function_app, start_functions

INTERNALS = ("Traceback", "File ", "127.0.0.1", "SignalR Service Owner", "subscriptions", "python")
SPLIT = "x\r\nSet-Cookie: stolen=1\r\n\r\n<script>"
EVIL = {"Origin": "https://evil.example"}


def every_error(app: FunctionApp) -> Iterator[requests.Response]:
    """Give the answer of each way to go wrong that a stranger has."""
    asked = [
        ("GET", "negotiate", {}),
        ("POST", "other/negotiate", {}),
        ("POST", "broadcast", {"data": b"{"}),
        ("POST", "broadcast", {"data": b'{"target":"t","hub":"other"}'}),
        ("POST", "groups", {"data": b"[]"}),
        ("GET", f"groups/{quote('..', safe='')}x%00/connections", {}),
        ("DELETE", "connections/c?hub=other", {}),
        ("POST", "upstream/chat/messages/x", {}),
        ("POST", "upstream/chat/messages/x", {"headers": {"Authorization": "Bearer x"}}),
        ("GET", "nothing", {}),
        ("POST", "health", {}),
    ]
    for method, path, options in asked:
        yield requests.request(method, f"{app.url}/{path}", timeout=PATIENCE, **options)  # type: ignore[arg-type]


def test_no_error_tells_a_stranger_about_the_app(
    anonymous_app: FunctionApp, service: Emulator
) -> None:
    answers = list(every_error(anonymous_app))
    fault = service.add_fault(operation="sendToHub", status=500)
    try:
        answers.append(anonymous_app.post("broadcast", {"target": "t"}))
    finally:
        service.clear_fault(fault)
    for answer in answers:
        assert 400 <= answer.status_code < 600, answer.url
        shown = answer.text + str(answer.headers)
        assert not [each for each in INTERNALS if each in answer.text], shown
        if answer.content:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert set(answer.json()) <= {"type", "title", "status", "detail", "errors", "results"}


def test_a_policy_that_fails_tells_nobody_but_the_log(service: Emulator, tmp_path: Path) -> None:
    folder = Path(__file__).parent / "policy_app"
    settings = {**service.app_settings, "SIGNALR_HUBS": "chat,forgotten"}
    with function_app(settings, tmp_path, folder) as app:
        for path in ("negotiate", "forgotten/negotiate"):
            answer = app.post(path)
            assert answer.status_code == 500
            assert answer.content == b""
            assert "postgres" not in str(answer.headers)
        app.process.wait_for("RuntimeError: postgres")
        place = r"\(function_app\.py, line \d+\)"
        app.process.wait_for(rf"The policy fail {place} returned None, and has to return a Connect")


def test_no_cache_keeps_a_token_or_an_error(anonymous_app: FunctionApp) -> None:
    answers = [anonymous_app.post("negotiate"), anonymous_app.post("chat/negotiate")]
    answers += [each for each in every_error(anonymous_app) if each.content]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["{}/negotiate", "users/{}", "groups/{}/connections?hub={}"])
def test_no_text_of_a_caller_splits_an_answer(anonymous_app: FunctionApp, path: str) -> None:
    filled = path.format(quote(SPLIT, safe=""), quote(SPLIT, safe=""))
    for method in ("GET", "POST", "HEAD"):
        answer = requests.request(
            method,
            f"{anonymous_app.url}/{filled}",
            headers={"traceparent": "00-<x>", "x-ms-client-request-id": "<script>"},
            timeout=PATIENCE,
        )
        assert "Set-Cookie" not in answer.headers
        assert "<script>" not in str(answer.headers)
        assert answer.headers.get("Content-Type", "") != "text/html"


def test_another_site_reads_nothing_and_may_not_ask(anonymous_app: FunctionApp) -> None:
    for method, path in (("POST", "negotiate"), ("POST", "broadcast"), ("GET", "health")):
        answer = requests.request(
            method, f"{anonymous_app.url}/{path}", headers=EVIL, timeout=PATIENCE
        )
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]
    preflight = requests.options(
        f"{anonymous_app.url}/broadcast",
        headers=EVIL | {"Access-Control-Request-Method": "POST"},
        timeout=PATIENCE,
    )
    assert not [name for name in preflight.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize(
    "headers",
    [EVIL, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}],
    ids=str,
)
def test_no_function_runs_for_what_another_site_posts(
    anonymous_app: FunctionApp, headers: dict[str, str]
) -> None:
    ran = anonymous_app.process.output.count("Executing 'Functions.")
    for path in ("negotiate", "broadcast", "groups", "upstream/chat/messages/x"):
        answer = requests.post(
            f"{anonymous_app.url}/{path}",
            data=b'{"target": "t"}',
            # What a page may send without asking first.
            headers={"Content-Type": "text/plain"} | headers,
            timeout=PATIENCE,
        )
        assert answer.status_code == 403, path
    assert anonymous_app.process.output.count("Executing 'Functions.") == ran
    anonymous_app.negotiate()
    assert anonymous_app.process.output.count("Executing 'Functions.") == ran + 1


def test_every_origin_with_its_cookies_ends_the_start(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "host.json").write_text('{"version": "2.0"}')
    (app / "function_app.py").write_text("")
    settings = {"IsEncrypted": False, "Host": {"CORS": "*", "CORSCredentials": True}}
    (tmp_path / "cors.json").write_text(json.dumps(settings))
    process = start_functions({}, tmp_path, app, "--settings", str(tmp_path / "cors.json"))
    assert process.process.wait(PATIENCE) == 1
    assert "list the origins in Host.CORS" in process.output
