"""The command, and the page that it writes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from docs.page import with_tables
from interop import results
from interop.app_servers import report
from interop.app_servers.checks import CHECKS
from interop.checks import FAILED, Outcome
from interop.languages.dotnet import DOTNET
from interop.languages.every import LANGUAGES
from interop.library import Library, Protocol, Transport, combinations
from tests.e2e.processes import PATIENCE, ROOT

KEPT = results.read(ROOT / "docs" / "clients.json")
KEPT_OF_APP_SERVERS = report.read(ROOT / "docs" / "app-servers.json")
PAGE = (ROOT / "docs" / "clients.md").read_text()


def run(*names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "interop", *names],
        cwd=ROOT, env={**os.environ, **environment}, timeout=PATIENCE, check=False,
        capture_output=True, text=True,
    )  # fmt: skip


def test_a_name_that_there_is_not_is_refused() -> None:
    refused = run("pysignalr", "cobol")
    assert refused.returncode == 2
    assert "there is no cobol" in refused.stderr
    assert "@microsoft/signalr@10.0.11" in refused.stderr


def test_a_language_without_its_tools_is_left_out() -> None:
    done = run("javascript", PATH="")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "javascript is left out: node and npm cannot be found\n"


def test_without_a_command_for_it_dotnet_is_left_out() -> None:
    done = run("dotnet", INTEROP_DOTNET="")
    assert (done.returncode, done.stderr) == (0, "")
    assert "INTEROP_DOTNET" in done.stdout


def test_without_that_command_app_servers_are_left_out_too() -> None:
    done = run("app-servers", INTEROP_DOTNET="")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("app-servers is left out: the command that INTEROP_DOTNET names")


def test_a_command_for_dotnet_may_have_arguments() -> None:
    done = run("dotnet", INTEROP_DOTNET="/nowhere/runner --quiet")
    assert done.stdout == "dotnet is left out: /nowhere/runner cannot be found\n"


DOTNET_11 = "Microsoft.AspNetCore.SignalR.Client@11"


def test_a_client_that_cannot_be_run_is_a_failure_and_keeps_its_results(tmp_path: Path) -> None:
    program = tmp_path / "no-program"
    program.touch(0o755)
    done = run(DOTNET_11, INTEROP_DOTNET=str(program))
    assert (done.returncode, done.stderr) == (1, "")
    assert "Client 11 cannot be run, and its results stay as they were: " in done.stdout
    assert results.read(ROOT / "docs" / "clients.json") == KEPT


def test_ctrl_c_ends_everything_in_order(tmp_path: Path) -> None:
    began = tmp_path / "began"
    command = f"sh -c 'touch {began}; exec sleep 60'"
    # Tests that run in the background of a shell ignore it, and so would what they start.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    interop = subprocess.Popen(
        [sys.executable, "-m", "interop", DOTNET_11],
        cwd=ROOT, env={**os.environ, "INTEROP_DOTNET": command}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    signal.signal(signal.SIGINT, ours)
    deadline = time.monotonic() + PATIENCE
    while not began.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    # A terminal tells all of its foreground group.
    os.killpg(interop.pid, signal.SIGINT)
    output, _ = interop.communicate(timeout=PATIENCE)
    assert (interop.returncode, output) == (130, b"")


def test_the_page_shows_the_results() -> None:
    tables = {**results.tables(KEPT), **report.tables(KEPT_OF_APP_SERVERS)}
    assert with_tables(PAGE, tables) == PAGE, "Run: make interop"


def test_every_check_of_app_servers_has_passed() -> None:
    assert list(KEPT_OF_APP_SERVERS) == [each.name for each in CHECKS]
    assert FAILED not in KEPT_OF_APP_SERVERS.values()


def test_every_library_has_passed() -> None:
    for language in LANGUAGES:
        for library in language.libraries:
            if language is DOTNET and str(library) not in KEPT:
                continue  # few machines have its programs
            tried = KEPT[str(library)]
            assert list(tried) == [str(each) for each in library.combinations]
            assert all(FAILED not in words.values() for words in tried.values())


def test_the_table_says_where_a_word_does_not_hold() -> None:
    library = next(each for each in LANGUAGES[0].libraries if each.version == "10.0.11")
    usual, *others = library.combinations
    found = {
        each: {"connect": Outcome("yes"), "reconnect": Outcome("negotiates")} for each in others
    }
    found[usual] = {"connect": Outcome("yes"), "reconnect": Outcome("same token")}
    row = results.tables(results.added({}, library, found))["clients"].splitlines()[-1]
    assert "| negotiates; same token by WebSockets (JSON) |" in row


def test_the_page_says_why_checks_were_left_out() -> None:
    rows = results.tables(KEPT)["cannot"].splitlines()
    (answers,) = [each for each in rows if each.startswith("| `@microsoft/signalr` |")]
    assert "| 6.0.25, 5.0.17, 3.1.31, 3.0.3 |" in answers
    assert "client results came with 7.0" in answers


def test_what_is_not_registered_is_not_shown() -> None:
    library = Library(
        "gone", "1", combinations(*Transport, protocols=tuple(Protocol)), lambda _: []
    )
    assert "gone" not in str(results.tables(results.added(KEPT, library, {})))


def test_server_sent_events_carry_no_messagepack() -> None:
    spoken = combinations(*Transport, protocols=tuple(Protocol))
    assert len(spoken) == 5
    assert (Transport.SERVER_SENT_EVENTS, Protocol.MESSAGEPACK) not in spoken
