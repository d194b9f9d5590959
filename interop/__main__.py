"""The command: `python -m interop [NAME ...]`."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from docs.page import with_tables

from . import results
from .app import App, app
from .app_servers import report
from .app_servers.checks import CHECKS
from .app_servers.stage import Programs
from .checks import FAILED, Client, Outcome, outcomes
from .languages.dotnet import COMMAND, DOTNET
from .languages.every import LANGUAGES
from .languages.javascript import JAVASCRIPT
from .library import Combination, Language, Library, Program
from .programs import reported

__all__ = ["main"]

_INTERRUPTED: Final = 130
"""The exit status of a program that Ctrl-C has ended."""

_ROOT: Final = Path(__file__).parents[1]
_CACHE: Final = _ROOT / ".interop"
_RESULTS: Final = _ROOT / "docs" / "clients.json"
_APP_SERVERS_RESULTS: Final = _ROOT / "docs" / "app-servers.json"
_PAGE: Final = _ROOT / "docs" / "clients.md"

_APP_SERVERS: Final = "app-servers"
"""The name by which app servers and their clients are chosen."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clients that the command line chooses, and renew the table of docs/clients.md.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0 if every client did what it has to, 1 if one did not or could not be
        run, 130 after Ctrl-C. What came before that is kept.
    """
    names = _names(arguments)
    chosen = list(_chosen(names))
    try:
        passed = [_passes(language, library) for language, library in chosen]
        if not names or _APP_SERVERS in names:
            passed.append(_app_servers_pass())
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0 if all(passed) else 1


def _names(arguments: Sequence[str] | None) -> list[str]:
    parser = argparse.ArgumentParser(
        prog="python -m interop",
        description="Runs SignalR clients against emulator and app, and renews docs/clients.md.",
        epilog="Languages whose tools are not there are left out. The exit status is 1 if a client"
        " did not do what it has to, or could not be run.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"a language ({', '.join(each.name for each in LANGUAGES)}), a library, a library"
        f" and its version with @ between them, or {_APP_SERVERS}; all if none is given",
    )
    names: list[str] = parser.parse_args(arguments).names
    known = {name for language in LANGUAGES for each in language.libraries
             for name in _named(language, each)} | {_APP_SERVERS}  # fmt: skip
    for name in names:
        if name not in known:
            parser.error(f"there is no {name}; known are {', '.join(sorted(known))}")
    return names


def _named(language: Language, library: Library | Program) -> tuple[str, ...]:
    return language.name, library.name, f"{library.name}@{library.version}"


def _chosen(names: Sequence[str]) -> Iterator[tuple[Language, Library | Program]]:
    for language in LANGUAGES:
        libraries = [
            each
            for each in language.libraries
            if not names or not set(names).isdisjoint(_named(language, each))
        ]
        if libraries and _has_tools(language.name, language.tools):
            yield from ((language, each) for each in libraries)


def _has_tools(name: str, tools: Sequence[str]) -> bool:
    """Tell whether programs are there, and say what is left out without them."""
    missing = [each for each in tools if shutil.which(each) is None]
    if missing:
        _say(f"{name} is left out: {' and '.join(missing)} cannot be found")
    return not missing


def _passes(language: Language, library: Library | Program) -> bool:
    """Run one client, keep its results, and tell whether it did what it has to."""
    # What one client does to the clocks is no matter of the next.
    with tempfile.TemporaryDirectory() as folder, app(Path(folder)) as running:
        found = _all_combinations(running, language, library)
    if not found:
        return False
    results.write(_RESULTS, results.added(results.read(_RESULTS), library, found))
    _renew_page()
    return all(each.word != FAILED for outcome in found.values() for each in outcome.values())


def _app_servers_pass() -> bool:
    """Run app servers and their clients, keep what became of it, and tell whether all is well."""
    if not _has_tools(_APP_SERVERS, (*DOTNET.tools, *JAVASCRIPT.tools)):
        return True
    browser = JAVASCRIPT.libraries[0]
    assert isinstance(browser, Library)  # noqa: S101  it has an agent
    folder = _CACHE / _APP_SERVERS
    folder.mkdir(parents=True, exist_ok=True)
    try:
        client = _prepared(JAVASCRIPT, browser)
    except (OSError, subprocess.SubprocessError) as error:
        _say(f"{browser} cannot be run, and results stay as they were: {error}{_said(error)}")
        return False
    found = {}
    for check in CHECKS:
        outcome = check.outcome(Programs(COMMAND, client, folder))
        _say(f"{check.name}: {outcome.word} {outcome.detail}".rstrip())
        found[check.name] = outcome.word
    report.write(_APP_SERVERS_RESULTS, found)
    _renew_page()
    return FAILED not in found.values()


def _renew_page() -> None:
    clients, servers = results.read(_RESULTS), report.read(_APP_SERVERS_RESULTS)
    tables = {**results.tables(clients), **report.tables(servers)}
    _PAGE.write_text(with_tables(_PAGE.read_text(), tables))


def _all_combinations(
    running: App, language: Language, library: Library | Program
) -> Mapping[Combination, Mapping[str, Outcome]]:
    """Return what became of each check; nothing if the client cannot be run."""
    found = {}
    try:
        for combination, seen in _tried(running, language, library):
            found[combination] = seen
            failed = {name: each for name, each in seen.items() if each.word == FAILED}
            _say(f"{library} {combination}: {'failed' if failed else 'passed'}")
            for name, outcome in failed.items():
                _say(f"  {name}: {outcome.detail}")
    except (OSError, subprocess.SubprocessError) as error:
        _say(f"{library} cannot be run, and its results stay as they were: {error}{_said(error)}")
        return {}
    return found


def _said(error: Exception) -> str:
    """Return what a command wrote that has failed; Maven writes errors to standard output."""
    streams = (getattr(error, name, None) or b"" for name in ("stdout", "stderr"))
    return "".join(f"\n{each.decode(errors='replace').strip()}" for each in streams if each)


def _tried(
    running: App, language: Language, library: Library | Program
) -> Iterator[tuple[Combination, Mapping[str, Outcome]]]:
    if isinstance(library, Program):
        yield from reported(running, library).items()
        return
    command = _prepared(language, library)
    for combination in library.combinations:
        client = Client(library, combination, command, _folder(language, library) / "agent.log")
        yield combination, outcomes(running, client)


def _prepared(language: Language, library: Library) -> Sequence[str]:
    """Return the command of a library's agent, which has what it needs."""
    folder = _folder(language, library)
    folder.mkdir(parents=True, exist_ok=True)
    return library.prepare(folder)


def _folder(language: Language, library: Library) -> Path:
    return _CACHE / language.name / f"{library.name}@{library.version}"


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
