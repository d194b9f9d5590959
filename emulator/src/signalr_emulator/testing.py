"""An emulator for a test: a process of its own, what an app sent by it, and clients of it.

>>> from signalr_emulator.testing import running_emulator
>>> with running_emulator() as emulator:  # doctest: +SKIP
...     os.environ |= emulator.app_settings
...     with emulator.client("chat", user_id="ann") as ann:
...         my_app.greet("ann")
...         assert ann.wait_for("greeting") == ["Hello"]

With pytest the fixture `signalr_emulator` is one that runs already.
"""

import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from .cli import READY
from .state.journal import Recipients
from .test_double.async_client import AsyncClient, InvocationError, Received
from .test_double.client import Client
from .test_double.control import ControlError
from .test_double.emulator import RunningEmulator
from .test_double.recorded import Message, UpstreamCall
from .test_double.waiting import NotSeenError

__all__ = [
    "AsyncClient",
    "Client",
    "ControlError",
    "InvocationError",
    "Message",
    "NotSeenError",
    "Received",
    "Recipients",
    "RunningEmulator",
    "UpstreamCall",
    "running_emulator",
]


@contextmanager
def running_emulator(*options: str) -> Iterator[RunningEmulator]:
    """Run `signalr-emulator` on free ports, with new keys, until the end of the block.

    Args:
        options: More options of the command, for instance `--role`, `none`.

    Raises:
        ControlError: It did not start; the message is what it said.
    """
    command = [sys.executable, "-m", "signalr_emulator"]
    defaults = ["--fresh", "--service-port", "0", "--control-port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, *defaults, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        # Otherwise a full pipe would stop the emulator some day; what comes is not kept.
        reader = threading.Thread(target=deque, args=(process.stdout, 0), daemon=True)
        try:
            running = _read(process)
            reader.start()
            yield running
        finally:
            process.terminate()
            # The output is closed next, which whoever still reads it would take for an error.
            if reader.is_alive():
                reader.join()


def _read(process: subprocess.Popen[str]) -> RunningEmulator:
    output = process.stdout
    if output is None:
        raise ControlError("The emulator says nothing.")
    lines: list[str] = []
    for line in output:
        lines.append(line.rstrip("\n"))
        if lines[-1] == READY:
            break
    else:
        raise ControlError("\n".join(lines))
    said = "\n".join(lines)
    return RunningEmulator(
        service_url=_found(r"^SignalR service: +(\S+)$", said),
        control_url=_found(r"^Control plane: +(\S+)$", said),
        app_settings=dict(re.findall(r"^(\w+)=(.+)$", said, re.MULTILINE)),
        connection_strings=tuple(re.findall(r"^  (Endpoint=\S+)$", said, re.MULTILINE)),
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ControlError(text)
    return match[1]
