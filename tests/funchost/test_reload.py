"""A host with `--reload` that runs an app while its files are saved."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.funchost.hosting import RunningHost, gate, running, write_app

_APP = """
import asyncio
import os

import azure.functions as func

from rules import ANSWER

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
opened = []


@app.route(route="answer")
async def answer(req: func.HttpRequest) -> str:
    return ANSWER


@app.route(route="hold")
async def hold(req: func.HttpRequest) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["GATE"]))
    opened.append(writer)
    await reader.read(1)
    return ANSWER


@app.route(route="setting/{name}")
async def setting(req: func.HttpRequest) -> str:
    return os.environ.get(req.route_params["name"], "none")
"""
_LONGEST_SECONDS = 30.0


def saved(path: Path, text: str) -> None:
    """Save as editors do: under another name, which is then the file's."""
    written = path.with_name(f"{path.name}~")
    written.write_text(text)
    written.replace(path)


def rules(answer: str) -> str:
    return f"ANSWER = {answer!r}\n"


@contextmanager
def reloading(folder: Path, *options: str, **environ: str) -> Iterator[RunningHost]:
    write_app(folder, _APP)
    (folder / "rules.py").write_text(rules("old"))
    with running(folder, "--reload", *options, environ=environ) as host:
        assert host.call("GET", "/api/answer").text == "old"
        yield host


def until(host: RunningHost, path: str, text: str) -> None:
    """Wait until a function answers so."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (answer := host.call("GET", path)).text != text:
        assert time.monotonic() < deadline, (answer.status, answer.text, host.log())
        time.sleep(0.02)


def reloads(host: RunningHost) -> list[str]:
    return [line for line in host.log().splitlines() if "reloaded" in line]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_what_is_saved_runs_and_no_request_is_lost(tmp_path: Path, processes: str) -> None:
    with reloading(tmp_path, FUNCTIONS_WORKER_PROCESS_COUNT=processes) as host:
        saved(tmp_path / "rules.py", rules("new"))
        seen = _answers_until(host, "new")
        # From the first new answer on there is no old one, from whichever process.
        assert {host.call("GET", "/api/answer").text for _ in range(4)} == {"new"}
        assert set(seen) == {(200, "old"), (200, "new")}
        host.wait_for_log(r"reloaded after a change of rules\.py\n")
        assert host.stop() == 0
        assert "Traceback" not in host.log()


def _answers_until(host: RunningHost, text: str) -> list[tuple[int, str]]:
    deadline = time.monotonic() + _LONGEST_SECONDS
    seen: list[tuple[int, str]] = []
    while (not seen or seen[-1][1] != text) and time.monotonic() < deadline:
        answer = host.call("GET", "/api/answer")
        seen.append((answer.status, answer.text))
    return seen


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("ANSWER = (\n", r"rules\.py:1: SyntaxError: '\(' was never closed"),
        (
            "\nfrom json import nothing\n",
            r"rules\.py:2: ImportError: cannot import name 'nothing' from 'json' \(\S+\)",
        ),
        ("import nowhere\n", r"rules\.py:1: ModuleNotFoundError: .* requirements\.txt file .*"),
        ("def f():\n    1 / 0\n\nf()\n", r"rules\.py:4: ZeroDivisionError: division by zero"),
        ("import os\nos._exit(4)\n", ".* ended with status 4 before the app was loaded"),
    ],
    ids=["syntax", "import", "module", "exception", "exit"],
)
def test_an_error_is_one_line_and_the_old_code_stays(tmp_path: Path, wrong: str, line: str) -> None:
    with reloading(tmp_path) as host:
        saved(tmp_path / "rules.py", wrong)
        host.wait_for_log("not reloaded, the old code still runs: .*\n")
        (told,) = (each for each in host.log().splitlines() if "not reloaded" in each)
        assert re.search(f"the old code still runs: {line}$", told)
        assert "sys.path" not in told
        assert "Traceback" not in host.log()
        assert host.call("GET", "/api/answer").text == "old"
        saved(tmp_path / "rules.py", rules("mended"))
        until(host, "/api/answer", "mended")


def test_a_running_request_is_finished_by_the_old_code(tmp_path: Path) -> None:
    with gate() as held, reloading(tmp_path, **held.environ) as host:
        first = host.call_meanwhile("/api/hold")
        with held.arrival() as arrived:
            saved(tmp_path / "rules.py", rules("new"))
            until(host, "/api/answer", "new")
            arrived.sendall(b"x")
            assert (first.result().status, first.result().text) == (200, "old")
            # Then the old process ends, and with it what it had open.
            assert arrived.recv(1) == b""


def test_who_has_signed_in_stays_so(tmp_path: Path) -> None:
    with reloading(tmp_path, "--auth") as host:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = host.call("POST", "/.auth/login/aad", b"user_id=ann", form)
        cookie = {"Cookie": str(answer.headers["Set-Cookie"]).partition(";")[0]}
        before = json.loads(host.call("GET", "/.auth/me", headers=cookie).body)
        saved(tmp_path / "rules.py", rules("new"))
        until(host, "/api/answer", "new")
        assert json.loads(host.call("GET", "/.auth/me", headers=cookie).body) == before != []


def test_two_saves_of_one_second_and_length_are_two(tmp_path: Path) -> None:
    # Python takes its compiled form of the first for that of the second.
    write_app(tmp_path, _APP)
    module, now = tmp_path / "rules.py", time.time_ns() // 10**9 * 10**9
    module.write_text(rules("one"))
    os.utime(module, ns=(now, now))
    with running(tmp_path, "--reload", environ={"PYTHONDONTWRITEBYTECODE": ""}) as host:
        assert host.call("GET", "/api/answer").text == "one"
        assert list((tmp_path / "__pycache__").glob("rules.*"))
        written = tmp_path / "rules.new"
        written.write_text(rules("two"))
        os.utime(written, ns=(now + 1, now + 1))
        written.replace(module)
        until(host, "/api/answer", "two")


def test_many_saves_in_a_moment_are_few_reloads(tmp_path: Path) -> None:
    with reloading(tmp_path) as host:
        for number in range(50):
            saved(tmp_path / "rules.py", rules(f"{number}"))
            saved(tmp_path / f"other{number % 5}.py", "")
        until(host, "/api/answer", "49")
        assert 1 <= len(reloads(host)) <= 3


def test_what_is_no_part_of_the_app_reloads_nothing(tmp_path: Path) -> None:
    (tmp_path / ".funcignore").write_text("tools/\n# notes/\n*.cache/\nlocal.settings.json\n")
    ignored = ["tests", "node_modules", ".venv/lib", "tools/deep", "a.cache", "part/__pycache__"]
    for folder in [*ignored, "part", "notes"]:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    with reloading(tmp_path) as host:
        for folder in [*ignored, "part", "notes"]:
            saved(tmp_path / folder / "module.py", "")
        (tmp_path / "notes.txt").touch()
        host.wait_for_log(r"reloaded after a change of notes/module\.py, part/module\.py\n")


def test_settings_are_followed(tmp_path: Path) -> None:
    with reloading(tmp_path) as host:
        settings = tmp_path / "local.settings.json"
        saved(settings, json.dumps({"Values": {"FIRST": "1"}}))
        until(host, "/api/setting/FIRST", "1")
        saved(settings, '{"Values": {"FIRST": "1"')
        host.wait_for_log(rf"not reloaded, the old code still runs: {settings}.*\n")
        assert host.call("GET", "/api/setting/FIRST").text == "1"
        saved(settings, json.dumps({"Values": {"SECOND": "2"}}))
        until(host, "/api/setting/SECOND", "2")
        assert host.call("GET", "/api/setting/FIRST").text == "none"
        settings.unlink()
        until(host, "/api/setting/SECOND", "none")


def test_a_route_prefix_and_a_function_are_followed(tmp_path: Path) -> None:
    with reloading(tmp_path) as host:
        prefix = {"version": "2.0", "extensions": {"http": {"routePrefix": "v2"}}}
        saved(tmp_path / "host.json", json.dumps(prefix))
        until(host, "/v2/answer", "old")
        assert host.call("GET", "/api/answer").status == 404
        host.wait_for_log(rf"are at \S+:{host.port}/v2 now, no longer at \S+:{host.port}/api")
        another = _APP.replace('route="answer"', 'route="another"')
        saved(tmp_path / "function_app.py", another)
        until(host, "/v2/another", "old")
        saved(tmp_path / "function_app.py", another.replace("another", "{id:whole}"))
        host.wait_for_log(r"not reloaded, the old code still runs: function answer: route")
        assert host.call("GET", "/v2/another").text == "old"


def test_the_host_ends_while_old_code_runs(tmp_path: Path) -> None:
    with gate() as held, reloading(tmp_path, **held.environ) as host:
        first = host.call_meanwhile("/api/hold")
        with held.arrival() as arrived:
            saved(tmp_path / "rules.py", rules("new"))
            until(host, "/api/answer", "new")
            host.process.terminate()
            host.wait_for_log("stopping")
            arrived.sendall(b"x")
            assert first.result().text == "old"
        assert host.process.wait(_LONGEST_SECONDS) == 0
