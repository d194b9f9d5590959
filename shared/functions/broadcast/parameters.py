"""What a request says by its path and its query."""

import functools
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final

import azure.functions as func
import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ...settings.hubs import Hubs
from ...spelling import nearest
from ..address import has_slash, may_stand_for, query_pairs
from ..problems import ProblemError
from .validation import Hub, InvalidFieldError, Name, validate

__all__ = [
    "ClosingParameters",
    "ConnectionParameters",
    "GroupParameters",
    "ListParameters",
    "MembersParameters",
    "Parameters",
    "UserParameters",
    "read_parameters",
]

_LONGEST_REASON: Final = 1024
_MOST_MEMBERS: Final = 1000

_LONGEST_SHOWN: Final = 40
_OF_THE_HOST: Final = frozenset({"code", "clientid"})
"""What the Functions host reads itself: a function key, and whose it is."""


_HUB: Final = Meta(description="One of the app's hubs, if not the default one.")


class ListParameters(Struct, frozen=True, kw_only=True, rename="camel"):
    """Parameters of a list, whose items may name hubs of their own."""

    hub: Annotated[Hub | UnsetType, _HUB] = UNSET


class Parameters(Struct, frozen=True, kw_only=True, rename="camel"):
    """Parameters of a request for one hub; the app's default hub stands in for none."""

    hub: Annotated[Hub, _HUB]


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


def read_parameters[T: ListParameters | Parameters](
    req: func.HttpRequest, wanted: type[T], hubs: Hubs, body: type[Struct] | None = None
) -> T:
    """Read the parameters of a request.

    What the path names may stand in the query as well, under the same name. It has to where the
    path cannot say it: see `address.has_slash`.

    Args:
        req: The request.
        wanted: What they are to be.
        hubs: Which hubs there are.
        body: What the body holds: its fields are looked for in the query by mistake.

    Raises:
        ProblemError: 400, one is not known, comes twice or does not fit.
    """
    values = _from_query(req, wanted, body)
    for name, value in req.route_params.items():
        values[name] = _agreed(name, value, values.get(name))
    try:
        default = {"hub": hubs.default} if hubs.default else {}
        return validate({**default, **values}, wanted, hubs, strict=False)
    except InvalidFieldError as error:
        raise _refusal(f"{error.field.removeprefix('/')} {error.detail}.") from None


def _from_query(
    req: func.HttpRequest, wanted: type[Struct], body: type[Struct] | None
) -> dict[str, str]:
    known = _names(wanted)
    values: dict[str, str] = {}
    for name, value in query_pairs(req):
        right = known.get(name.lower())
        if right is None:
            if name.lower() not in _OF_THE_HOST:
                raise _refusal(_unknown(name, known, _names(body) if body else {}))
        elif right in values:
            raise _refusal(f"{right} stands in the query twice.")
        else:
            values[right] = value
    return values


def _agreed(name: str, in_path: str, in_query: str | None) -> str:
    """Return what path and query name, where the path alone may not be clear."""
    if in_query is not None and not may_stand_for(in_path, in_query):
        raise _refusal(f"{name} is one in the path and another in the query.")
    if not has_slash(in_path):
        return in_path
    if in_query is None:
        raise _refusal(
            f"{name} has a slash or the text %2F, which cannot be told apart in a path. Say it in"
            f" the query as well: ?{name}=a%2Fb for a/b, ?{name}=a%252Fb for a%2Fb."
        )
    return in_query


def _unknown(name: str, known: Mapping[str, str], in_body: Mapping[str, str]) -> str:
    """Say what is wrong with a parameter that nobody reads, and what may be meant."""
    said = f"{name[:_LONGEST_SHOWN]!r} is no parameter of this request"
    near = nearest(name, [*known.values(), *in_body.values()])
    if near is None:
        return f"{said}, which may have {', '.join(known.values())}."
    if near.lower() in known:
        return f"{said}; did you mean {near!r}?"
    return f"{said}: {near} belongs in the body."


@functools.cache
def _names(struct: type[Struct]) -> Mapping[str, str]:
    """Return the names of a struct's fields, as requests have them, by the same in lower case."""
    names = (field.encode_name for field in msgspec.structs.fields(struct))
    return {name.lower(): name for name in names}


def _refusal(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)
