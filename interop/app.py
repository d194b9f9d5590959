"""Emulator and app, as a check uses them: by the app's own HTTP functions."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import requests

from load.rig import Rig, rig

from .sign_in import SignIn, sign_in

__all__ = ["App", "app"]

_PATIENCE: Final = 30.0
_PAST_TOKENS: Final = 3700.0
"""Seconds; a token lives for an hour."""


@dataclass(frozen=True, slots=True)
class App:
    """Emulator and app that run.

    Args:
        rig: Both processes.
        sign_in: Where clients negotiate.
    """

    rig: Rig
    sign_in: SignIn

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

    def outlive_tokens(self) -> None:
        """Move the clocks of emulator and app past the end of every client token."""
        asyncio.run(self.rig.pass_time(_PAST_TOKENS))

    def call(self, connection_id: str, target: str, *arguments: Any) -> object:  # noqa: ANN401  JSON
        """Call a client's handler and return what it returns, which no function of the app does.

        Args:
            connection_id: Id of its connection.
            target: The client's method.
            arguments: Its arguments.

        Raises:
            RequestException: The client answered with an error or not at all.
        """
        answer = requests.post(
            f"{self.rig.emulator.service_urls[0]}/api/hubs/chat/connections/{connection_id}/:invoke",
            params={"api-version": "2024-12-01"},
            json={"target": target, "arguments": list(arguments)},
            headers={"Authorization": f"Bearer {self._entra_token()}"},
            timeout=_PATIENCE,
        )
        answer.raise_for_status()
        return answer.json()["result"]

    def _entra_token(self) -> str:
        answer = requests.get(
            f"{self.rig.emulator.control_url}/msi/token",
            params={"api-version": "2019-08-01", "resource": "https://signalr.azure.com"},
            headers={"X-IDENTITY-HEADER": self.rig.settings["IDENTITY_HEADER"]},
            timeout=_PATIENCE,
        )
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

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
        rig(
            folder, endpoints=1, workers=1, settings={"NEGOTIATE_IDENTITY": "app-service,anonymous"}
        ) as running,
        sign_in(running.app_url) as door,
    ):
        yield App(running, door)
