"""Every operation of the app's API, in one table."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from ...settings.names import HUB_PATTERN
from ..broadcast.answers import Result, Results
from ..broadcast.connections import Members
from ..broadcast.groups import GroupAction
from ..broadcast.items import Item
from ..broadcast.messages import Message
from ..broadcast.parameters import (
    ClosingParameters,
    ConnectionParameters,
    GroupParameters,
    ListParameters,
    MembersParameters,
    UserParameters,
)
from ..problems import FieldError

__all__ = ["OPERATIONS", "Answer", "Health", "Negotiation", "Operation", "Problem"]


class Negotiation(Struct, rename="camel"):
    """Where and with what a SignalR client connects."""

    url: Annotated[str, Meta(description="Address of the service, the hub included.")]
    access_token: Annotated[str, Meta(description="Lets one client in, for a limited time.")]
    token_lifetime_seconds: Annotated[
        Annotated[int, Meta(ge=1)] | UnsetType,
        Meta(description="How long it is good for, where the client can renew it."),
    ] = UNSET


class Renewal(Struct, rename="camel"):
    """The token of a client that has renewed its sign-in."""

    access_token: Annotated[str, Meta(description="The client token from now on.")]
    token_lifetime_seconds: Annotated[int, Meta(ge=1, description="How long it is good for.")]


class NegotiateParameters(Struct):
    """Names a hub; the app's default hub stands in for none, or its policy chooses one."""

    hub: Annotated[
        Annotated[str, Meta(pattern=f"^{HUB_PATTERN}$")] | UnsetType,
        Meta(description="One of the app's hubs."),
    ] = UNSET


class Health(Struct):
    """Whether the app can hand out connections."""

    status: Annotated[
        Literal["ok", "degraded"],
        Meta(description="`degraded` while the access key cannot be renewed."),
    ]


class Problem(Struct):
    """Why a request was not served (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    errors: Annotated[
        list[FieldError] | UnsetType, Meta(description="The fields of the body that are at fault.")
    ] = UNSET
    results: Annotated[
        list[Result] | UnsetType, Meta(description="What became of each item of a list.")
    ] = UNSET
    error: Annotated[
        str | UnsetType, Meta(description="Why a sign-in was not renewed, in one word.")
    ] = UNSET


class Answer(NamedTuple):
    """One answer of an operation.

    Args:
        description: When it is given.
        body: What its body holds, or `None` for no body.
        headers: Names of headers that it has, and what they say.
    """

    description: str
    body: type | None = None
    headers: Mapping[str, str] = MappingProxyType({})


class Operation(NamedTuple):
    """One operation.

    Args:
        name: What programs call it.
        method: HTTP method.
        function: Name of the function that does it, whose route is its path.
        summary: What it does.
        answers: Its answers, beside those of every operation.
        is_keyed: Whether a caller shows a function key.
        parameters: Its parameters. Those in the path may stand in the query too, and the others
            have to.
        items: What its body holds, one or a list.
        headers: Names of headers that a request has to have, and what they say.
    """

    name: str
    method: str
    function: str
    summary: str
    answers: Mapping[HTTPStatus, Answer]
    is_keyed: bool = True
    parameters: type[Struct] | None = None
    items: type[Item] | None = None
    headers: Mapping[str, str] = MappingProxyType({})


_BAD_REQUEST: Final = Answer("The request cannot be read.", Problem)
_UNAVAILABLE: Final = {
    HTTPStatus.BAD_GATEWAY: Answer("The SignalR service refused the request.", Problem),
    HTTPStatus.SERVICE_UNAVAILABLE: Answer(
        "The SignalR service cannot be used for now.",
        Problem,
        {"Retry-After": "Seconds after which another try makes sense."},
    ),
}
_NEGOTIATED: Final = {
    HTTPStatus.OK: Answer("The client may connect.", Negotiation),
    HTTPStatus.BAD_REQUEST: _BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED: Answer(
        "The caller is not logged in.", Problem, {"WWW-Authenticate": "How to log in."}
    ),
    HTTPStatus.FORBIDDEN: Answer("The app's policy does not allow it.", Problem),
    HTTPStatus.NOT_FOUND: Answer("The app serves no such hub.", Problem),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Answer("The claims do not fit in a token.", Problem),
    HTTPStatus.INTERNAL_SERVER_ERROR: Answer(
        "The caller is logged in and the app is not told as whom, or the app's own rules ask for a"
        " connection that cannot be made.",
        Problem,
    ),
    **_UNAVAILABLE,
    HTTPStatus.SERVICE_UNAVAILABLE: _UNAVAILABLE[HTTPStatus.SERVICE_UNAVAILABLE]._replace(
        description="The SignalR service, or the issuer of the caller's token, cannot be used for"
        " now."
    ),
}
_RENEWED: Final = {
    HTTPStatus.OK: Answer("The sign-in is renewed, and the connection goes on.", Renewal),
    HTTPStatus.BAD_REQUEST: Answer("The header that names the connection is missing.", Problem),
    HTTPStatus.UNAUTHORIZED: _NEGOTIATED[HTTPStatus.UNAUTHORIZED],
    HTTPStatus.FORBIDDEN: Answer(
        "The connection belongs to another user, or the app's policy does not allow it.", Problem
    ),
    HTTPStatus.NOT_FOUND: Answer(
        "There is no such connection, the app serves no such hub, or it renews no sign-ins.",
        Problem,
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _NEGOTIATED[HTTPStatus.REQUEST_ENTITY_TOO_LARGE],
    HTTPStatus.INTERNAL_SERVER_ERROR: Answer(
        "The SignalR service refused the request, or the app's own rules ask for what cannot be.",
        Problem,
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: _NEGOTIATED[HTTPStatus.SERVICE_UNAVAILABLE],
}
_CONNECTION_TOKEN: Final = {
    "X-SignalR-Connection-Token": "Names the connection: the `connectionToken` of the service's own"
    " negotiation, which is a secret."
}
_DELIVERED: Final = {
    HTTPStatus.ACCEPTED: Answer("All are accepted.", Results),
    HTTPStatus.MULTI_STATUS: Answer("Some are accepted.", Results),
    HTTPStatus.BAD_REQUEST: _BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Answer("The body is over 1 MB.", Problem),
    **_UNAVAILABLE,
}
_EXISTENCE: Final = {
    HTTPStatus.OK: Answer("Somebody is connected by this name."),
    HTTPStatus.NOT_FOUND: Answer("Nobody is."),
    HTTPStatus.BAD_REQUEST: _BAD_REQUEST,
    **_UNAVAILABLE,
}

OPERATIONS: Final = (
    Operation(
        "negotiate", "POST", "negotiate",
        "Lets a client connect to the default hub, or to the one in the query.",
        _NEGOTIATED, is_keyed=False, parameters=NegotiateParameters,
    ),
    Operation(
        "negotiateHub", "POST", "negotiate_hub", "Lets a client connect to a hub.",
        _NEGOTIATED, is_keyed=False, parameters=NegotiateParameters,
    ),
    Operation(
        "refresh", "POST", "refresh",
        "Renews a client's sign-in, for the default hub or for the one in the query.",
        _RENEWED, is_keyed=False, parameters=NegotiateParameters, headers=_CONNECTION_TOKEN,
    ),
    Operation(
        "refreshHub", "POST", "refresh_hub", "Renews a client's sign-in.",
        _RENEWED, is_keyed=False, parameters=NegotiateParameters, headers=_CONNECTION_TOKEN,
    ),
    Operation(
        "broadcast", "POST", "broadcast", "Sends a message, or a list of them.",
        _DELIVERED, parameters=ListParameters, items=Message,
    ),
    Operation(
        "changeGroups", "POST", "groups", "Adds to groups and removes from them.",
        {**_DELIVERED, HTTPStatus.NOT_FOUND: Answer("There is no such connection.", Problem)},
        parameters=ListParameters, items=GroupAction,
    ),
    Operation(
        "connectionExists", "HEAD", "connection",
        "Tells whether a connection is open.", _EXISTENCE, parameters=ConnectionParameters,
    ),
    Operation(
        "closeConnection", "DELETE", "connection",
        "Closes a connection; one that is gone already is closed as well.",
        {
            HTTPStatus.NO_CONTENT: Answer("It is closed."),
            HTTPStatus.BAD_REQUEST: _BAD_REQUEST,
            **_UNAVAILABLE,
        },
        parameters=ClosingParameters,
    ),
    Operation(
        "userExists", "HEAD", "connected_user", "Tells whether a user has a connection.",
        _EXISTENCE, parameters=UserParameters,
    ),
    Operation(
        "groupExists", "HEAD", "group", "Tells whether a group has a connection.",
        _EXISTENCE, parameters=GroupParameters,
    ),
    Operation(
        "listGroupConnections", "GET", "group_connections",
        "Lists connections in a group.",
        {
            HTTPStatus.OK: Answer("Connections in the group; none if there is none.", Members),
            HTTPStatus.BAD_REQUEST: _BAD_REQUEST,
            **_UNAVAILABLE,
        },
        parameters=MembersParameters,
    ),
    *(
        Operation(
            name, method, "health", "Tells whether the app can hand out connections.",
            {HTTPStatus.OK: Answer("The app runs.", Health)}, is_keyed=False,
        )
        for name, method in (("health", "GET"), ("healthStatus", "HEAD"))
    ),
    Operation(
        "openapi", "GET", "openapi", "Describes the API.",
        {HTTPStatus.OK: Answer("The OpenAPI description.", dict)}, is_keyed=False,
    ),
)  # fmt: skip
"""The operations that people and programs call."""
