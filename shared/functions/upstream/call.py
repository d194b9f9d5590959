"""A call of the service: which event of which client, by its URL and headers.

Source: "Upstream endpoints in Azure SignalR Service".
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple, TypedDict
from urllib.parse import parse_qs

from ..address import may_stand_for
from ..events.event import Category
from ..problems import ProblemError
from .claims import parse_claims

__all__ = ["Call", "Client", "read_call"]

_NAMED_TWICE: Final = ("Hub", "Category", "Event")
"""What stands in the URL and in a header."""

_TOKEN_PARAMETERS: Final = ("access_token", "id")
"""Parameters of a client's address that open its connection to whoever knows them: the client
token, and the connection token. A capture of 2025 shows both in the header of the service."""

_CATEGORIES: Final = {each.value: each for each in Category}


class Client(TypedDict):
    """What an event says about its client: the fields of `functions.events.event.Event`."""

    hub: str
    connection_id: str
    user_id: str | None
    claims: Mapping[str, tuple[str, ...]]
    query: Mapping[str, tuple[str, ...]]


class Call(NamedTuple):
    """A call of the service.

    Args:
        category: Kind of the event.
        event: `connected`, `disconnected` or the name of a method.
        client: Whose event it is.
    """

    category: Category
    event: str
    client: Client


def read_call(route: Mapping[str, str], headers: Mapping[str, str], application: str) -> Call:
    """Read the URL and the headers of a call.

    Args:
        route: Values of `hub`, `category` and `event` in the URL.
        headers: Headers of the request, looked up in any case.
        application: Name in lower case of the application whose hubs the app serves, or "".

    Raises:
        ProblemError: 400 for a header that is missing or disagrees with the URL, 404 for a category
            that the service does not have, or for a hub of another application.
    """
    hub, category, event = (_agreed(route, headers, name) for name in _NAMED_TWICE)
    if category.lower() not in _CATEGORIES:
        raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such category.")
    return Call(_CATEGORIES[category.lower()], event, _client(_own(hub, application), headers))


def _client(hub: str, headers: Mapping[str, str]) -> Client:
    query = parse_qs(headers.get("X-ASRS-Client-Query", "").removeprefix("?"), True)
    return Client(
        hub=hub,
        connection_id=_required(headers, "X-ASRS-Connection-Id"),
        user_id=headers.get("X-ASRS-User-Id") or None,
        claims=parse_claims(headers.get("X-ASRS-User-Claims", "")),
        query={
            name: tuple(values)
            for name, values in query.items()
            if name.lower() not in _TOKEN_PARAMETERS
        },
    )


def _own(hub: str, application: str) -> str:
    """Return a hub's name in lower case, as the app has it: without the application's before it."""
    prefix = f"{application}_" if application else ""
    if not hub.lower().startswith(prefix):
        raise ProblemError(
            HTTPStatus.NOT_FOUND, f"This app serves the hubs of the application {application} only."
        )
    return hub.lower().removeprefix(prefix)


def _agreed(route: Mapping[str, str], headers: Mapping[str, str], name: str) -> str:
    value = _required(headers, f"X-ASRS-{name}")
    if not may_stand_for(route.get(name.lower(), "").lower(), value.lower()):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"The URL and the header X-ASRS-{name} do not agree."
        )
    return value


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The header {name} is missing.")
    return value
