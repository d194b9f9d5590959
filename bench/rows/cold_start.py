"""The first negotiation of a cold process: `python -m bench.rows.cold_start`.

From the start of the interpreter to the first answer, through Microsoft's worker library. Identity
and access key come from the emulator, over sockets. Held against an app that imports
azure.functions and requests and does nothing, and against the shortest function that does the same
with azure-identity, requests and PyJWT: what these libraries take is in both. All have their
bytecode at hand.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from signalr_emulator.testing import running_emulator

from .. import report
from ..pairs import Row, Turns, at_most, take_timed_turns
from ..processes import running

_ROOT = Path(__file__).parents[2]
_OTHERS = Path(__file__).parents[1] / "functions"
_ROUNDS = 15


def tables() -> Iterator[report.Table]:
    """Measure."""
    with running_emulator() as emulator:
        settings = emulator.app_settings
        own = {"SIGNALR_HUBS": "chat", "NEGOTIATE_IDENTITY": "anonymous", **settings}
        sides = {
            "first negotiation": _starting(_ROOT, own),
            "empty app": _starting(_OTHERS, {"PYTHON_SCRIPT_FILE_NAME": "empty_app.py"}),
            "the same by hand": _starting(
                _OTHERS, {"PYTHON_SCRIPT_FILE_NAME": "by_hand_app.py", **settings}
            ),
        }
        taken = take_timed_turns(sides, _rows, rounds=_ROUNDS)
    yield report.table_of("Negotiate, cold process", taken)


def _rows(turns: Turns) -> list[Row]:
    return [
        at_most(1.3, turns, "first negotiation", "empty app"),
        at_most(0.9, turns, "first negotiation", "the same by hand"),
    ]


def _starting(folder: Path, settings: dict[str, str]) -> Callable[[], float]:
    def start() -> float:
        began = time.perf_counter()
        environment = {**settings, "PYTHONDONTWRITEBYTECODE": ""}
        with running(
            "-m", "bench.rows.first_answer", str(folder), environment=environment
        ) as output:
            status = output.readline().strip()
            took = (time.perf_counter() - began) * 1e6
        if status != "200":
            raise RuntimeError(f"{folder} answered {status}")
        return took

    return start


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("cold_start", __doc__).parse_args().json))
