"""Checks of what the URL of a REST request carries: names in the path, API version, parameters.

Source: swagger of the REST data plane, 2024-12-01 (patterns, lengths).
"""

import re
from functools import lru_cache

from ..errors import InvalidRequestError
from .table import Operation

__all__ = [
    "MAX_BODY_BYTES",
    "check_api_version",
    "effective_hub",
    "group_name",
    "integer",
    "is_true",
    "stream_id",
    "user_name",
]

MAX_BODY_BYTES = 1024 * 1024
"""The largest body of a REST request, in bytes."""

_HUB = re.compile(r"[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}")

_NAME = re.compile(r"(?!\s+\Z)[^\n\r\u2028\u2029]+")
"""The swagger's pattern, in which a dot stands for anything but an end of line (ECMA-262)."""

_MAX_GROUP_LENGTH = 1024
_MAX_USER_LENGTH = 1024
_MAX_STREAM_LENGTH = 100
_MAX_INT32 = 2**31 - 1
_INTEGER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


def check_api_version(operation: Operation, api_version: str | None) -> None:
    """Check the `api-version` parameter.

    Raises:
        InvalidRequestError: It is missing, or the operation is not part of that version.
    """
    accepted = operation.api_versions
    if not accepted or api_version in accepted:
        return
    problem = "is missing" if api_version is None else "is not supported by this operation"
    raise InvalidRequestError(
        f"The parameter api-version {problem}. Supported: {', '.join(accepted)}.",
        target="api-version",
    )


# A call asks for it where it acts and where it notes what it did.
@lru_cache(maxsize=256)
def effective_hub(hub: str, application: str | None = None) -> str:
    """Give the name under which a hub is kept: lower case, after its application's name.

    Raises:
        InvalidRequestError: One of the names is not acceptable.
    """
    _check_hub(hub, "hub")
    if application is None:
        return hub.lower()
    _check_hub(application, "application")
    return f"{application}_{hub}".lower()


def group_name(group: str) -> str:
    """Check the name of a group: 1 to 1,024 characters in one line that are not all white space.

    Raises:
        InvalidRequestError: The name is not acceptable.
    """
    _check_name("The name of a group", group, _MAX_GROUP_LENGTH, "group")
    return group


def user_name(user: str) -> str:
    """Check the name of a user whose connections are closed: 1 to 1,024 characters.

    Raises:
        InvalidRequestError: The name is not acceptable.
    """
    if not 1 <= len(user) <= _MAX_USER_LENGTH:
        raise InvalidRequestError(
            f"The name of a user has 1 to {_MAX_USER_LENGTH} characters.", target="user"
        )
    return user


def stream_id(stream: str) -> str:
    """Check the id of a stream: 1 to 100 characters in one line that are not all white space.

    Raises:
        InvalidRequestError: The id is not acceptable.
    """
    _check_name("The id of a stream", stream, _MAX_STREAM_LENGTH, "streamId")
    return stream


def integer(text: str, name: str, *, minimum: int, maximum: int = _MAX_INT32) -> int:
    """Parse a parameter that is an integer.

    Args:
        text: What was sent.
        name: The parameter.
        minimum: The smallest acceptable value.
        maximum: The largest acceptable value.

    Raises:
        InvalidRequestError: The text is something else.
    """
    if _INTEGER.fullmatch(text) and minimum <= int(text) <= maximum:
        return int(text)
    raise InvalidRequestError(
        f"The parameter {name} has to be an integer from {minimum} to {maximum}.", target=name
    )


def is_true(text: str, name: str) -> bool:
    """Parse a parameter that is true or false, in any case.

    Raises:
        InvalidRequestError: The text is something else.
    """
    if text.lower() not in {"true", "false"}:
        raise InvalidRequestError(f"The parameter {name} has to be true or false.", target=name)
    return text.lower() == "true"


def _check_name(what: str, name: str, longest: int, parameter: str) -> None:
    if len(name) > longest or _NAME.fullmatch(name) is None:
        raise InvalidRequestError(
            f"{what} has 1 to {longest} characters in one line, not only white space.",
            target=parameter,
        )


def _check_hub(name: str, parameter: str) -> None:
    if _HUB.fullmatch(name) is None:
        raise InvalidRequestError(
            f"The name of the {parameter} has to begin with a letter, followed by at most 127"
            " letters, digits and characters of _`,.[]",
            target=parameter,
        )
