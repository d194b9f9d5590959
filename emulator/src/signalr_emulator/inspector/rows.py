"""What happened as rows: short enough to send all of them to a page."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from ..documents.json_text import Json
from ..service_protocol.messages import AccessKeyRequest
from ..state.journal import Happening, Request, SentMessage, ServerRequest
from ..upstream.messages import MESSAGES
from ..upstream.sender import UpstreamCall
from .redaction import redacted

__all__ = ["row"]

_LONGEST: Final = 200
"""How much of a name is shown in a row, in characters."""

_MOST_MESSAGES: Final = 3
"""Messages of one request that its row names."""

type Row = dict[str, Json]


def row(number: int, happening: Happening) -> Row:
    """Give what happened in one line.

    Returns:
        `id`, `time` (epoch seconds of the emulator's clock), `kinds` by which it is found
        (`request`, `client`, `message`, `upstream`, `server`), `hub` or None, `title`, `note`,
        `outcome` as a short text, and `failed`.
    """
    return {"id": number, **_ROWS[type(happening)](happening)}


def _of_request(request: Request) -> Row:
    kinds: list[Json] = ["client" if request.path.startswith("/client") else "request"]
    if request.path.startswith("/server"):
        kinds.append("server")
    if request.messages:
        kinds.append("message")
    said = [_said(each) for each in request.messages[:_MOST_MESSAGES]]
    if len(request.messages) > _MOST_MESSAGES:
        said.append(f"and {len(request.messages) - _MOST_MESSAGES} more messages")
    failed = request.status >= HTTPStatus.BAD_REQUEST and not _is_question(request)
    return {
        "time": request.time,
        "kinds": kinds,
        "hub": request.hub,
        "title": f"{request.method} {_short(request.path)}",
        "note": "; ".join(said) or (request.operation or ""),
        "outcome": str(request.status),
        "failed": failed,
    }


def _is_question(request: Request) -> bool:
    """Tell whether a 404 is the answer to a question, as that whether somebody is there."""
    return request.status == HTTPStatus.NOT_FOUND and (request.operation or "").endswith("Exists")


def _of_message(message: SentMessage) -> Row:
    by = "an app server" if message.sender == "server" else "this page or a test"
    return {
        "time": message.time,
        "kinds": ["message", "server"] if message.sender == "server" else ["message"],
        "hub": message.hub,
        "title": _said(message),
        "note": f"sent by {by}",
        "outcome": "sent" if message.connections else "nobody",
        "failed": False,
    }


def _of_server(asked: ServerRequest) -> Row:
    return {
        "time": asked.time,
        "kinds": ["server"],
        "hub": asked.hub,
        # The token of a request for a key is left out by the message itself.
        "title": _short(repr(asked.message)),
        "note": asked.error or f"by {_short(asked.server_id)}",
        "outcome": "refused" if asked.error else "done",
        "failed": asked.error is not None and not isinstance(asked.message, AccessKeyRequest),
    }


def _of_upstream(call: UpstreamCall) -> Row:
    who = f"user {call.user_id}" if call.user_id else f"connection {call.connection_id}"
    does = "calls" if call.category == MESSAGES else "is"
    refusal = call.refusal()
    said = refusal or (f"POST {call.url}" if call.url else call.error or "")
    return {
        "time": call.at,
        "kinds": ["upstream"],
        "hub": call.hub,
        "title": _short(f"{who} {does} {call.event}"),
        "note": _short(redacted(said)),
        # The upstream says 200 also where the method failed: its error is in the body.
        "outcome": "failed" if refusal is not None else str(call.status or "no answer"),
        "failed": call.error is not None or refusal is not None,
    }


_ROWS: Final[Mapping[type, Callable[..., Row]]] = {
    Request: _of_request,
    SentMessage: _of_message,
    ServerRequest: _of_server,
    UpstreamCall: _of_upstream,
}


def _said(message: SentMessage) -> str:
    count = message.connections
    return _short(
        f"{message.target} to {message.recipients}"
        f" ({count} {'connection' if count == 1 else 'connections'})"
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
