"""Who plays with the emulator: app servers, and clients of their hub."""

import contextlib
import itertools
import json
import os
import re
import signal
from typing import Any

import requests

from load.processes import Process

from ..agent import PATIENCE, Agent, AgentError

__all__ = ["AppServer", "HubClient", "RenewingClient", "end"]


def end(process: Process, number: int) -> None:
    """Send a process a signal, and wait for its end.

    Args:
        process: The process.
        number: The signal.
    """
    # The command may be one that runs the program in a process of its own.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.process.pid, number)
    process.process.wait(PATIENCE)


class AppServer:
    """An app server whose hub `Chat` the service carries.

    Args:
        process: Its process.
        url: Where it listens.
    """

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    @property
    def hub_url(self) -> str:
        """Where its clients negotiate."""
        return f"{self.url}/chat"

    def has(self, connection_id: str) -> bool:
        """Tell whether it has said that it was the one to welcome a client."""
        return _welcome(connection_id) in self.process.output

    def wait_for(self, connection_id: str) -> None:
        """Wait until it has said that it has welcomed a client, which it says a moment later.

        Raises:
            AssertionError: It never did.
        """
        self.process.wait_for(re.escape(_welcome(connection_id)))

    def call(self, path: str, **query: str) -> requests.Response:
        """Ask it from outside of its hub: `say`, `join` or `ask`.

        Raises:
            RequestException: It does not answer, or not by a status of success.
        """
        answer = requests.post(f"{self.url}/{path}", params=query, timeout=PATIENCE)
        answer.raise_for_status()
        return answer

    def kill(self) -> None:
        """End it without a word."""
        end(self.process, signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        end(self.process, signal.SIGINT)


class RenewingClient:
    """A client of .NET that renews its sign-in.

    Args:
        process: Its process, which reports what happens by a line of JSON.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self.connection_id: str = self.wait_for("started")["connectionId"]

    def wait_for(self, kind: str) -> dict[str, Any]:
        """Return the first report of a kind.

        Raises:
            AssertionError: There is none.
        """
        found = self._process.wait_for(rf'^\{{.*"kind":"{kind}".*\}}$')
        report: dict[str, Any] = json.loads(found[0])
        return report

    def has_reported(self, kind: str) -> bool:
        """Tell whether there was a report of a kind."""
        return f'"kind":"{kind}"' in self._process.output


class HubClient:
    """A client of the hub that is connected.

    Args:
        agent: The client.

    Attributes:
        connection_id: What the hub has called its connection in its welcome.
        heard: Texts that the hub has sent to it.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.connection_id = ""
        self.heard: list[str] = []
        self._calls = itertools.count(1)

    def invoke(self, method: str, *arguments: object) -> Any:  # noqa: ANN401  JSON
        """Call a method of the hub, and return its result.

        Raises:
            AgentError: It has failed.
        """
        call = str(next(self._calls))
        self.agent.tell("invoke", id=call, target=method, arguments=arguments)
        result = self.agent.wait_for("result", id=call)
        if result.get("error"):
            raise AgentError(f"{method} failed: {result['error']}")
        return result["value"]

    def receive(self, text: str) -> None:
        """Wait for what the hub sends to it.

        Raises:
            AgentError: It did not come.
        """
        while text not in self.heard:
            event = self.agent.wait_for("message", target="message")
            self.heard.append(event["arguments"][1])

    def wait_for_welcome(self) -> None:
        """Wait until a hub has welcomed it, which each does that gets the client.

        Raises:
            AgentError: None did.
        """
        event = self.agent.wait_for("message", target="welcome")
        self.connection_id = event["arguments"][0]


def _welcome(connection_id: str) -> str:
    return f"connected {connection_id} as "
