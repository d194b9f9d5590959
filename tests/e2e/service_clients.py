"""Both service clients behind one face, and clients that connect with what they hand out."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, cast

import pytest
from signalr_emulator.testing import RunningEmulator
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from shared import CredentialKind, CredentialSettings, SignalRServiceClient, aio
from shared.persistent.client import PersistentServiceClient
from tests.e2e.processes import PATIENCE, Client, client

_RECORD_SEPARATOR = "\x1e"


type OpenClient = Callable[..., AbstractContextManager[SignalRServiceClient]]
"""Opens a service client; the arguments are those of its class."""


class Awaited:
    """An awaitable client whose methods block: they run on an event loop in another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, opened: aio.SignalRServiceClient) -> None:
        self._loop = loop
        self._opened = opened

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any method's own
        attribute = getattr(self._opened, name)
        if not callable(attribute):
            return attribute
        return lambda *args, **kwargs: self._result(attribute(*args, **kwargs))

    def _result(self, called: Awaitable[object] | AsyncIterator[object]) -> object:
        async def result() -> object:
            if isinstance(called, AsyncIterator):
                return [each async for each in called]
            return await called

        return asyncio.run_coroutine_threadsafe(result(), self._loop).result(PATIENCE)


@contextlib.contextmanager
def awaited(
    open_client: Callable[..., aio.SignalRServiceClient], *args: object, **options: object
) -> Iterator[SignalRServiceClient]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened = open_client(*args, **options)
    try:
        yield cast("SignalRServiceClient", Awaited(loop, opened))
    finally:
        asyncio.run_coroutine_threadsafe(opened.close(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


BOTH_CLIENTS: Mapping[str, OpenClient] = {
    "blocking": SignalRServiceClient,
    "awaitable": partial(awaited, aio.SignalRServiceClient),
}
ALL_CLIENTS: Mapping[str, OpenClient] = {
    **BOTH_CLIENTS,
    "persistent": partial(awaited, PersistentServiceClient),
}
"""With the one whose messages go by server connections."""


def use_identity(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, client_id: str | None = None
) -> CredentialSettings:
    """Make this process one that App Service gives the emulator's managed identity."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, emulator.app_settings[name])
    return CredentialSettings(CredentialKind.MANAGED_IDENTITY, client_id=client_id)


@contextlib.contextmanager
def connected(
    signalr: SignalRServiceClient, *users: str | None, hub: str = "chat"
) -> Iterator[list[Client]]:
    """Connect a real client for each user, all at once."""
    with contextlib.ExitStack() as stack:
        accesses = [signalr.get_client_access_token(hub, user_id=user) for user in users]
        yield [
            stack.enter_context(client(url, Authorization=f"Bearer {token}"))
            for url, token, _ in accesses
        ]


class RawClient:
    """A client that shows the hub protocol's messages as they come."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        socket.send(f'{{"protocol":"json","version":1}}{_RECORD_SEPARATOR}')
        socket.recv(PATIENCE)

    def next(self) -> dict[str, Any]:
        """Wait for the next message that is no ping."""
        while True:
            for record in str(self._socket.recv(PATIENCE)).split(_RECORD_SEPARATOR):
                message: dict[str, Any] = json.loads(record) if record else {"type": 6}
                if message["type"] != 6:
                    return message


@contextlib.contextmanager
def raw_client(url: str, token: str) -> Iterator[RawClient]:
    """Connect without negotiation, as a client of WebSockets alone may."""
    headers = {"Authorization": f"Bearer {token}"}
    with connect(url.replace("http", "ws", 1), additional_headers=headers) as socket:
        yield RawClient(socket)


def eventually(holds: Callable[[], bool]) -> None:
    """Look again and again until something holds that another thread brings about."""
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("It never came about")
