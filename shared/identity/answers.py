"""What is kept of the answer to a token request: what may be told, which no token is."""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

__all__ = ["Answer", "Assertion", "TokenRequest", "one_line", "read_answer"]

_LONGEST: Final = 200
"""Most characters of a text that others wrote."""

_SHORTEST_SECRET: Final = 6
"""Fewer characters guard nothing, and hiding them would hide half of a text."""

# Compiled when they are first used: never in a start that goes well.
_JWT: Final = r"eyJ[\w-]*(?:\.[\w-]*){0,4}"
"""A JSON Web Token, or the beginning of one: `{"` in Base64."""

_TITLE: Final = r"(?i)<title[^>]*>([^<]*)"


class Answer(NamedTuple):
    """What may be told of an answer.

    Args:
        status: HTTP status.
        form: What the body is: `JSON`, `HTML`, `text` or `nothing`.
        message: The endpoint's own message, in one line.
        lacks: What a token lacks in an answer of success, or "".
    """

    status: int
    form: str
    message: str = ""
    lacks: str = ""


class TokenRequest(NamedTuple):
    """A request that a credential has made.

    Args:
        url: Where it went, without its query.
        answer: What came back, or `None` for nothing.
    """

    url: str
    answer: Answer | None = None


class Assertion(NamedTuple):
    """What may be told of a managed identity's token that stands for an app registration.

    Args:
        issuer: Its `iss`: the identity's tenant.
        subject: Its `sub`: object id of the identity.
        audience: What it was asked for; its `aud` may be another name of the same.
    """

    issuer: str
    subject: str
    audience: str


def read_answer(status: int, content_type: str, body: str, secrets: Iterable[str] = ()) -> Answer:
    """Take from an answer what may be told.

    Args:
        status: HTTP status.
        content_type: Its `Content-Type`.
        body: Its body.
        secrets: What must not be told, should the answer repeat it.
    """
    text = body.strip()
    if not text:
        return Answer(status, "nothing")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    failed = status >= HTTPStatus.BAD_REQUEST
    if isinstance(document, dict):
        lacks = "" if failed else _lacks(document)
        return Answer(status, "JSON", one_line(_message(document), secrets), lacks)
    if text.startswith("<") or "html" in content_type.lower():
        title = re.search(_TITLE, text)
        return Answer(status, "HTML", one_line(title[1] if title else "", secrets))
    # An answer of success may be a token without its frame.
    return Answer(status, "text", one_line(text, secrets) if failed else "")


def one_line(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text that others wrote without secrets and control characters, and not too long.

    Args:
        text: The text.
        secrets: What must not be told.
    """
    if not text:
        return ""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[hidden]")
    text = "".join(each if each.isprintable() else " " for each in re.sub(_JWT, "[hidden]", text))
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _lacks(document: Mapping[str, object]) -> str:
    if not document.get("access_token"):
        return "no access_token"
    ends = document.get("expires_on") or document.get("expires_in")
    if not ends:
        return "no expires_on"
    return "" if str(ends).isdecimal() else "an expires_on that is no number of seconds"


def _message(document: Mapping[str, object]) -> str:
    """Return an endpoint's own message: of App Service, of OAuth 2, or of Azure's error objects."""
    inner = document.get("error")
    where = inner if isinstance(inner, dict) else document
    found = (where.get(name) for name in ("error_description", "message", "error", "code"))
    return next((each for each in found if isinstance(each, str) and each), "")
