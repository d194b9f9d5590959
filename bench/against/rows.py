"""What is compared, by the names that `--rows` takes."""

from collections.abc import Mapping
from typing import Final

from .emulator import CLIENTS, IN_HUB_PROTOCOLS, IN_JSON, fan_out, memory, unheard_sends
from .host import broadcasts
from .measurement import Figure, Measurement, Surroundings
from .programs import asked, fresh, started
from .start import whole_start

__all__ = ["MEASUREMENTS"]

_COLD_LIMIT: Final = 1.03
"""What everything that a cold start pays for may take, by that of the other build."""

_FAN_OUT_LIMIT: Final = 1.03

_WHOLE_START: Final = "emulator and app, from start.py to its last line"
_THREADS: Final = 8
_LIST: Final = 100


def _emulator(around: Surroundings) -> Mapping[str, str]:
    return around.emulator


def _signed_in(around: Surroundings) -> Mapping[str, str]:
    identity = {"NEGOTIATE_IDENTITY": "app-service", "WEBSITE_AUTH_ENABLED": "True"}
    return {**around.emulator, **identity}


def _answering(around: Surroundings) -> Mapping[str, str]:
    return around.answering


def _cold(what: str) -> tuple[Figure, Figure]:
    # Processor time tells more on a busy machine, and knows nothing of what is waited for.
    return Figure(what, "ms", _COLD_LIMIT), Figure(f"{what}, CPU", "ms", _COLD_LIMIT)


def _message(what: str) -> tuple[Figure, Figure]:
    return Figure(f"{what}, CPU of a message", "µs"), Figure(f"{what}, messages", "/s")


MEASUREMENTS: Final[Mapping[str, Measurement]] = {
    "import": Measurement(
        _cold("import shared, fresh process"),
        fresh("imported", settings=_emulator),
        slices=3,
    ),
    "index": Measurement(
        _cold("indexing of the app, fresh process"),
        fresh("app", "index", settings=_emulator),
        slices=3,
    ),
    "cold-negotiation": Measurement(
        _cold("first negotiation of a cold process"),
        started("app", "first", settings=_emulator),
        slices=3,
    ),
    "start": Measurement(
        # Reloading has a process more, which takes processor time beside the others.
        [Figure(_WHOLE_START, "ms", _COLD_LIMIT), Figure(f"{_WHOLE_START}, CPU", "ms")],
        whole_start,
        slices=2,
    ),
    "negotiation": Measurement(
        [Figure("hot negotiation through Microsoft's worker", "µs")],
        asked("app", "hot", settings=_signed_in),
        slices=10,
    ),
    "token": Measurement(
        [Figure("client token", "µs")], asked("library", "token", settings=_emulator), slices=10
    ),
    "bearer": Measurement(
        [
            Figure("a caller's token, read for the first time", "µs"),
            Figure("a caller's token, shown again", "µs", 0.5),
        ],
        asked("tokens", settings=_emulator),
        slices=5,
    ),
    "send": Measurement(
        _message("REST send"), asked("library", "send", "1", settings=_answering), slices=5
    ),
    "send-threads": Measurement(
        _message(f"REST send, {_THREADS} threads"),
        asked("library", "send", str(_THREADS), settings=_answering),
        slices=5,
    ),
    "send-await": Measurement(
        _message(f"REST send, {_THREADS} awaited at a time"),
        asked("awaitable", str(_THREADS), settings=_answering),
        slices=5,
    ),
    "broadcast": Measurement(
        _message(f"POST /api/broadcast, {_THREADS} threads"),
        broadcasts(messages=1, requests=160, threads=_THREADS),
        slices=5,
    ),
    "broadcast-list": Measurement(
        _message(f"POST /api/broadcast, a list of {_LIST}"),
        broadcasts(messages=_LIST, requests=3, threads=1),
        slices=5,
    ),
    "emulator-send": Measurement(
        [Figure("emulator, REST send that nobody receives, CPU", "µs")],
        unheard_sends(IN_JSON),
        slices=5,
    ),
    "emulator-send-hub": Measurement(
        [Figure("emulator, the same in hub protocols, CPU", "µs")],
        unheard_sends(IN_HUB_PROTOCOLS),
        slices=5,
    ),
    "emulator-fan-out": Measurement(
        [Figure(f"emulator, fan-out to {CLIENTS} clients, CPU of a client", "µs", _FAN_OUT_LIMIT)],
        fan_out(IN_JSON),
        slices=5,
    ),
    "emulator-fan-out-hub": Measurement(
        [Figure("emulator, the same in hub protocols, CPU of a client", "µs", _FAN_OUT_LIMIT)],
        fan_out(IN_HUB_PROTOCOLS),
        slices=5,
    ),
    "emulator-memory": Measurement([Figure("emulator, memory of a connection", "KB")], memory),
}
"""Each row or two of the table, in its order."""
