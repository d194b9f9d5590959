"""The `filter` of `:execute`: which connections its commands are for.

Source: swagger of the REST data plane, 2023-07-01, names OData syntax and no fields. The fields are
those of Azure Web PubSub's filter: `userId`, `connectionId` and `groups`.

    userId eq 'ann' and not ('admins' in groups or connectionId eq 'x') and userId ne null
"""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from ..errors import InvalidRequestError

__all__ = ["Candidate", "Filter", "parse_filter"]

_TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<word>[A-Za-z]+)|(?P<mark>[()]))")
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a filter looks at: one connection."""

    connection_id: str
    user_id: str | None
    groups: AbstractSet[str]


type Filter = Callable[[Candidate], bool]

_FIELDS: dict[str, Callable[[Candidate], str | None]] = {
    "userid": lambda candidate: candidate.user_id,
    "connectionid": lambda candidate: candidate.connection_id,
}


def parse_filter(text: str | None) -> Filter:
    """Parse a filter.

    Args:
        text: The expression; None or white space lets every connection through.

    Raises:
        InvalidRequestError: The expression is not understood.
    """
    if text is None or not text.strip():
        return lambda _candidate: True
    parser = _Parser(_tokens(text))
    parsed = parser.alternatives(0)
    parser.expect(_Kind.END)
    return parsed


class _Kind(Enum):
    STRING = "string"
    WORD = "word"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str


def _tokens(text: str) -> list[_Token]:
    tokens = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _wrong(f"has an unexpected character at position {position}")
        kind = _Kind(match.lastgroup)
        token = match[match.lastgroup]
        if kind is _Kind.STRING:
            token = token[1:-1].replace("''", "'")
        tokens.append(_Token(kind, token))
        position = match.end()
    return [*tokens, _Token(_Kind.END, "")]


class _Parser:
    """A recursive descent over the tokens; `or` binds least, `not` most."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0

    def alternatives(self, depth: int) -> Filter:
        """Parse operands of `or`."""
        parts = [self._conjunction(depth)]
        while self._take_word("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else lambda c: any(part(c) for part in parts)

    def expect(self, kind: _Kind, text: str | None = None) -> str:
        """Take the next token, which has to be of a kind."""
        token = self._tokens[self._position]
        if token.kind is not kind or (text is not None and token.text != text):
            raise _wrong("is not complete" if token.kind is _Kind.END else "is not understood")
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token.text

    def _conjunction(self, depth: int) -> Filter:
        parts = [self._factor(depth)]
        while self._take_word("and"):
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else lambda c: all(part(c) for part in parts)

    def _factor(self, depth: int) -> Filter:
        if depth > _MAX_DEPTH:
            raise _wrong("is nested too deep")
        if self._take_word("not"):
            negated = self._factor(depth + 1)
            return lambda candidate: not negated(candidate)
        token = self._tokens[self._position]
        if token.kind is _Kind.MARK:
            self.expect(_Kind.MARK, "(")
            inner = self.alternatives(depth + 1)
            self.expect(_Kind.MARK, ")")
            return inner
        return self._membership() if token.kind is _Kind.STRING else self._comparison()

    def _membership(self) -> Filter:
        group = self.expect(_Kind.STRING)
        if not self._take_word("in") or not self._take_word("groups"):
            raise _wrong("may compare a text only as in 'name' in groups")
        return lambda candidate: group in candidate.groups

    def _comparison(self) -> Filter:
        field = _FIELDS.get(self.expect(_Kind.WORD).lower())
        if field is None:
            raise _wrong("names a field other than userId, connectionId and groups")
        is_equal = self._take_word("eq")
        if not is_equal and not self._take_word("ne"):
            raise _wrong("compares with something other than eq and ne")
        value = None if self._take_word("null") else self.expect(_Kind.STRING)
        return lambda candidate: (field(candidate) == value) is is_equal

    def _take_word(self, word: str) -> bool:
        token = self._tokens[self._position]
        if token.kind is not _Kind.WORD or token.text.lower() != word:
            return False
        self._position += 1
        return True


def _wrong(problem: str) -> InvalidRequestError:
    return InvalidRequestError(f"The filter {problem}.", target="filter")
