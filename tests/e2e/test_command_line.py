"""`keyless-signalr listen` and `send` as people run them, against the emulator."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from doctor.running import announced
from shared import CredentialSettings, ServiceError, SignalRServiceClient
from tests.e2e.processes import PATIENCE, ROOT, Emulator, FunctionApp, Process, client
from tests.e2e.processes import emulator as running

type Run = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = [sys.executable, "-m", "shared"]
SETTINGS = re.compile("AzureSignalR|Azure__SignalR|AZURE_|IDENTITY_|SIGNALR_|NO_COLOR")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return nothing of this process that says where a service is, and these settings."""
    own = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
    return {**own, "PYTHONPATH": str(ROOT), **settings}


@pytest.fixture
def emulator(service: Emulator) -> Emulator:
    return service


@pytest.fixture
def run(service: Emulator, tmp_path: Path) -> Run:
    def run(
        *arguments: str, settings: Mapping[str, str] = service.app_settings
    ) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [*COMMAND, *arguments],
            env=environment(settings),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        assert "eyJ" not in ended.stdout + ended.stderr
        return ended

    return run


@contextmanager
def listening(service: Emulator, folder: Path, *arguments: str) -> Iterator[Process]:
    log = folder / f"listen-{len(list(folder.iterdir()))}.log"
    started = Process(
        [*COMMAND, "listen", *arguments], log, environment=environment(service.app_settings)
    )
    try:
        started.wait_for(r"^Listening to hub \w+")
        yield started
    finally:
        if started.process.poll() is None:
            started.process.send_signal(signal.SIGINT)
            assert started.process.wait(PATIENCE) == 0, started.output
        assert "Traceback" not in started.output


def message(heard: Process, target: str) -> dict[str, Any]:
    line = heard.wait_for(rf'^\{{.*"target": "{target}".*$')[0]
    found: dict[str, Any] = json.loads(line)
    return found


def test_listen_prints_what_broadcast_sends(
    service: Emulator, anonymous_app: FunctionApp, tmp_path: Path
) -> None:
    with listening(service, tmp_path, "--hub", "chat") as heard:
        body = {"target": "newMessage", "arguments": ["Hello", {"a": [1, None]}]}
        assert anonymous_app.post("broadcast", body).status_code == 202
        found = message(heard, "newMessage")
        assert list(found) == ["time", "target", "arguments"]
        assert found["arguments"] == ["Hello", {"a": [1, None]}]


def test_send_reaches_a_real_client(run: Run, anonymous_app: FunctionApp) -> None:
    with client(anonymous_app.url) as connected:
        connection_id = connected.connection_id()
        sent = run("send", "--hub", "chat", "--all", "newMessage", "Hello", '{"a": 1}', "7", "007")
        assert sent.returncode == 0, sent.stderr
        assert connected.message() == ["Hello", {"a": 1}, 7, "007"]
        to = ("--connection", connection_id)
        assert run("send", "--hub", "chat", *to, "--text", "newMessage", "7").returncode == 0
        assert connected.message() == ["7"]
    assert json.loads(sent.stdout) == {
        "status": "accepted",
        "hub": "chat",
        "to": "all",
        "name": None,
        "target": "newMessage",
        "arguments": ["Hello", {"a": 1}, 7, "007"],
    }


def test_users_and_groups_get_what_is_theirs(service: Emulator, run: Run, tmp_path: Path) -> None:
    ann = ("--hub", "chat", "--user", "ann", "--group", "room1", "--group", "room2")
    with listening(service, tmp_path, *ann) as heard:
        assert "as user ann, in room1, room2" in heard.output
        for to in (("--user", "bob"), ("--group", "room3")):
            assert run("send", "--hub", "chat", *to, "others").returncode == 0
        for number, to in enumerate(
            (("--user", "ann"), ("--group", "room1"), ("--group", "room2"))
        ):
            assert run("send", "--hub", "chat", *to, f"own{number}").returncode == 0
            assert message(heard, f"own{number}")["arguments"] == []
        assert "others" not in heard.output


def test_listen_comes_back_and_joins_its_groups_again(
    service: Emulator,
    run: Run,
    identity: CredentialSettings,
    tmp_path: Path,
) -> None:
    with listening(service, tmp_path, "--hub", "chat", "--group", "room1") as heard:
        service.drop_clients(hub="chat")
        heard.wait_for(r"^The connection was lost; connecting again in [\d.]+ s\n(.|\n)*^Listening")
        assert run("send", "--hub", "chat", "--group", "room1", "again").returncode == 0
        message(heard, "again")
        with SignalRServiceClient(service.service_url, identity) as sender:
            sender.close_all_connections("chat", reason="Go\x1b[2J home")
        heard.wait_for(r"has closed the connection: Go\\u001b\[2J home; connecting again")


def test_listen_goes_on_with_an_emulator_that_was_started_anew(tmp_path: Path) -> None:
    with running(tmp_path / "first.log") as first:
        ports = [int(url.rpartition(":")[2]) for url in (first.service_url, first.control_url)]
        with listening(first, tmp_path, "--hub", "chat") as heard:
            assert first.process.stop() == 0
            heard.wait_for(r"connecting again in [\d.]+ s\n(.|\n)*connecting again")
            again = running(tmp_path / "second.log", service_port=ports[0], control_port=ports[1])
            with again:
                heard.wait_for(r"connecting again in [\d.]+ s\n(.|\n)*^Listening to hub")


@pytest.mark.parametrize("command", [("listen",), ("send", "--all", "newMessage")])
def test_a_role_that_is_missing_is_named(
    command: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    with running(tmp_path / "emulator.log", role="none") as powerless:
        ended = run(command[0], "--hub", "chat", *command[1:], settings=powerless.app_settings)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "SignalR Service Owner" in ended.stderr or "SignalR REST API Owner" in ended.stderr
    assert "az role assignment create" in ended.stderr


def test_a_lesser_role_listens_too(run: Run, tmp_path: Path) -> None:
    with (
        running(tmp_path / "emulator.log", role="SignalR REST API Owner") as lesser,
        listening(lesser, tmp_path, "--hub", "chat") as heard,
    ):
        sent = run("send", "--hub", "chat", "--all", "x", settings=lesser.app_settings)
        assert sent.returncode == 0
        message(heard, "x")


def test_ones_own_login_at_an_endpoint(service: Emulator, run: Run, tmp_path: Path) -> None:
    # Settings of an app, here and in the environment, are of another service.
    (tmp_path / "local.settings.json").write_text(
        json.dumps({"Values": {"IDENTITY_ENDPOINT": "http://127.0.0.1:9/", "IDENTITY_HEADER": "x"}})
    )
    variables = dict(re.findall(r"^ +# ([A-Z_]+)=(.*)$", service.process.output, re.MULTILINE))
    names = ("AUTHORITY_HOST", "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")
    login = {f"AZURE_{name}": variables[f"AZURE_{name}"] for name in names}
    settings = {
        **login,
        "REQUESTS_CA_BUNDLE": variables["REQUESTS_CA_BUNDLE"],
        "AzureSignalRConnectionString": "Endpoint=https://other.service.signalr.net;AuthType=azure",
    }
    at = ("--endpoint", service.service_url, "--hub", "chat")
    sent = run("send", *at, "--all", "newMessage", settings=settings)
    assert sent.returncode == 0, sent.stderr
    wrong = run("send", *at, "--all", "x", settings={**settings, "AZURE_CLIENT_SECRET": "hunter2"})
    assert wrong.returncode == 1
    assert "AADSTS7000215" in wrong.stderr
    assert "hunter2" not in wrong.stderr


def test_what_make_start_runs_here_is_meant(service: Emulator, run: Run, tmp_path: Path) -> None:
    nobody = {URI: "http://127.0.0.1:9", "SIGNALR_HUBS": "chat"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": nobody}))
    with (
        socket.create_server(("127.0.0.1", 0)) as functions,
        announced(
            tmp_path,
            f"http://127.0.0.1:{functions.getsockname()[1]}/api",
            {**service.app_settings, "SIGNALR_HUBS": "orders"},
        ),
    ):
        sent = run("send", "--all", "say", settings={})
        assert (sent.returncode, json.loads(sent.stdout)["hub"]) == (0, "orders")
        # Who names another service, in whatever way, means that one.
        assert run("send", "--all", "say", settings=nobody).returncode == 1
        named = ("--settings", "local.settings.json", "--all", "say")
        assert run("send", *named, settings={}).returncode == 1
    assert run("send", "--all", "say", settings={}).returncode == 1


def test_settings_of_the_folder(service: Emulator, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"Values": {**service.app_settings, "SIGNALR_HUBS": "News,chat"}}))
    sent = run("send", "--all", "x", settings={})
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["hub"] == "news"
    file.write_text("{")
    broken = run("send", "--all", "x", settings={})
    assert broken.returncode == 2
    assert "local.settings.json:1:2: is no JSON" in broken.stderr


URI = "AzureSignalRConnectionString__serviceUri"


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (("listen", "--hub", "chat"), {}, f"{URI} is not set. Example: {URI}=https://contoso"),
        (("listen", "--hub", "chat"), {}, "or --endpoint https://contoso"),
        (("listen",), {URI: "https://a.bc"}, "SIGNALR_HUBS is not set"),
        (("listen",), {URI: "https://a.bc"}, "or --hub chat"),
        (("listen", "--endpoint", "contoso", "--hub", "chat"), {}, "--endpoint is no service"),
        (("listen", "--hub", "a b"), {URI: "https://a.bc"}, "hub 'a b' is not a hub name"),
        (("send", "--hub", "chat", "--all", "x", "1e999"), {URI: "https://a.bc"}, "is Infinity"),
        (("send", "--hub", "chat", "x"), {}, "--all --user --group --connection is required"),
        (("send", "--hub", "chat", "--all", "--user", "ann", "x"), {}, "not allowed with"),
        ((), {}, "the following arguments are required: listen|send"),
    ],
)
def test_what_is_wrong_is_named(
    arguments: tuple[str, ...],
    settings: Mapping[str, str],
    said: str,
    run: Run,
) -> None:
    ended = run(*arguments, settings=settings)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stdout == ""


def test_nobody_answers(run: Run) -> None:
    text = f"Endpoint=http://127.0.0.1;Port=9;AccessKey={'k' * 44};Version=1.0;"
    for command in (("listen",), ("send", "--all", "x")):
        arguments = (command[0], "--hub", "chat", *command[1:])
        ended = run(*arguments, settings={"AzureSignalRConnectionString": text})
        assert ended.returncode == 1
        assert "http://127.0.0.1:9" in ended.stderr
        assert "k" * 44 not in ended.stderr
    settings = {URI: "http://127.0.0.1:9", "IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token"}
    ended = run(
        "send", "--hub", "chat", "--all", "x", settings={**settings, "IDENTITY_HEADER": "x"}
    )
    assert ended.returncode == 1
    assert "Nothing listens at http://127.0.0.1:9, where" in ended.stderr
    assert "make start" in ended.stderr


def test_who_asks_for_a_result_is_told_that_there_is_none(
    service: Emulator, identity: CredentialSettings, tmp_path: Path
) -> None:
    with (
        listening(service, tmp_path, "--hub", "chat") as heard,
        SignalRServiceClient(service.service_url, identity) as asking,
    ):
        connection_id = heard.wait_for(r"connection (\S+)\. Ctrl-C")[1]
        with pytest.raises(ServiceError, match="400 to POST"):
            asking.invoke_connection("chat", connection_id, "question", ["?"])
        assert message(heard, "question")["arguments"] == ["?"]


def test_a_reader_that_has_enough_ends_it(service: Emulator, run: Run, tmp_path: Path) -> None:
    pipeline = f"{sys.executable} -m shared listen --hub chat | head -n 1; echo ${{PIPESTATUS[0]}}"
    started = Process(
        ["bash", "-c", pipeline],
        tmp_path / "pipe.log",
        environment=environment(service.app_settings),
    )
    started.wait_for("^Listening")
    for number in range(2):
        run("send", "--hub", "chat", "--all", f"m{number}")
    assert started.process.wait(PATIENCE) == 0
    assert started.output.splitlines()[-1] == "0"
    assert "Broken" not in started.output


@contextmanager
def on_a_terminal(settings: Mapping[str, str], *arguments: str) -> Iterator["Terminal"]:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment(settings),
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(terminal)
    shown = Terminal(controller)
    try:
        yield shown
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        os.close(controller)


class Terminal:
    """What a terminal is sent."""

    def __init__(self, controller: int) -> None:
        self._controller = controller
        self.text = ""

    def wait_for(self, pattern: str) -> None:
        while not re.search(pattern, self.text):
            self.text += os.read(self._controller, 4096).decode()


@pytest.mark.parametrize("plain", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_has_colours_and_no_message_controls_it(
    plain: Mapping[str, str],
    service: Emulator,
    run: Run,
) -> None:
    settings = {"TERM": "xterm", **service.app_settings, **plain}
    with on_a_terminal(settings, "listen", "--hub", "chat") as shown:
        shown.wait_for("Listening to hub chat")
        run("send", "--hub", "chat", "--all", "new\x1b[2JMessage", "Hej då \x1b]0;x\x07\u202e", "1")
        shown.wait_for(r'\\u202e" 1')
    assert "new\\u001b[2JMessage" in shown.text
    assert '"Hej då \\u001b]0;x\\u0007\\u202e" 1' in shown.text
    assert "\u202e" not in shown.text
    codes = set(re.findall("\x1b[^a-zA-Z]*[a-zA-Z]", shown.text))
    expected = set() if plain else {"\x1b[K", "\x1b[2m", "\x1b[36m", "\x1b[0m"}
    assert codes == expected


def test_json_on_a_terminal_where_it_is_asked_for(service: Emulator, run: Run) -> None:
    with on_a_terminal(service.app_settings, "listen", "--hub", "chat", "--json") as shown:
        shown.wait_for("Listening to hub chat")
        run("send", "--hub", "chat", "--all", "x", "\x1b\x7f\u009b")
        shown.wait_for(r'\{"time": .*"target": "x", "arguments": \["\\u001b\\u007f\\u009b"\]\}')


def test_version_and_help(run: Run) -> None:
    assert re.fullmatch(r"keyless-signalr \d+\.\d+\.\d+\n", run("--version").stdout)
    for command in ((), ("listen",), ("send",)):
        shown = run(*command, "--help")
        assert shown.returncode == 0
        assert "examples:\n  keyless-signalr " in shown.stdout
        assert "exit status: 0 done" in shown.stdout
