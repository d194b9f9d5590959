"""All that is known of one thing that happened: made when somebody asks, and not before."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from ..access_control.roles import RoleAssignment
from ..documents.json_text import Json
from ..protocols.json import SEPARATOR
from ..state.journal import Happening, Request, SentMessage, ServerRequest
from ..state.service import Service
from ..upstream.sender import UpstreamCall
from .reasons import reason
from .redaction import redacted, shown_body, shown_json, shown_query
from .snapshot import names

__all__ = ["details"]

type Details = dict[str, Json]


def details(service: Service, number: int, happening: Happening) -> Details:
    """Give what a person wants to know of one row, without anything secret.

    Args:
        service: Whose principals have names.
        number: Of the row.
        happening: What happened.

    Returns:
        `id`, and what there is of `request`, `answer`, `refusal`, `messages`, `upstream`, `server`.
    """
    return {"id": number, **_DETAILS[type(happening)](service, happening)}


def _of_request(service: Service, request: Request) -> Details:
    found: Details = {
        "request": {
            "resource": request.resource,
            "method": request.method,
            "path": request.path,
            "query": shown_query(request.query),
            "hub": request.hub,
            "operation": request.operation,
            "apiVersion": next(iter(parse_qs(request.query).get("api-version", [])), None),
            "dataAction": request.data_action,
            "principalId": request.principal_id,
            "principal": names(service).get(request.principal_id or ""),
            "allowedBy": _assignment(request.allowed_by),
            "contentType": request.content_type,
            "body": shown_body(request.body, request.content_type),
            "bodySize": request.body_size,
            "disturbed": request.is_disturbed,
        },
        "answer": {
            "status": request.status,
            "phrase": _phrase(request.status),
            "body": redacted(request.answer.decode(errors="replace")),
        },
    }
    if request.messages:
        found["messages"] = [_message(each) for each in request.messages]
    if (why := reason(service, request)) is not None:
        found["refusal"] = why
    return found


def _of_message(_service: Service, message: SentMessage) -> Details:
    return {"messages": [_message(message)]}


def _of_server(_service: Service, asked: ServerRequest) -> Details:
    return {
        "server": {
            "resource": asked.resource,
            "hub": asked.hub,
            "serverId": asked.server_id,
            "connectionId": asked.connection_id,
            "message": repr(asked.message),
            "error": asked.error,
        }
    }


def _of_upstream(_service: Service, call: UpstreamCall) -> Details:
    return {
        "upstream": {
            "hub": call.hub,
            "category": call.category,
            "event": call.event,
            "connectionId": call.connection_id,
            "userId": call.user_id,
            "arguments": shown_json(call.arguments()) if call.invocation else None,
            "url": call.url or None,
            "status": call.status,
            "error": call.error or redacted(call.refusal() or "") or None,
            "duration": call.duration,
            # Without what separates the records of hub protocols in JSON, which has no glyph.
            "answer": shown_body(call.answer.removesuffix(SEPARATOR), None),
        }
    }


_DETAILS: Final[Mapping[type, Callable[..., Details]]] = {
    Request: _of_request,
    SentMessage: _of_message,
    ServerRequest: _of_server,
    UpstreamCall: _of_upstream,
}


def _message(message: SentMessage) -> Details:
    return {
        "resource": message.resource,
        "sender": message.sender,
        "hub": message.hub,
        "target": message.target,
        "arguments": shown_json(message.arguments()),
        "recipients": str(message.recipients),
        "excluded": [*sorted(message.recipients.excluded)],
        "excludedUsers": [*sorted(message.recipients.excluded_users)],
        "connections": message.connections,
        "unserved": message.unserved,
        "tracingId": message.tracing_id,
    }


def _assignment(assignment: RoleAssignment | None) -> Json:
    if assignment is None:
        return None
    return {"role": assignment.role.name, "scope": assignment.scope}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
