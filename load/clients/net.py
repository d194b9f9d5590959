"""What all clients share: a session, the app, the books, and what goes on at present."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp

from ..account.journal import FailureKind, Journal, now
from ..account.ledger import Ledger
from .app import App, UnusableAnswerError
from .transports import RefusedError

__all__ = ["Negotiated", "Net"]


class Negotiated(NamedTuple):
    """What a client has negotiated.

    Args:
        url: Where it connects to, with the connection token.
        token: The client token.
        connection_id: The service's name for the connection.
        connection_token: The secret that names it for its own client.
    """

    url: str
    token: str
    connection_id: str
    connection_token: str


@dataclass(frozen=True, slots=True)
class Net:
    """What all clients share.

    Args:
        session: Sends requests.
        app: The app.
        ledger: Where messages and connections are entered.
        journal: Where the rest is.
        tasks: What goes on at present.
    """

    session: aiohttp.ClientSession
    app: App
    ledger: Ledger
    journal: Journal
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else; what it raises ends the run."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.journal.broke(task.exception())

    async def negotiate(self, user: str, session_end: float | None = None) -> Negotiated:
        """Negotiate with the app and then with the service; arguments as of `App.negotiate`.

        Raises:
            RefusedError: One of them does not want it.
        """
        began = now()
        self.journal.count("negotiations")
        try:
            url, token = await self.app.negotiate(user, session_end)
            self.journal.took("negotiation", began)
            negotiated = await self._negotiate(url, token)
        except UnusableAnswerError as error:
            self.journal.failed(FailureKind.NEGOTIATION, str(error), began)
            raise RefusedError(str(error)) from None
        connection_token = str(negotiated["connectionToken"])
        return Negotiated(
            f"{url}&id={connection_token}",
            token,
            str(negotiated["connectionId"]),
            connection_token,
        )

    async def _negotiate(self, url: str, token: str) -> dict[str, Any]:
        address = f"{url.replace('/client/?', '/client/negotiate?')}&negotiateVersion=1"
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self.session.post(address, headers=headers) as answer:
                if answer.status != HTTPStatus.OK:
                    raise UnusableAnswerError(f"the service's negotiate: {answer.status}")
                negotiated: dict[str, Any] = await answer.json()
                return negotiated
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnusableAnswerError(f"the service's negotiate: {type(error).__name__}") from None
