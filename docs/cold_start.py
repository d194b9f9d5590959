"""Writes the tables of docs/cold-start.md from a start of the app: which modules, and why.

python -m docs.cold_start
"""

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from signalr_emulator.testing import running_emulator

from docs.page import with_tables

__all__ = ["NEEDED", "OWN", "PAGE", "SETTINGS"]

PAGE: Final = Path(__file__).parent / "cold-start.md"
_ROOT: Final = Path(__file__).parents[1]
_TURNS: Final = 5

OWN: Final = ("function_app", "events", "negotiate", "broadcast", "demo", "shared")
"""Modules and packages at the top that are the app's own, the library among them."""

_HOST: Final = ("bench", "funchost")

SETTINGS: Final = {"SIGNALR_HUBS": "chat", "NEGOTIATE_IDENTITY": "anonymous"}
"""The settings of the app whose start is shown, but for where the service is."""

NEEDED: Final[Mapping[str, Mapping[str, str]]] = {
    "app": {
        "function_app": "registers the functions",
        "events": "has the handlers, which are checked at the start",
        "negotiate": "has the routes of negotiate",
        "negotiate.policy": "is the policy, which is checked at the start",
        "broadcast": "has the routes of the other functions",
        "demo": "has the setting that offers the demo page",
    },
    "settings": {
        "shared.settings.environment": "reads what says where the service is, and the hubs",
        "shared.settings.connection": "reads the parts of a connection",
        "shared.settings.credential_parts": "reads those that say which credential",
        "shared.settings.credential": "holds what they say",
        "shared.settings.description": "describes a setting, and makes the error that names it",
        "shared.settings.endpoint": "holds an endpoint's addresses, from which audiences are made",
        "shared.settings.hubs": "holds the hubs; each negotiation asks it",
        "shared.settings.names": "has the rules for names; each negotiation asks it",
        "shared.settings.token_origin": "says who makes client tokens",
        "shared.settings.transport_type": "says how messages reach the service",
        "shared.functions.negotiate.settings": "reads how callers prove who they are",
        "shared.functions.local_features": "reads whether `openapi.json` is offered",
    },
    "functions": {
        "shared.functions.signalr_functions": "makes the functions and gives them their routes",
        "shared.functions.deferred": "knows the bindings of those whose handlers come later",
        "shared.functions.http_function": "is a function and what its binding says",
        "shared.functions.events.registry": "takes the handlers of `events.py`",
        "shared.functions.events.parameters": "checks what they take",
        "shared.functions.events.event": "has the types in their annotations",
        "shared.functions.places": "names file and line in errors about policies and handlers",
        "shared.lazy": "imports what a package exports when somebody asks for it",
    },
    "key": {
        "shared.aio": "is the service client",
        "shared.base_client": "is what it has in common with the blocking one",
        "shared.endpoints.endpoint": "is an endpoint in use, whose access key it asks for",
        "shared.endpoints.credentials": "finds who this app is at each endpoint",
        "shared.endpoints.first_token": "gets the first Entra token by one request",
        "shared.identity.entra_tokens": "keeps it, and has it renewed",
        "shared.identity.token": "is a token, and what gives one",
        "shared.rest.access_keys": "asks for the access key",
        "shared.rest.exchange": "makes the request, and repeats it",
        "shared.rest.operations": "says what request it is",
        "shared.rest.retry": "says what the answer means, and when to ask again",
        "shared.transport.flow": "describes requests and waiting, apart from I/O",
        "shared.transport.driver": "does them",
        "shared.transport.http": "sends, over connections that it keeps",
        "shared.transport.http1": "writes a request in one piece, and reads an answer",
        "shared.transport.opening": "opens a connection",
        "shared.transport.surroundings": "knows proxies and certificates",
        "shared.keys.access_key": "is the key",
        "shared.keys.thread": "keeps it at hand",
        "shared.keys.rotation": "says what is done next for it",
        "shared.keys.schedule": "says when",
    },
    "negotiation": {
        "shared.functions.negotiate.handlers": "answers",
        "shared.functions.negotiate.admission": "decides what a caller gets",
        "shared.functions.negotiate.caller": "knows who asks",
        "shared.functions.negotiate.policies": "asks the policy",
        "shared.functions.negotiate.policy": "is what a policy returns",
        "shared.functions.address": "reads which hub is asked for",
        "shared.functions.problems": "makes answers, and problems of errors",
        "shared.endpoints.negotiation": "chooses the endpoint and the key",
        "shared.keys.client_token": "signs the client token",
        "shared.errors": "is every error",
        "shared.telemetry": "names what the log records of errors say",
    },
    "packages": {
        "shared": "",
        "shared.endpoints": "",
        "shared.functions": "",
        "shared.functions.events": "",
        "shared.functions.negotiate": "",
        "shared.identity": "",
        "shared.keys": "",
        "shared.rest": "",
        "shared.settings": "",
        "shared.transport": "",
    },
}
"""The modules of each table, and what a start needs them for."""


def _imported(settings: Mapping[str, str]) -> Mapping[str, float]:
    """Start the app as Microsoft's worker does, and negotiate twice.

    Args:
        settings: The settings of the app, with an emulator as the service.

    Returns:
        Milliseconds of each module, without what it imports.
    """
    ended = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-X", "importtime", "-m", "bench.rows.first_answer", str(_ROOT)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **settings},
        input="again\n",
        capture_output=True,
        text=True,
        check=True,
    )
    if ended.stdout.split() != ["200", "200"]:
        raise RuntimeError(f"the app answered {ended.stdout!r}")
    rows = [
        line.removeprefix("import time:").split("|")
        for line in ended.stderr.splitlines()
        if line.startswith("import time:") and "self [us]" not in line
    ]
    return {name.strip(): int(own) / 1e3 for own, _, name in rows}


def _current(page: str) -> str:
    with running_emulator() as emulator:
        settings = {**SETTINGS, **emulator.app_settings}
        _imported(settings)  # leaves bytecode for the others
        turns = [_imported(settings) for _ in range(_TURNS)]
    took = {name: min(turn.get(name, math.inf) for turn in turns) for name in turns[0]}
    tables = {name: _needed(rows, took) for name, rows in NEEDED.items()}
    return with_tables(page, {"whose": _whose(took), **tables})


def _whose(took: Mapping[str, float]) -> str:
    groups: dict[str, list[float]] = {
        "Python's own": [],
        "azure.functions, requests, the worker library, and what they need": [],
        "the host of this measurement": [],
        "the app and its library": [],
    }
    python, packages, host, own = groups.values()
    for name, each in took.items():
        top = name.partition(".")[0]
        if top in OWN:
            own.append(each)
        elif top in _HOST:
            host.append(each)
        else:
            (python if top in sys.stdlib_module_names else packages).append(each)
    total = sum(took.values())
    rows = [
        f"| {whose} | {len(each)} | {sum(each):.1f} | {sum(each) / total:.0%} |"
        for whose, each in groups.items()
    ]
    return "\n".join(["| whose | modules | ms | share |", "|---|---|---|---|", *rows])


def _needed(rows: Mapping[str, str], took: Mapping[str, float]) -> str:
    if not any(rows.values()):
        names = ", ".join(f"`{name}`" for name in rows)
        return f"{names}: {sum(took[name] for name in rows):.1f} ms together."
    head = ["| module | why | ms |", "|---|---|---|"]
    # The worker imports function_app in a way that Python does not time.
    shown = {name: f"{took[name]:.1f}" if name in took else "" for name in rows}
    return "\n".join(
        [*head, *(f"| `{name}` | {why} | {shown[name]} |" for name, why in rows.items())]
    )


if __name__ == "__main__":
    PAGE.write_text(_current(PAGE.read_text()))
