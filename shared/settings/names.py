"""The service's rules for names of hubs, groups, users and connections."""

import re
from collections.abc import Iterable
from typing import Final

from ..errors import InvalidArgumentError

__all__ = [
    "HUB_PATTERN",
    "MAX_HUB_LENGTH",
    "MAX_NAME_LENGTH",
    "check_application",
    "check_excluded",
    "check_hub",
    "check_name",
    "check_user_id",
    "connection_path",
    "group_path",
    "hub_path",
    "prefixed_hub",
    "user_path",
]

MAX_NAME_LENGTH: Final = 1024
"""Longest name of a group, user or connection, in characters (REST API 2022-06-01)."""

MAX_HUB_LENGTH: Final = 128
"""Longest name of a hub, in characters."""

HUB_PATTERN: Final = rf"[A-Za-z][A-Za-z0-9_`,.\[\]]{{0,{MAX_HUB_LENGTH - 1}}}"
"""Names of hubs and applications, as the REST API has it, version 2022-06-01."""

_HUB: Final = re.compile(HUB_PATTERN)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_hub(hub: str) -> str:
    """Return the hub's name as it stands in URLs and audiences: in lower case.

    Raises:
        InvalidArgumentError: The name breaks the pattern.
    """
    if _HUB.fullmatch(hub) is None:
        raise InvalidArgumentError(
            "hub",
            f"{hub[:40]!r} is not a hub name: a letter, then up to 127 letters, digits or _`,.[]",
        )
    return hub.lower()


def check_application(application: str) -> str:
    """Return the application's name as it stands in URLs and audiences: in lower case.

    Args:
        application: The name, or "" for none.

    Raises:
        InvalidArgumentError: The name breaks the pattern.
    """
    if application and _HUB.fullmatch(application) is None:
        raise InvalidArgumentError(
            "application",
            f"{application[:40]!r} is not an application name: a letter, then up to 127 letters,"
            " digits or _`,.[]",
        )
    return application.lower()


def prefixed_hub(application: str, hub: str) -> str:
    """Return the name by which the service knows a hub, in lower case.

    It is `{application}_{hub}`, as the SDK for .NET has it (`ServiceEndpointProvider`).

    Args:
        application: The application's name in lower case, or "" for none.
        hub: Name of the hub.

    Raises:
        InvalidArgumentError: The hub's name breaks the pattern, or is too long with the other.
    """
    name = check_hub(hub)
    return check_hub(f"{application}_{name}") if application else name


def check_name(argument: str, value: str) -> str:
    """Return the name of a group, user or connection unchanged.

    Args:
        argument: What the name is called in the error.
        value: The name.

    Raises:
        InvalidArgumentError: The name is empty, blank, longer than 1,024 characters, a path step
            that an HTTP client would resolve away, or no valid Unicode, or it has a control
            character: the service's server refuses NUL in a path, and its pattern line breaks.
    """
    if not value or value.isspace():
        raise InvalidArgumentError(argument, "must not be empty")
    if len(value) > MAX_NAME_LENGTH:
        raise InvalidArgumentError(argument, f"is longer than {MAX_NAME_LENGTH} characters")
    if value in {".", ".."}:
        raise InvalidArgumentError(argument, "must not be a path step ('.' or '..')")
    # What is printable has no such character. Each negotiation asks, and nearly every name is.
    if not value.isprintable():
        _check_characters(argument, value)
    return value


def _check_characters(argument: str, value: str) -> None:
    if _CONTROL.search(value):
        raise InvalidArgumentError(argument, "contains a control character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(argument, "contains half of a surrogate pair") from None


def check_user_id(argument: str, value: str) -> str:
    """Return the user id of a connection unchanged.

    The service takes any text in a client token; but a connection whose user no operation can name
    would be there in vain.

    Args:
        argument: What the user id is called in the error.
        value: The user id.

    Raises:
        InvalidArgumentError: As `check_name`.
    """
    try:
        return check_name(argument, value)
    except InvalidArgumentError as error:
        problem = f"{error.problem}: nothing could be sent to this user"
        raise InvalidArgumentError(argument, problem) from None


def hub_path(hub: str) -> dict[str, str]:
    """Return what stands for `{hub}` in a path.

    Raises:
        InvalidArgumentError: As `check_hub`.
    """
    return {"hub": check_hub(hub)}


def group_path(hub: str, group: str) -> dict[str, str]:
    """Return what stands for the names in a group's path; raises as `check_name`."""
    return {"hub": check_hub(hub), "group": check_name("group", group)}


def user_path(hub: str, user_id: str) -> dict[str, str]:
    """Return what stands for the names in a user's path; raises as `check_name`."""
    return {"hub": check_hub(hub), "user": check_name("user_id", user_id)}


def connection_path(hub: str, connection_id: str) -> dict[str, str]:
    """Return what stands for the names in a connection's path; raises as `check_name`."""
    return {"hub": check_hub(hub), "connection": check_name("connection_id", connection_id)}


def check_excluded(connection_ids: Iterable[str]) -> list[str]:
    """Return the ids of connections that are left out; raises as `check_name`."""
    return [check_name("excluded", each) for each in connection_ids]
