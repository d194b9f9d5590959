"""What an app sent or was answered, as text that a person may see: without keys and tokens."""

import re
from typing import Final

from ..documents.json_text import Json, encode
from ..errors import JsonError
from ..protocols.conversion import json_text

__all__ = ["redacted", "shown_body", "shown_json", "shown_query"]

_HIDDEN: Final = "[hidden]"
_LONGEST: Final = 64 * 1024
"""How much of a value is shown, in characters."""

# Strangers write what is looked through here: no pattern may begin again within what it has read.
_DOTTED = re.compile(r"(?<![\w\-])[\w\-]++(?:\.[\w\-]*+){2,}+")
_HEADER_START: Final = "eyJ"
"""How a token begins: with a JSON object in Base64."""

_ACCESS_KEY = re.compile(r"(AccessKey=)[^;\"\s]+", re.IGNORECASE)
_MEMBER = re.compile(r'("(?:[^"\\]|\\.){0,100}+"\s*+:\s*+)"(?:[^"\\]|\\.)*+"?')
_PARAMETER = re.compile(r"(?<![^&])([^&=]++=)[^&]*+")
_SECRET_NAME = re.compile(
    r"token|access_?key|secret|password|authorization|signature", re.IGNORECASE
)
_MESSAGEPACK: Final = ("application/x-msgpack", "application/octet-stream")


def redacted(text: str) -> str:
    """Take out of JSON, or of other text, what somebody could use.

    That are tokens and access keys wherever they are, and the strings of members whose name says
    that they are secret.
    """
    text = _MEMBER.sub(lambda found: _hidden(found, f'"{_HIDDEN}"'), text)
    text = _ACCESS_KEY.sub(rf"\g<1>{_HIDDEN}", text)
    return _DOTTED.sub(lambda found: _HIDDEN if _HEADER_START in found[0] else found[0], text)


def shown_json(value: Json) -> str:
    """Give a JSON value as text, or the start of one that is long."""
    try:
        text = encode(value).decode()
    except JsonError:
        return ""
    return redacted(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def shown_query(query: str) -> str:
    """Give the query of a URL."""
    return redacted(_PARAMETER.sub(lambda found: _hidden(found, _HIDDEN), query))


def shown_body(body: bytes, content_type: str | None) -> str:
    """Give a body, or the start of one, as text; MessagePack as JSON where it has that form."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type in _MESSAGEPACK:
        try:
            return redacted(json_text(body, "replace").decode())
        except (JsonError, ValueError):
            return f"{len(body)} bytes of {media_type}"
    return redacted(body.decode(errors="replace"))


def _hidden(found: re.Match[str], instead: str) -> str:
    return f"{found[1]}{instead}" if _SECRET_NAME.search(found[1]) else found[0]
