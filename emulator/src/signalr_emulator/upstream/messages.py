"""What goes to an upstream and what its response means to the client, without I/O.

Sources: "Upstream endpoints in Azure SignalR Service" (headers, signature, bodies); the official
emulator (what happens with a response).
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from ..documents.json_text import encode
from ..protocols.messages import Completion

__all__ = [
    "CONNECTIONS",
    "MAX_RESPONSE_BYTES",
    "MESSAGES",
    "Answer",
    "UpstreamClient",
    "UpstreamEvent",
    "answer",
    "connected",
    "disconnected",
    "headers",
    "invoked",
    "signature",
]

CONNECTIONS = "connections"
MESSAGES = "messages"

MAX_RESPONSE_BYTES = 16 * 1024 * 1024
"""The longest response that is handed to a client, in bytes."""

_CONNECTED_TYPE = 10
_DISCONNECTED_TYPE = 11
_JSON = "application/json"
_CONTENT_TYPES = {"json": _JSON, "messagepack": "application/x-msgpack"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class UpstreamClient:
    """What an upstream learns of a client.

    Attributes:
        connection_id: Id that is unique within the service.
        hub: Name of the hub, in lower case.
        user_id: Who it is; None or empty for nobody that an upstream is told of.
        claims: Types and values of the claims, in the order of the client token.
        query: Query of the request that connected, as it may be shown, without the question mark.
    """

    connection_id: str
    hub: str
    user_id: str | None = None
    claims: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class UpstreamEvent:
    """One request to an upstream, before it is known which."""

    category: str
    event: str
    content_type: str
    body: bytes = field(repr=False)


type Answer = bytes | Completion
"""What an invocation gives the client: bytes as they are, or a message yet to be encoded."""


def connected() -> UpstreamEvent:
    """Make the event of a client that has shaken hands."""
    return UpstreamEvent(CONNECTIONS, "connected", _JSON, encode({"type": _CONNECTED_TYPE}))


def disconnected(error: str | None) -> UpstreamEvent:
    """Make the event of a client that is gone.

    Args:
        error: Why, or None for an orderly end.
    """
    reason = {} if error is None else {"error": error}
    return UpstreamEvent(
        CONNECTIONS, "disconnected", _JSON, encode({"type": _DISCONNECTED_TYPE, **reason})
    )


def invoked(protocol: str, target: str, record: bytes) -> UpstreamEvent:
    """Make the event of a method that a client calls.

    Args:
        protocol: The client's hub protocol.
        target: Name of the method.
        record: The call in this protocol, without separator or length prefix.
    """
    return UpstreamEvent(MESSAGES, target, _CONTENT_TYPES[protocol], record)


def signature(connection_id: str, keys: Sequence[str]) -> str:
    """Sign a connection id with each access key; what is given has commas in between."""
    return ", ".join(
        f"sha256={hmac.digest(key.encode(), connection_id.encode(), hashlib.sha256).hex()}"
        for key in keys
    )


def headers(client: UpstreamClient, event: UpstreamEvent, keys: Sequence[str]) -> dict[str, str]:
    """Give the headers of a request, `Authorization` aside.

    Args:
        client: Whose event it is.
        event: What happened.
        keys: Access keys that sign; with none there is no signature.
    """
    given = {
        "Content-Type": event.content_type,
        "X-ASRS-Connection-Id": client.connection_id,
        "X-ASRS-Hub": client.hub,
        "X-ASRS-Category": event.category,
        "X-ASRS-Event": event.event,
        "X-ASRS-User-Claims": ", ".join(f"{kind}: {value}" for kind, value in client.claims),
        "X-ASRS-Client-Query": f"?{client.query}" if client.query else "",
    }
    if client.user_id:
        given["X-ASRS-User-Id"] = client.user_id
    if keys:
        given["X-ASRS-Signature"] = signature(client.connection_id, keys)
    return {name: _header_text(value) for name, value in given.items()}


def answer(
    protocol: str, invocation_id: str | None, status: int, body: bytes | None
) -> Answer | None:
    """Give what the client gets for an upstream's response.

    Args:
        protocol: The client's hub protocol.
        invocation_id: What the client waits for, or None.
        status: HTTP status; 500 if there was no response.
        body: The response's body, or None if it was longer than `MAX_RESPONSE_BYTES`.

    Returns:
        The answer, or None if the client waits for nothing.
    """
    if invocation_id is None:
        return None
    if status == HTTPStatus.NO_CONTENT or (status == HTTPStatus.OK and body == b""):
        return Completion(invocation_id)
    if status != HTTPStatus.OK:
        return Completion(invocation_id, error=f"Invocation failed, status code {status}")
    if body is None:
        return Completion(
            invocation_id, error=f"Invocation failed, response over {MAX_RESPONSE_BYTES} bytes"
        )
    if protocol == "json" and not _is_utf_8(body):
        # A text frame that is not UTF-8 would end the client's whole connection.
        return Completion(invocation_id, error="Invocation failed, response is not UTF-8 text")
    return body


def _header_text(value: str) -> str:
    """Make any text fit for a header: control characters are percent-encoded."""
    text = _CONTROL.sub(lambda found: f"%{ord(found[0]):02X}", value)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
