"""What became of each check, as docs/clients.json keeps it and docs/clients.md shows it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from .checks import CANNOT, NEEDS, Outcome
from .languages.every import LANGUAGES
from .library import Combination, Library, Program, Protocol, Transport

__all__ = ["Results", "added", "read", "tables", "write"]

type Results = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Words by library and version, by transport and protocol, by check."""

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "messages": ("connect", "everyone", "user", "connection", "group", "close"),
    "200 KB": ("200 KB in", "200 KB out"),
    "`invoke`": ("invoke",),
    "client results": ("client results",),
    "break": ("reconnect",),
    "break after the token's end": ("reconnect after the token's end",),
    "closed by the app": ("closed by the app",),
}
"""The checks behind each column."""

_TRANSPORTS: Final = {
    Transport.WEBSOCKETS: "WebSockets",
    Transport.SERVER_SENT_EVENTS: "SSE",
    Transport.LONG_POLLING: "long polling",
}
_PROTOCOLS: Final = {Protocol.JSON: "JSON", Protocol.MESSAGEPACK: "MessagePack"}
_WORDS: Final = {CANNOT: "no"}
_UNTRIED: Final = "not tried"
"""After a failure to connect, and where a program makes its own checks."""


def read(path: Path) -> Results:
    """Return what a file keeps, which need not be there."""
    results: Results = json.loads(path.read_text()) if path.exists() else {}
    return results


def added(
    results: Results, library: Library | Program, found: Mapping[Combination, Mapping[str, Outcome]]
) -> Results:
    """Return results with those of one library in the place of what it had."""
    words = {
        str(combination): {name: each.word for name, each in outcomes.items()}
        for combination, outcomes in found.items()
    }
    return {**results, str(library): words}


def write(path: Path, results: Results) -> None:
    """Keep the results of the libraries that there are."""
    kept = {str(each): results[str(each)] for each in _libraries(results)}
    path.write_text(json.dumps(kept, indent=1) + "\n")


def tables(results: Results) -> Mapping[str, str]:
    """Return the tables of the page, in Markdown, by their names there."""
    return {"clients": _clients(results), "cannot": _cannot(results)}


def _clients(results: Results) -> str:
    """Return a row for each library and version."""
    columns = ("client", "version", *_TRANSPORTS.values(), *_COLUMNS)
    rows = [
        f"| `{each.name}` | {each.version} | {' | '.join(_cells(each, results[str(each)]))} |"
        for each in _libraries(results)
    ]
    return "\n".join([f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *rows])


def _cannot(results: Results) -> str:
    """Return a row for each reason why checks were left out."""
    versions: dict[tuple[str, str], list[str]] = {}
    for library in _libraries(results):
        if isinstance(library, Library):
            for reason in _reasons(library, results[str(library)].values()):
                versions.setdefault((library.name, reason), []).append(library.version)
    rows = [
        f"| `{name}` | {', '.join(found)} | {reason} |"
        for (name, reason), found in versions.items()
    ]
    return "\n".join(["| client | version | what it does not do |", "|---|---|---|", *rows])


def _reasons(library: Library, words: Iterable[Mapping[str, str]]) -> Iterator[str]:
    missing = {NEEDS[name] for each in words for name, word in each.items() if word == CANNOT}
    yield from (library.cannot[each] for each in sorted(missing))


def _libraries(results: Results) -> Iterator[Library | Program]:
    for language in LANGUAGES:
        yield from (each for each in language.libraries if str(each) in results)


def _cells(library: Library | Program, words: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for transport in _TRANSPORTS:
        spoken = [_PROTOCOLS[each.protocol] for each in library.combinations
                  if each.transport == transport]  # fmt: skip
        yield ", ".join(spoken) or "no"
    for checks in _COLUMNS.values():
        yield _cell(
            {each: _worst([words[str(each)].get(name, _UNTRIED) for name in checks])
             for each in library.combinations}
        )  # fmt: skip


def _worst(words: list[str]) -> str:
    """Return the first word that is not a plain yes."""
    return next((_WORDS.get(each, each) for each in words if each != "yes"), "yes")


def _cell(words: Mapping[Combination, str]) -> str:
    """Return the most frequent word, and each other one with where it holds."""
    (usual, _), *others = Counter(words.values()).most_common()
    exceptions = [
        f"{word} by {_where([each for each in words if words[each] == word])}" for word, _ in others
    ]
    return "; ".join([usual, *exceptions])


def _where(combinations: list[Combination]) -> str:
    return " and ".join(
        f"{_TRANSPORTS[each.transport]} ({_PROTOCOLS[each.protocol]})" for each in combinations
    )
