"""Emulator and app, as a check uses them: by the app's own HTTP functions."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import requests

from load.rig import Rig, rig
from shared import SignalRServiceClient

from .sign_in import SignIn, sign_in

__all__ = ["App", "app"]

HUB: Final = "chat"
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class App:
    """Emulator and app that run.

    Args:
        rig: Both processes.
        sign_in: Where clients negotiate.
        service: A service client, for what no function of the app does.
    """

    rig: Rig
    sign_in: SignIn
    service: SignalRServiceClient

    def send(self, target: str, arguments: list[object], **recipient: str) -> None:
        """Send a message.

        Args:
            target: The client's method.
            arguments: Its arguments.
            recipient: `userId`, `groupName` or `connectionId`; everyone without any.
        """
        self._ask("POST", "broadcast", {"target": target, "arguments": arguments, **recipient})

    def join(self, group: str, user: str) -> list[str]:
        """Add a user to a group, and return the connections that are in it then.

        Args:
            group: Name of the group.
            user: The user.
        """
        self._ask("POST", "groups", {"action": "add", "groupName": group, "userId": user})
        members = self._ask("GET", f"groups/{quote(group, safe='')}/connections").json()
        return [each["connectionId"] for each in members["connections"]]

    def close(self, connection_id: str, reason: str) -> None:
        """Close a connection.

        Args:
            connection_id: Its id.
            reason: What its client is told.
        """
        self._ask("DELETE", f"connections/{quote(connection_id)}?reason={quote(reason)}")

    def is_connected(self, user: str) -> bool:
        """Return whether a user has a connection.

        Args:
            user: The user.
        """
        url = f"{self.rig.app_url}/users/{quote(user)}"
        return requests.head(url, timeout=_PATIENCE).status_code == HTTPStatus.OK

    def cut(self, user: str) -> None:
        """Cut a user's connections without a word, as a network does.

        Args:
            user: The user.
        """
        url = f"{self.rig.emulator.control_url}/emulator/clients/drop"
        requests.post(url, json={"userId": user}, timeout=_PATIENCE).raise_for_status()

    def call(self, connection_id: str, target: str, *arguments: object) -> object:
        """Call a client's handler and return what it returns.

        Args:
            connection_id: Id of its connection.
            target: The client's method.
            arguments: Its arguments.

        Raises:
            SignalRError: The client answered with an error or not at all.
        """
        return self.service.invoke_connection(HUB, connection_id, target, arguments)

    def _ask(self, method: str, path: str, body: Any = None) -> requests.Response:  # noqa: ANN401  JSON
        answer = requests.request(
            method, f"{self.rig.app_url}/{path}", json=body, timeout=_PATIENCE
        )
        answer.raise_for_status()
        return answer


@contextlib.contextmanager
def app(folder: Path) -> Iterator[App]:
    """Run emulator and app until the end of the block.

    Args:
        folder: Where their files go.
    """
    with (
        # Programs that make their own checks are nobody.
        rig(folder, endpoints=1, workers=1, identity="app-service,anonymous") as running,
        sign_in(running.app_url) as door,
        _service(running) as service,
    ):
        yield App(running, door, service)


def _service(running: Rig) -> SignalRServiceClient:
    found = re.search(r"^ *(Endpoint=\S+)$", running.emulator.process.output, re.MULTILINE)
    assert found is not None  # noqa: S101  the emulator prints it
    return SignalRServiceClient.from_environment(
        {"AzureSignalRConnectionString": found[1], "SIGNALR_HUBS": HUB}
    )
