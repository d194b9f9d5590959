"""Results for people, as the steps run, and for machines, as one document at the end."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from shared.command.output import printable

from .finding import Status
from .runner import Result

__all__ = ["JsonReport", "TextReport", "exit_status"]

_MARKS: Final = {Status.OK: "✓", Status.WARNING: "!", Status.FAILED: "✗", Status.SKIPPED: "-"}
_PLAIN_MARKS: Final = {**_MARKS, Status.OK: "+", Status.FAILED: "x"}
_COLOURS: Final = {Status.OK: "32", Status.WARNING: "33", Status.FAILED: "31", Status.SKIPPED: "2"}
_WIDTH: Final = 24
_COLUMNS: Final = 80
_INDENT: Final = " " * 6


def exit_status(results: Sequence[Result]) -> int:
    """Return 1 if something is broken, else 0."""
    return int(any(each.finding.status is Status.FAILED for each in results))


class TextReport:
    """Prints each step as it ends, and on a terminal what is under way.

    Texts may be those of whoever was asked, so that nothing of them may control the terminal.

    Args:
        output: Where to.
        environment: The process environment: `NO_COLOR` is respected.
    """

    def __init__(self, output: TextIO, environment: Mapping[str, str]) -> None:
        self._output = output
        self._is_terminal = output.isatty()
        self._is_coloured = self._is_terminal and not environment.get("NO_COLOR")
        self._fixes: dict[str, str] = {}
        is_unicode = (output.encoding or "").lower().replace("-", "") == "utf8"
        self._marks = _MARKS if is_unicode else _PLAIN_MARKS

    def heading(self, text: str) -> None:
        """Begin a new part."""
        self._print(f"\n{text}")

    def began(self, title: str) -> None:
        """Show what is under way."""
        if self._is_terminal:
            self._output.write(f"  … {title}")
            self._output.flush()

    def ended(self, result: Result) -> None:
        """Show what came of a step."""
        if self._is_terminal:
            self._output.write("\r\x1b[K")
        finding = result.finding
        mark = self._coloured(self._marks[finding.status], finding.status)
        first, *more = _wrapped(finding.summary, _COLUMNS - 4 - _WIDTH)
        self._print(f"  {mark} {result.title:<{_WIDTH}}{first}")
        for line in more:
            self._print(f"{'':<{4 + _WIDTH}}{line}")
        for line in self._fix(result):
            # A command stays in one line, so that it can be copied; a sentence begins with a
            # capital letter.
            is_command = line[:1].islower()
            lines = [printable(line)] if is_command else _wrapped(line, _COLUMNS - len(_INDENT))
            for each in lines:
                self._print(f"{_INDENT}{each}")

    def finish(self, results: Sequence[Result]) -> None:
        """Sum up."""
        counts = {
            status: sum(each.finding.status is status for each in results) for status in Status
        }
        self._print(
            f"\n{counts[Status.OK]} well, {counts[Status.WARNING]} to look at,"
            f" {counts[Status.FAILED]} broken, {counts[Status.SKIPPED]} skipped"
        )

    def _fix(self, result: Result) -> Sequence[str]:
        """Return the lines of a fix, or where it stands already."""
        fix = result.finding.fix
        if not fix:
            return ()
        first = self._fixes.setdefault(fix, result.title)
        return fix.splitlines() if first == result.title else (f"As for “{first}” above",)

    def _coloured(self, text: str, status: Status) -> str:
        return f"\x1b[{_COLOURS[status]}m{text}\x1b[0m" if self._is_coloured else text

    def _print(self, line: str) -> None:
        encoding = self._output.encoding or "utf-8"
        text = line.encode(encoding, "replace").decode(encoding)
        self._output.write(f"{text}\n")
        self._output.flush()


def _wrapped(text: str, width: int) -> Sequence[str]:
    """Return a text in lines, none of which begins in the middle of a name."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [printable(each) for each in lines] or [""]


class JsonReport:
    """Prints one JSON document when all steps have ended.

    Args:
        output: Where to.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def heading(self, text: str) -> None:
        """Print nothing."""

    def began(self, title: str) -> None:
        """Print nothing."""

    def ended(self, result: Result) -> None:
        """Print nothing."""

    def finish(self, results: Sequence[Result]) -> None:
        """Print the document."""
        document = {
            "ok": exit_status(results) == 0,
            "steps": [
                {
                    "id": each.id,
                    "title": each.title,
                    "endpoint": each.subject or None,
                    "status": each.finding.status.value,
                    "summary": each.finding.summary,
                    "fix": each.finding.fix or None,
                    "details": dict(each.finding.details),
                }
                for each in results
            ],
        }
        json.dump(document, self._output, indent=2)
        self._output.write("\n")
