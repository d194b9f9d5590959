"""Settings that cannot be read, and the form of what is printed."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from signalr_emulator.testing import RunningEmulator

from doctor.__main__ import main
from doctor.finding import Diagnosis, Finding
from doctor.redaction import Secrets
from doctor.report import TextReport
from doctor.runner import Check, Result, Runner
from tests.doctor.conftest import Examine, check_no_secret

ROOT = Path(__file__).parents[2]
SERVICE_URI = "AzureSignalRConnectionString__serviceUri"


class Terminal(io.StringIO):
    """A terminal that keeps what it is sent."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def failed(title: str, fix: str = "mend it\nwell") -> Result:
    return Result("x", title, "", Finding.failed(Diagnosis("broken", fix)))


def printed(output: io.StringIO, environment: dict[str, str]) -> str:
    report = TextReport(output, environment)
    results = [Result("a", "One", "", Finding.ok("fine")), failed("Two"), failed("Three")]
    for each in results:
        report.began(each.title)
        report.ended(each)
    report.finish(results)
    return output.getvalue()


def test_text_for_a_file_or_pipe() -> None:
    assert printed(io.StringIO(), {}).splitlines() == [
        "  + One                     fine",
        "  x Two                     broken",
        "      mend it",
        "      well",
        "  x Three                   broken",
        "      As for “Two” above",
        "",
        "1 well, 0 to look at, 2 broken, 0 skipped",
    ]


def test_sentences_end_at_80_columns_and_commands_stay_whole() -> None:
    sentence = "Names of " + " ".join(f"word{number}" for number in range(40))
    command = "az role assignment create " + "x" * 100
    finding = Finding.failed(Diagnosis(sentence, f"{command}\n{sentence}"))
    output = io.StringIO()
    TextReport(output, {}).ended(Result("a", "One", "", finding))
    lines = output.getvalue().splitlines()
    assert f"      {command}" in lines
    assert all(len(each) <= 80 for each in lines if command not in each)
    shown = " ".join(output.getvalue().split())
    assert shown == f"x One {sentence} {command} {sentence}"


def test_colour_and_progress_on_a_terminal() -> None:
    text = printed(Terminal(), {})
    assert "  … One\r\x1b[K  \x1b[32m✓\x1b[0m One" in text
    assert "\x1b[31m✗\x1b[0m Two" in text


def test_nothing_that_a_service_says_controls_the_terminal() -> None:
    said = "Says \x1b]0;title\x07 and\x9b2J"
    output = Terminal()
    finding = Finding.failed(Diagnosis(said, f"{said}\ncommand \x1b[2J"))
    TextReport(output, {"NO_COLOR": "1"}).ended(Result("a", "One", "", finding))
    shown = output.getvalue().removeprefix("\r\x1b[K")
    assert all(each.isprintable() for each in shown.splitlines())
    assert shown.count(r"Says \u001b]0;title\u0007 and\u009b2J") == 2


def test_no_colour_where_nobody_wants_it() -> None:
    text = printed(Terminal(), {"NO_COLOR": "1"})
    assert "  … One\r\x1b[K  ✓ One" in text
    assert "\x1b[3" not in text


@pytest.mark.parametrize(
    ("settings", "setting", "fix"),
    [
        ({}, f"{SERVICE_URI} is not set", f"{SERVICE_URI}=https://contoso.service.signalr.net"),
        ({SERVICE_URI: "contoso"}, f"{SERVICE_URI} is no service address", "https://contoso"),
        ({SERVICE_URI: "http://contoso.com"}, "is http", "https://contoso"),
        ({SERVICE_URI: "https://a.bc", "SIGNALR_HUBS": ""}, "SIGNALR_HUBS is not set", "chat"),
        (
            {"AzureSignalRConnectionString__serviceUrl": "https://a.bc"},
            "AzureSignalRConnectionString__serviceUrl is not known",
            SERVICE_URI,
        ),
        (
            {"AzureSignalRConnectionString": "Endpoint=https://a.bc;AccessKey=eyJhidden"},
            "has an AccessKey, and this app works without one",
            "AuthType=azure.msi",
        ),
    ],
)
def test_settings_that_cannot_be_read(
    examine: Examine, settings: dict[str, str], setting: str, fix: str
) -> None:
    examined = examine(settings)
    assert examined.status == 2
    assert [each["id"] for each in examined.steps] == ["settings"]
    assert setting in examined.step("settings")["summary"]
    assert fix in examined.step("settings")["fix"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "local.settings.json:1:2: is no JSON: "),
        ('{\n "Values": {}\n "Host": {}}', "local.settings.json:3:2: is no JSON: "),
        ('{"Values": {"A": "1", "A": "2"}}', 'is no JSON in UTF-8: "A" is there twice'),
        ("[]", "holds no JSON object"),
        ('{"IsEncrypted": true}', "is encrypted"),
        ('{"Values": 1}', "no objects"),
        ('{"Host": {"LocalHttpPort": "7071"}}', "a Host.LocalHttpPort that is no number"),
    ],
)
def test_a_settings_file_that_cannot_be_used(
    examine: Examine, tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "local.settings.json"
    if content is not None:
        file.write_text(content)
    examined = examine({}, "--settings", str(file))
    assert examined.status == 2
    assert problem in examined.step("settings")["summary"]


def test_the_environment_wins_over_the_file(
    emulator: RunningEmulator, examine: Examine, tmp_path: Path
) -> None:
    file = tmp_path / "other.json"
    values = {**emulator.app_settings, "SIGNALR_HUBS": "filed", SERVICE_URI: "http://127.0.0.1:9"}
    file.write_text("\ufeff" + json.dumps({"Values": values}), encoding="utf-8")
    environment = {SERVICE_URI: emulator.service_url, "SIGNALR_HUBS": "chat"}
    examined = examine(environment, "--settings", str(file))
    assert examined.status == 0
    assert examined.step("settings")["details"]["hubs"] == ["chat"]
    assert examined.step("token")["status"] == "ok"


def test_names_that_look_misspelt(emulator: RunningEmulator, examine: Examine) -> None:
    settings = {
        **emulator.app_settings,
        "AzureSignalRConnectionString_clientId": "x",
        "SIGNALR_DEFAULTHUB": "x",
        "NEGOTIATE_IDENTIY": "anonymous",
        "SIGNALR_DEMO": "true",
    }
    found = examine(settings).step("settings")
    assert found["status"] == "warning"
    asked = [line.split(" meant to be ") for line in found["fix"].splitlines()]
    assert asked == [
        ["Is AzureSignalRConnectionString_clientId", "AzureSignalRConnectionString__clientId?"],
        ["Is SIGNALR_DEFAULTHUB", "SIGNALR_DEFAULT_HUB?"],
        ["Is NEGOTIATE_IDENTIY", "NEGOTIATE_IDENTITY?"],
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["--origin", "contoso.com"],
        ["--origin", "https://contoso.com/"],
        ["--app-url", "contoso.azurewebsites.net"],
        ["--timeout", "0"],
        ["--timeout", "soon"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_help_tells_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Exit status: 0 all is well, warnings included; 1 something is broken; 2 wrong" in text


def test_no_token_and_no_known_secret_is_shown() -> None:
    secrets = Secrets(["hunter2", ""])
    shown = secrets.hide("hunter2 Bearer eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiIifQ.c2ln-_ end")
    assert shown == "[hidden] Bearer [hidden] end"


def test_a_result_hides_secrets_wherever_they_are() -> None:
    finding = Finding.failed(Diagnosis("say hunter2", "unsay hunter2"), text="hunter2", number=1)
    runner = Runner(1, Secrets(["hunter2"]), lambda _title: None)
    (result,) = runner.run([Check[None]("a", "A", lambda _on: finding)], None)
    assert "hunter2" not in repr(result)


def test_a_fault_of_the_doctor_does_not_hide_the_other_steps() -> None:
    def break_down(_on: None) -> Finding:
        raise RuntimeError("oops")

    checks = [
        Check[None]("a", "A", break_down),
        Check[None]("b", "B", lambda _on: Finding.ok("fine")),
        Check[None]("c", "C", lambda _on: Finding.ok("fine"), ("a",)),
    ]
    first, second, third = Runner(5, Secrets(), lambda _title: None).run(checks, None)
    assert first.finding.summary == "the doctor itself failed: RuntimeError: oops"
    assert second.finding.summary == "fine"
    assert third.finding.summary == "skipped: it needs “A”"


def test_the_command_where_something_is_broken(emulator: RunningEmulator, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        **emulator.app_settings,
        "SIGNALR_HUBS": "chat",
        "IDENTITY_HEADER": "wrong",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "doctor"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == ""
    check_no_secret(ended.stdout)
    assert "  ✓ Service reachable       " in ended.stdout
    assert "  ✗ Entra token             the identity" in ended.stdout
    assert "      With the emulator: IDENTITY_HEADER=" in ended.stdout
    assert "  - Access key              skipped: it needs “Entra token”" in ended.stdout
    assert "\x1b" not in ended.stdout
