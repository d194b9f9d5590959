"""Listens to a hub for longer than its sign-in lasts, and renews it without reconnecting.

It negotiates by itself, first with the app and then with the service, since a refresh needs the
connection token, which no SignalR library for Python tells. Its WebSocket speaks the JSON protocol.

APP_URL=https://<app>.azurewebsites.net/api APP_SCOPE=api://<application id>/.default \
python -m examples.renewed_sign_in
"""

import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from azure.identity.aio import DefaultAzureCredential

type GetToken = Callable[[], Awaitable[str]]
"""Returns a token that the app accepts, each time a new one."""

_BEFORE_END: Final = 300.0
_JITTER: Final = 0.1
_SHORTEST_RETRY: Final = 1.0
_PING_SECONDS: Final = 15.0
_RECORD_SEPARATOR: Final = "\x1e"
_INVOCATION: Final = 1
_CLOSE: Final = 7
_FINAL: Final = frozenset({400, 403, 404, 405})
"""Answers to a refresh that will not change. A 401 does, with the next token."""


class RefusedError(Exception):
    """The app has not renewed the sign-in.

    Args:
        status: Its answer.
        retry_after: Seconds that it asks to wait, if it says so.
    """

    def __init__(self, status: int, retry_after: str | None) -> None:
        """Tell what the app said."""
        super().__init__(f"The app answered {status}")
        self.status = status
        self.retry_after = float(retry_after) if retry_after and retry_after.isdigit() else None


@dataclass
class Access:
    """What two negotiations have brought.

    Args:
        url: Where the service takes the connection.
        token: The client token for it.
        expires_at: When the sign-in ends, in epoch seconds; `None` if nothing is to be renewed.
        connection_token: The secret that proves whose sign-in a refresh renews.
    """

    url: str
    token: str = field(repr=False)
    expires_at: float | None
    connection_token: str = field(repr=False)


@dataclass(frozen=True)
class Timing:
    """Clock and chance, which tests replace."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class RenewedConnection:
    """A connection to one hub, as long as the app renews its sign-in.

    Args:
        app_url: Below which the app has `negotiate` and `refresh`.
        get_token: Gives the caller's tokens.
        timing: Clock and chance.
    """

    def __init__(self, app_url: str, get_token: GetToken, timing: Timing | None = None) -> None:
        """Negotiate nothing yet."""
        self._app_url = app_url
        self._get_token = get_token
        self._timing = timing or Timing()

    async def messages(self) -> AsyncGenerator[dict[str, Any]]:
        """Connect, and yield the invocations of the hub until the service closes.

        Raises:
            aiohttp.ClientError: Negotiation or connection failed.
        """
        async with aiohttp.ClientSession() as http:
            access = await self._negotiate(http)
            async with http.ws_connect(
                access.url.replace("http", "ws", 1),
                params={"id": access.connection_token},
                headers=_bearer(access.token),
            ) as socket:
                await _send(socket, {"protocol": "json", "version": 1})
                async with contextlib.AsyncExitStack() as beside:
                    for work in (self._keep_signed_in(http, access), _keep_alive(socket)):
                        beside.callback(asyncio.create_task(work).cancel)
                    async for message in _received(socket):
                        yield message

    async def _negotiate(self, http: aiohttp.ClientSession) -> Access:
        asked_at = self._timing.now()
        app_token = await self._get_token()
        redirect = await _post(http, f"{self._app_url}/negotiate", app_token, negotiateVersion="1")
        url, token = redirect["url"], redirect["accessToken"]
        negotiate_url = url.replace("/client/", "/client/negotiate", 1)
        answer = await _post(http, negotiate_url, token, negotiateVersion="1")
        lifetime = redirect.get("tokenLifetimeSeconds")
        expires_at = asked_at + lifetime if lifetime else None
        return Access(url, token, expires_at, answer["connectionToken"])

    async def _keep_signed_in(self, http: aiohttp.ClientSession, access: Access) -> None:
        wait = self._until_refresh(access)
        while wait is not None:
            await self._timing.sleep(wait)
            try:
                await self._refresh(http, access)
                wait = self._until_refresh(access)
            except RefusedError as error:
                print(f"The sign-in is not renewed: {error}")
                wait = None if error.status in _FINAL else self._until_retry(access, error)
            except Exception as error:  # noqa: BLE001  another try may do, whatever it was
                print(f"The sign-in is not renewed: {error!r}")
                wait = self._until_retry(access)

    def _until_refresh(self, access: Access) -> float | None:
        if access.expires_at is None:
            return None
        left = access.expires_at - self._timing.now()
        planned = left - _BEFORE_END if left > 2 * _BEFORE_END else left / 2
        # Those that came together must not all come back in the same second.
        return planned * (1 - _JITTER * self._timing.chance())

    def _until_retry(self, access: Access, refused: RefusedError | None = None) -> float | None:
        left = (access.expires_at or 0) - self._timing.now()
        chance = _JITTER * self._timing.chance()
        if refused and refused.retry_after is not None:
            wait = refused.retry_after * (1 + chance)
        else:
            wait = left / 2 * (1 - chance)
        wait = max(_SHORTEST_RETRY, wait)
        return wait if wait < left else None

    async def _refresh(self, http: aiohttp.ClientSession, access: Access) -> None:
        asked_at = self._timing.now()
        # A redirect could take the secret to somebody else.
        async with http.post(
            f"{self._app_url}/refresh",
            headers=_bearer(await self._get_token())
            | {"X-SignalR-Connection-Token": access.connection_token},
            allow_redirects=False,
        ) as response:
            if not response.ok:
                raise RefusedError(response.status, response.headers.get("Retry-After"))
            answer = await response.json()
        # This WebSocket stays open with the token that it began with; requests would take this one.
        access.token = answer["accessToken"]
        access.expires_at = asked_at + answer["tokenLifetimeSeconds"]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _post(http: aiohttp.ClientSession, url: str, token: str, **query: str) -> dict[str, Any]:
    async with http.post(url, params=query, headers=_bearer(token)) as response:
        response.raise_for_status()
        answer: dict[str, Any] = await response.json()
        return answer


async def _send(socket: aiohttp.ClientWebSocketResponse, message: dict[str, Any]) -> None:
    await socket.send_str(json.dumps(message) + _RECORD_SEPARATOR)


async def _keep_alive(socket: aiohttp.ClientWebSocketResponse) -> None:
    while True:
        await asyncio.sleep(_PING_SECONDS)
        await _send(socket, {"type": 6})


async def _received(socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[dict[str, Any]]:
    """Yield invocations until a close message, or the end of the socket."""
    async for frame in socket:
        for record in str(frame.data).split(_RECORD_SEPARATOR)[:-1]:
            message = json.loads(record)
            if message.get("type") == _CLOSE:
                return
            if message.get("type") == _INVOCATION:
                yield message


async def main() -> None:
    """Print what the hub says, and come back whenever the service closes the connection."""
    async with DefaultAzureCredential() as credential:

        async def get_token() -> str:
            return (await credential.get_token(os.environ["APP_SCOPE"])).token

        timing = Timing()
        while True:
            async for message in RenewedConnection(os.environ["APP_URL"], get_token).messages():
                print(message["target"], *message["arguments"])
            # Those that were closed together must not come back together either.
            await timing.sleep(5 * timing.chance())


if __name__ == "__main__":
    asyncio.run(main())
