"""HTTP/1.1 without any I/O: the bytes of a request, and an answer read from bytes as they come.

Head and body of a request are one piece, so that a message is one packet, one TLS record and one
call of the system. httptools reads answers. What it leaves to its caller is here: which answers
have no body (RFC 9110, section 6.4.1), which end with the connection (RFC 9112, section 6.3), and
which leave it fit for another request (RFC 9112, section 9.3).
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from urllib3.util import parse_url

from .flow import Request, Response

__all__ = ["AnswerReader", "BadAnswerError", "request_bytes", "split_url"]

_LARGEST_HEAD: Final = 2**18
"""Most bytes that are read before the headers of an answer end."""

_PLAIN: Final = re.compile(r"[!-~]*")
"""What needs no percent-encoding to stand in the first line of a request."""

_COMMON: Final = "User-Agent: keyless-signalr\r\n"
_IDENTITY: Final = "Accept-Encoding: identity\r\n"
"""Answers are short, and what bounds their size are the bytes that come."""

_WITHOUT_LENGTH: Final = frozenset({"GET", "HEAD", "DELETE"})
"""What says nothing of a body that it does not have (RFC 9110, section 8.6)."""


class BadAnswerError(Exception):
    """An answer that is none in HTTP/1.1, breaks off, or is larger than it may be."""


def split_url(url: str) -> tuple[str, str]:
    """Return scheme and host of a URL, and the path with the query, percent-encoded.

    Raises:
        urllib3.exceptions.LocationParseError: It is no URL.
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if slash and "?" not in host and "#" not in rest and _PLAIN.fullmatch(path):
        return f"{scheme}://{host}", f"/{path}"
    parts = parse_url(url)
    return f"{scheme}://{parts.netloc}", parts.request_uri


def request_bytes(request: Request, target: str, host: str, headers: Mapping[str, str]) -> bytes:
    """Return a request as it goes over the wire.

    Args:
        request: The request.
        target: What its first line names: path and query, or the whole URL for a proxy.
        host: Its `Host` header.
        headers: More of them, for a proxy.

    Raises:
        ValueError: A header holds a line break, or a character that is none of Latin-1.
    """
    body, named = request.body, {**headers, **request.headers}
    if body is not None or request.method not in _WITHOUT_LENGTH:
        named["Content-Length"] = str(len(body or b""))
    encoding = "" if "Accept-Encoding" in named else _IDENTITY
    start = f"{request.method} {target} HTTP/1.1\r\nHost: {host}\r\n{_COMMON}{encoding}"
    head = start + "".join([f"{name}: {value}\r\n" for name, value in named.items()])
    breaks = (4 if encoding else 3) + len(named)
    if head.count("\n") != breaks or head.count("\r") != breaks:
        # Not the value, which may be a token.
        wrong = next((name for name, value in named.items() if _breaks(name + value)), "Host")
        raise ValueError(f"The header {wrong!r} holds a line break")
    return f"{head}\r\n".encode("latin-1") + (body or b"")


def _breaks(text: str) -> bool:
    return "\r" in text or "\n" in text


class AnswerReader:
    """Reads the answer to one request. The methods that begin with `on_` are for httptools.

    Args:
        method: The request's: what answers HEAD has no body, whatever its headers say.
        largest: Most bytes of it, as they come.
    """

    __slots__ = (
        "_body",
        "_headers",
        "_is_bodiless",
        "_largest",
        "_parser",
        "_received",
        "_status",
        "answer",
        "is_last",
    )

    def __init__(self, method: str, largest: float) -> None:
        self.answer: Response | None = None
        """The answer, once it is whole."""
        self.is_last = True
        """Whether nothing more can be asked on the connection."""
        self._is_bodiless = method == "HEAD"
        self._largest = largest
        self._received = 0
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    def feed(self, data: bytes) -> Response | None:
        """Take what has come, and return the answer if it is whole.

        Raises:
            BadAnswerError: It is none, or too large.
        """
        parser = self._parser
        assert parser is not None  # noqa: S101  it is fed until there is an answer
        self._received += len(data)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:
            raise BadAnswerError("the answer changes the protocol") from None
        except HttpParserError as error:
            if self.answer is None:
                raise BadAnswerError(f"the answer is not HTTP/1.1: {error}") from error
            # Nobody has asked for what comes after it.
            self.is_last = True
        if self._received > (self._largest if self._status else _LARGEST_HEAD):
            raise BadAnswerError("the answer is too large")
        if self.answer is not None:
            # Each holds the other, and would wait for the garbage collector.
            self._parser = None
        return self.answer

    def end(self) -> Response:
        """Return the answer that is whole with the end of its connection.

        Raises:
            BadAnswerError: Something is missing.
        """
        self._parser = None
        if not self._status or _is_framed(self._headers):
            raise BadAnswerError("the connection was closed before the answer was whole")
        return self._whole()

    def on_message_begin(self) -> None:
        """Begin. After an answer that is one to nothing."""
        self.is_last = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after the head are trailers, or belongs to nobody."""
        if not self._status:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the end of the head, which ends an answer that has no body."""
        assert self._parser is not None  # noqa: S101  it calls
        if self.answer is not None:
            return
        self._status = self._parser.get_status_code()
        if self._is_bodiless and self._status >= HTTPStatus.OK:
            answer = self._whole()
            closes = answer.headers.get("Connection", "").lower() == "close"
            self.is_last = closes or self._parser.get_http_version() != "1.1"

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Take the end, after which an interim answer is forgotten (RFC 9110, section 15.2)."""
        assert self._parser is not None  # noqa: S101  it calls
        if self.answer is not None:
            return
        if self._status < HTTPStatus.OK:
            self._status = 0
            self._headers = []
            return
        self._whole()
        self.is_last = not self._parser.should_keep_alive()

    def _whole(self) -> Response:
        body = self._body
        self.answer = Response(
            self._status, _Headers(self._headers), body[0] if len(body) == 1 else b"".join(body)
        )
        return self.answer


def _is_framed(headers: list[tuple[bytes, bytes]]) -> bool:
    """Tell whether an answer says itself where it ends."""
    return any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in headers)


class _Headers(Mapping[str, str]):
    """Headers as they came, looked up in any case; most are never looked up."""

    __slots__ = ("_headers",)

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        wanted = name.lower()
        values = [
            value.decode("latin-1")
            for each, value in self._headers
            if each.decode("latin-1").lower() == wanted
        ]
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter({name.decode("latin-1").lower(): None for name, _ in self._headers})

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._headers})
