"""Checks of what a REST request carries: names in the path, API version, payload of a message.

Source: swagger of the REST data plane, 2024-12-01 (patterns, lengths, PayloadMessage).
"""

import re

from signalr_emulator.errors import InvalidRequestError, JsonError
from signalr_emulator.hub_protocol import Invocation
from signalr_emulator.json_text import Json, decode
from signalr_emulator.operations import Operation

__all__ = ["MAX_BODY_BYTES", "check_api_version", "effective_hub", "group_name", "parse_payload"]

MAX_BODY_BYTES = 1024 * 1024
"""The largest body of a REST request, in bytes."""

_HUB = re.compile(r"[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}")
_MAX_GROUP_LENGTH = 1024


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
    """Check the name of a group: 1 to 1,024 characters that are not all white space.

    Raises:
        InvalidRequestError: The name is not acceptable.
    """
    if not group.strip() or len(group) > _MAX_GROUP_LENGTH:
        raise InvalidRequestError(
            f"The name of a group has 1 to {_MAX_GROUP_LENGTH} characters, not only white space.",
            target="group",
        )
    return group


def parse_payload(body: bytes) -> Invocation:
    """Parse a PayloadMessage: `target` and `arguments`, in any case, and nothing else.

    Absent arguments are no arguments.

    Raises:
        InvalidRequestError: The body is something else.
    """
    fields = _payload_fields(body)
    for name in fields:
        if name not in {"target", "arguments"}:
            raise InvalidRequestError("The payload has an unknown property.", target=name)
    target = fields.get("target")
    if not isinstance(target, str) or not target:
        raise InvalidRequestError(
            "The target has to be a string that is not empty.", target="target"
        )
    arguments = fields.get("arguments")
    if arguments is None:
        return Invocation(target, ())
    if not isinstance(arguments, list):
        raise InvalidRequestError("The arguments have to be an array.", target="arguments")
    return Invocation(target, tuple(arguments))


def _check_hub(name: str, parameter: str) -> None:
    if _HUB.fullmatch(name) is None:
        raise InvalidRequestError(
            f"The name of the {parameter} has to begin with a letter, followed by at most 127"
            " letters, digits and characters of _`,.[]",
            target=parameter,
        )


def _payload_fields(body: bytes) -> dict[str, Json]:
    try:
        value = decode(body)
    except JsonError as error:
        raise InvalidRequestError(f"The payload {error}.") from error
    if not isinstance(value, dict):
        raise InvalidRequestError("The payload has to be a JSON object.")
    return {name.lower(): item for name, item in value.items()}
