"""The function app, as its callers know it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp

__all__ = ["ACCEPTED", "App", "NoAnswerError", "UnusableAnswerError"]

ACCEPTED: Final = "accepted"
"""What the app answers of a message or group action that it has passed on."""

_USER_HEADER: Final = "x-ms-client-principal-id"

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

    async def negotiate(self, user: str) -> tuple[str, str]:
        """Return the client URL and the client token of a user who is logged in.

        Raises:
            UnusableAnswerError: There is none.
        """
        status, body = await self._post("negotiate", None, {_USER_HEADER: user})
        if status != HTTPStatus.OK or not isinstance(body, dict):
            raise UnusableAnswerError(f"negotiate: {status}")
        return body["url"], body["accessToken"]

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


def _all(outcomes: Sequence[str]) -> bool:
    return all(each == ACCEPTED for each in outcomes)
