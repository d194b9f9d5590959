"""The function app, as its callers know it."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp

__all__ = ["ACCEPTED", "App", "NoAnswerError", "UnusableAnswerError"]

ACCEPTED: Final = "accepted"
"""What the app answers of a message or group action that it has passed on."""

_LONGEST_LIFETIME: Final = 2**31 - 1
"""Seconds; Microsoft's client takes an integer of 32 bits, and none of less than 1 for one."""

type Json = Mapping[str, Any]


class UnusableAnswerError(Exception):
    """The app does not do what is asked; the message says what it answered."""


class NoAnswerError(UnusableAnswerError):
    """The app cannot be reached, or does not answer."""


class App:
    """Calls the app's functions.

    Args:
        session: Sends requests.
        url: Where the app is, with the route prefix.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def negotiate(self, user: str, session_end: float | None = None) -> tuple[str, str]:
        """Return the client URL and the client token of a user who is logged in.

        Args:
            user: The user.
            session_end: When its session ends, in epoch seconds, if the app is to know that.

        Raises:
            UnusableAnswerError: There is none.
        """
        status, body = await self._post("negotiate", None, _logged_in(user, session_end))
        if status != HTTPStatus.OK or not isinstance(body, dict):
            raise UnusableAnswerError(f"negotiate: {status}")
        return body["url"], body["accessToken"]

    async def refresh(self, connection_token: str, user: str, session_end: float) -> str:
        """Renew the sign-in of a connection as Microsoft's client does, and return the new token.

        Args:
            connection_token: The secret that names the connection.
            user: The user.
            session_end: When its new session ends, in epoch seconds.

        Raises:
            UnusableAnswerError: It is not renewed, or the client would not understand the answer.
        """
        headers = {
            **_logged_in(user, session_end),
            "X-SignalR-Connection-Token": connection_token,
            "X-Requested-With": "XMLHttpRequest",
        }
        status, body = await self._post("refresh", None, headers)
        if status != HTTPStatus.OK or not isinstance(body, dict):
            raise UnusableAnswerError(f"refresh: {status}")
        token, lifetime = body.get("accessToken"), body.get("tokenLifetimeSeconds")
        # A Boolean is an integer to Python, and none to that client.
        if type(lifetime) is not int or not 1 <= lifetime <= _LONGEST_LIFETIME:
            raise UnusableAnswerError(f"refresh: tokenLifetimeSeconds is {lifetime!r}")
        if not isinstance(token, str) or not token:
            raise UnusableAnswerError("refresh: no accessToken")
        return token

    async def broadcast(self, messages: Sequence[Json]) -> list[str]:
        """Send messages, one or a list, and return what became of each.

        Raises:
            UnusableAnswerError: It is not known.
        """
        return await self._items("broadcast", messages)

    async def group(self, action: Json) -> str:
        """Do a group action and return what became of it.

        Raises:
            UnusableAnswerError: It is not known.
        """
        return (await self._items("groups", [action]))[0]

    async def is_well(self) -> bool:
        """Tell whether the app says that nothing is wrong with it."""
        try:
            async with self._session.get(f"{self._url}/health") as answer:
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
            return False
        return answer.status == HTTPStatus.OK and body == {"status": "ok"}

    async def _items(self, path: str, items: Sequence[Json]) -> list[str]:
        status, body = await self._post(path, items[0] if len(items) == 1 else list(items))
        if not isinstance(body, dict) or "results" not in body:
            raise UnusableAnswerError(f"{path}: {status}")
        outcomes = [str(each["status"]) for each in body["results"]]
        if len(outcomes) != len(items) or (status == HTTPStatus.ACCEPTED) != _all(outcomes):
            raise UnusableAnswerError(f"{path}: {status} with {outcomes} for {len(items)} items")
        return [each if each == ACCEPTED else f"{path}: {status} {each}" for each in outcomes]

    async def _post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> tuple[int, object]:
        try:
            async with self._session.post(
                f"{self._url}/{path}", json=body, headers=headers
            ) as answer:
                data = await answer.read()
                if "json" not in answer.content_type:
                    return answer.status, None
                return answer.status, await answer.json(content_type=None) if data else None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise NoAnswerError(f"{path}: {type(error).__name__}") from None


def _logged_in(user: str, session_end: float | None) -> dict[str, str]:
    """Return the headers of App Service authentication.

    The app knows when a session ends by the bearer token of which the platform tells the claims.
    """
    named = {"x-ms-client-principal-id": user}
    if session_end is None:
        return named
    principal = {"auth_typ": "aad", "claims": [{"typ": "exp", "val": str(int(session_end))}]}
    encoded = b64encode(json.dumps(principal).encode()).decode()
    return {**named, "x-ms-client-principal": encoded, "Authorization": "Bearer checked-before"}


def _all(outcomes: Sequence[str]) -> bool:
    return all(each == ACCEPTED for each in outcomes)
