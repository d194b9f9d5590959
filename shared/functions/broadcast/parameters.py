"""What a request says by its path and its query."""

import re
from http import HTTPStatus
from typing import Annotated, Final

import azure.functions as func
from msgspec import UNSET, Meta, Struct, UnsetType

from ...settings.hubs import Hubs
from ..problems import ProblemError
from .validation import Hub, InvalidFieldError, Name, validate

__all__ = [
    "ClosingParameters",
    "ConnectionParameters",
    "GroupParameters",
    "MembersParameters",
    "Parameters",
    "UserParameters",
    "read_parameters",
]

_LONGEST_REASON: Final = 1024
_MOST_MEMBERS: Final = 1000

# The host leaves an encoded slash in a value of the route as it came, and decodes the rest.
_SLASH: Final = re.compile("%2f", re.IGNORECASE)


class Parameters(Struct, frozen=True, kw_only=True, rename="camel"):
    """Parameters that every request may have; the app's default hub stands in for none."""

    hub: Annotated[Hub, Meta(description="One of the app's hubs, if not the default one.")]


class ConnectionParameters(Parameters, frozen=True, kw_only=True):
    """Names a connection."""

    connection_id: Annotated[Name, Meta(description="Id of the connection.")]


class ClosingParameters(ConnectionParameters, frozen=True, kw_only=True):
    """Names a connection and why it is closed."""

    reason: Annotated[
        Annotated[str, Meta(max_length=_LONGEST_REASON)] | UnsetType,
        Meta(description="What the client is told."),
    ] = UNSET


class UserParameters(Parameters, frozen=True, kw_only=True):
    """Names a user."""

    user_id: Annotated[Name, Meta(description="The user.")]


class GroupParameters(Parameters, frozen=True, kw_only=True):
    """Names a group."""

    group_name: Annotated[Name, Meta(description="The group.")]


class MembersParameters(GroupParameters, frozen=True, kw_only=True):
    """Names a group and how many of its connections are wanted."""

    top: Annotated[
        int, Meta(ge=1, le=_MOST_MEMBERS, description="How many connections to list at most.")
    ] = _MOST_MEMBERS


def read_parameters[T: Parameters](req: func.HttpRequest, wanted: type[T], hubs: Hubs) -> T:
    """Read the parameters of a request.

    Args:
        req: The request.
        wanted: What they are to be.
        hubs: Which hubs there are.

    Raises:
        ProblemError: 400, one does not fit.
    """
    path = {name: _SLASH.sub("/", value) for name, value in req.route_params.items()}
    try:
        return validate({"hub": hubs.default, **req.params, **path}, wanted, hubs, strict=False)
    except InvalidFieldError as error:
        detail = f"{error.field.removeprefix('/')} {error.detail}."
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail) from None
