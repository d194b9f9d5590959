"""What people and programs are told: messages on standard output, everything else on the other.

Users, groups and messages come from strangers, so that nothing of them may control a terminal.
"""

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TextIO

__all__ = ["Output", "printable"]

_DIM: Final = "2"
_RED: Final = "31"
_GREEN: Final = "32"
_CYAN: Final = "36"
_ERASE_LINE: Final = "\r\x1b[K"


class Output:
    """Lines for people on a terminal, lines of JSON for programs.

    Args:
        out: Standard output.
        err: Standard error.
        environment: The process environment: `NO_COLOR` and `TERM` are respected.
        is_json: Whether programs read, though it may be a terminal.
    """

    def __init__(
        self, out: TextIO, err: TextIO, environment: Mapping[str, str], *, is_json: bool
    ) -> None:
        self._out = out
        self._err = err
        self._is_json = is_json or not out.isatty()
        self._is_plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
        self._has_progress = False
        for stream in (out, err):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")

    def message(self, target: str, arguments: Sequence[object], at: datetime) -> None:
        """Print a message of the service.

        Args:
            target: Name of the method that clients shall run.
            arguments: Its arguments.
            at: When it came.
        """
        if self._is_json:
            self._print_json(
                {"time": at.isoformat(timespec="milliseconds"), "target": target,
                 "arguments": arguments}
            )  # fmt: skip
            return
        shown = " ".join(printable(json.dumps(each, ensure_ascii=False)) for each in arguments)
        time = self._coloured(self._out, f"{at:%H:%M:%S}", _DIM)
        self._print(f"{time} {self._coloured(self._out, printable(target), _CYAN)} {shown}")

    def done(self, text: str, document: Mapping[str, object]) -> None:
        """Print what has been done.

        Args:
            text: For people.
            document: The same for programs.
        """
        if self._is_json:
            self._print_json(document)
            return
        self._erase_progress()
        self._print(f"{self._coloured(self._out, '✓', _GREEN)} {printable(text)}")

    def progress(self, text: str) -> None:
        """Show on a terminal what is under way, until something else is printed."""
        if self._err.isatty() and not self._is_plain:
            self._erase_progress()
            self._err.write(f"… {printable(text)}")
            self._err.flush()
            self._has_progress = True

    def status(self, text: str) -> None:
        """Tell how things are."""
        self._erase_progress()
        self._err.write(f"{self._coloured(self._err, printable(text), _DIM)}\n")
        self._err.flush()

    def error(self, text: str) -> None:
        """Tell what is wrong, in one line or several."""
        self._erase_progress()
        name = self._coloured(self._err, "keyless-signalr:", _RED)
        lines = "\n".join(printable(line) for line in text.splitlines())
        self._err.write(f"{name} {lines}\n")
        self._err.flush()

    def _erase_progress(self) -> None:
        if self._has_progress:
            self._err.write(_ERASE_LINE)
            self._err.flush()
            self._has_progress = False

    def _coloured(self, stream: TextIO, text: str, colour: str) -> str:
        if self._is_plain or not stream.isatty():
            return text
        return f"\x1b[{colour}m{text}\x1b[0m"

    def _print_json(self, document: Mapping[str, object]) -> None:
        self._print(json.dumps(document))  # in ASCII, which every program reads

    def _print(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def printable(text: str) -> str:
    r"""Return a text in which nothing controls a terminal: ESC becomes \u001b."""
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"
