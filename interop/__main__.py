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
from .checks import FAILED, Client, Outcome, outcomes
from .languages.every import LANGUAGES
from .library import Combination, Language, Library, Program
from .programs import reported

__all__ = ["main"]

_INTERRUPTED: Final = 130
"""The exit status of a program that Ctrl-C has ended."""

_ROOT: Final = Path(__file__).parents[1]
_CACHE: Final = _ROOT / ".interop"
_RESULTS: Final = _ROOT / "docs" / "clients.json"
_PAGE: Final = _ROOT / "docs" / "clients.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clients that the command line chooses, and renew the table of docs/clients.md.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0 if every client did what it has to, 1 if one did not or could not be
        run, 130 after Ctrl-C. What came before that is kept.
    """
    chosen = list(_chosen(_names(arguments)))
    try:
        passed = [_passes(language, library) for language, library in chosen]
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
        help=f"a language ({', '.join(each.name for each in LANGUAGES)}), a library, or a library"
        " and its version with @ between them; all if none is given",
    )
    names: list[str] = parser.parse_args(arguments).names
    known = {name for language in LANGUAGES for each in language.libraries
             for name in _named(language, each)}  # fmt: skip
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
        missing = [each for each in language.tools if shutil.which(each) is None]
        if missing and libraries:
            _say(f"{language.name} is left out: {' and '.join(missing)} cannot be found")
            continue
        yield from ((language, each) for each in libraries)


def _passes(language: Language, library: Library | Program) -> bool:
    """Run one client, keep its results, and tell whether it did what it has to."""
    # What one client does to the clocks is no matter of the next.
    with tempfile.TemporaryDirectory() as folder, app(Path(folder)) as running:
        found = _all_combinations(running, language, library)
    if not found:
        return False
    kept = results.added(results.read(_RESULTS), library, found)
    results.write(_RESULTS, kept)
    _PAGE.write_text(with_tables(_PAGE.read_text(), results.tables(kept)))
    return all(each.word != FAILED for outcome in found.values() for each in outcome.values())


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
    folder = _CACHE / language.name / f"{library.name}@{library.version}"
    folder.mkdir(parents=True, exist_ok=True)
    command = library.prepare(folder)
    for combination in library.combinations:
        client = Client(library, combination, command, folder / "agent.log")
        yield combination, outcomes(running, client)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
