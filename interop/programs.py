"""Programs that make their own checks and report each by a line of JSON.

A line that counts has `kind`: `start` with the library's full name as `client`; `check` with
`check`, `protocol`, `transport`, `ok`, and what was `seen` or an `error`; `end` is the last one.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .app import App
from .checks import FAILED, Outcome
from .library import Combination, Program, Protocol, Transport

__all__ = ["ProgramError", "Report", "reported", "reports"]

type Report = Mapping[str, Any]

_LONGEST_RUN: Final = 300.0
_LONGEST_SEEN: Final = 300
"""Characters of what was seen that a failure shows."""

_TRANSPORTS: Final = {
    "WebSockets": Transport.WEBSOCKETS,
    "ServerSentEvents": Transport.SERVER_SENT_EVENTS,
    "LongPolling": Transport.LONG_POLLING,
}
_PROTOCOLS: Final = {
    "json": Protocol.JSON,
    # Another library writes the same JSON.
    "newtonsoft": Protocol.JSON,
    "messagepack": Protocol.MESSAGEPACK,
}
_SAME: Final = {
    "function: start": ("connect", "yes"),
    "function: broadcast": ("everyone", "yes"),
    "direct: to everyone, user, group": ("user", "yes"),
    "function: typed values to the connection": ("connection", "yes"),
    "function: to a group, joined by a method": ("group", "yes"),
    "function: a method with a result": ("invoke", "yes"),
    "direct: client result": ("client results", "yes"),
    "direct: the network fails, reconnects by itself": ("reconnect", "comes back"),
    "function: stop": ("close", "yes"),
    "function: closed by the app, reconnects by itself": ("closed by the app", "comes back"),
}
"""What our own checks call the same thing, and their word where the client does it."""


class ProgramError(Exception):
    """Nothing that a program reports can be used; the message says why."""


def reported(app: App, program: Program) -> Mapping[Combination, Mapping[str, Outcome]]:
    """Let a program make its checks.

    Args:
        app: Emulator and app.
        program: The program.

    Returns:
        What became of each check, by its name, for each combination.

    Raises:
        OSError: The program cannot be run.
        subprocess.TimeoutExpired: It did not end within 300 seconds.
    """
    try:
        lines = reports(
            program, "--url", app.rig.app_url, "--service", app.rig.emulator.service_urls[0]
        )
    except ProgramError as error:
        failed = Outcome(FAILED, str(error))
        return {each: {"connect": failed} for each in program.combinations}
    return {each: _of(lines, each) for each in program.combinations}


def reports(program: Program, *options: str) -> list[Report]:
    """Let a program make its checks, and return what it reports.

    Args:
        program: The program.
        options: Its options, which say what is checked.

    Raises:
        OSError: The program cannot be run.
        ProgramError: It is another program, or did not come to its end.
        subprocess.TimeoutExpired: It did not end within 300 seconds.
    """
    done = subprocess.run(  # noqa: S603  a command that whoever runs this has chosen
        [*program.command, *options], capture_output=True, timeout=_LONGEST_RUN, check=False
    )
    lines = list(_lines(done.stdout))
    problem = _problem(program, lines)
    if problem:
        raise ProgramError(f"{problem}; {done.stderr.decode(errors='replace')[-500:]}")
    return lines


def _lines(output: bytes) -> Iterator[Report]:
    for line in output.splitlines():
        try:
            report = json.loads(line)
        except ValueError:
            continue
        if isinstance(report, dict) and "kind" in report:
            yield report


def _problem(program: Program, lines: list[Report]) -> str | None:
    """Return why nothing that it reports can be used."""
    client = next((each["client"] for each in lines if each["kind"] == "start"), "nothing")
    if f"{program.name}." not in client or f"Version={program.version}." not in client:
        return f"the program is one of {client}"
    if lines[-1]["kind"] != "end":
        return "the program ended before its checks"
    return None


def _of(lines: list[Report], combination: Combination) -> Mapping[str, Outcome]:
    found: dict[str, Outcome] = {}
    for line in lines:
        if line["kind"] != "check" or _combination(line) != combination:
            continue
        if _is_loss_of_newtonsoft(line):
            continue
        name, word = _SAME.get(line["check"], (line["check"], "yes"))
        if not line["ok"]:
            # The same JSON is tried with two libraries.
            before = found.get(name, Outcome(word)).detail
            found[name] = Outcome(FAILED, "; ".join(filter(None, (before, _seen(line)))))
        found.setdefault(name, Outcome(word))
    return found or {"connect": Outcome(FAILED, "the program did not try it")}


def _is_loss_of_newtonsoft(line: Report) -> bool:
    """Tell whether nothing is wrong but what the client's own reader of JSON does to decimals.

    With Newtonsoft.Json it makes a double of a number before it knows that a `decimal` is wanted.
    docs/clients.md says so.
    """
    return line["protocol"] == "newtonsoft" and str(line.get("error", "")).endswith(
        "wrong: decimal-scale, decimal-digits"
    )


def _combination(line: Report) -> Combination:
    return Combination(_TRANSPORTS[line["transport"]], _PROTOCOLS[line["protocol"]])


def _seen(line: Report) -> str:
    seen = json.dumps(line.get("seen"), ensure_ascii=False)[:_LONGEST_SEEN]
    return f"{line['protocol']}: {line.get('error')} {seen}"
