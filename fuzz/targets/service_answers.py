"""What the service answers the app."""

import contextlib
import math
from collections.abc import Iterable
from typing import Final

from fuzz.target import pieces, target, text
from shared.errors import SignalRError, UnexpectedResponseError
from shared.functions.problems import problem_for
from shared.identity.token import AskedToken, Token, given
from shared.keys.access_key import parse_access_key
from shared.rest.api import RestApi
from shared.service_protocol.acks import read_claims, read_group_page
from shared.service_protocol.actions import Received
from shared.service_protocol.codec import write
from shared.service_protocol.connection import ServerConnection
from shared.service_protocol.fields import FOR_EVER
from shared.service_protocol.messages import (
    AccessKeyResponse,
    Ack,
    ClientCompletion,
    HandshakeResponse,
    OpenConnection,
    Ping,
    ServiceError,
    ServiceEvent,
)
from shared.service_protocol.requests import RefreshAuth
from shared.settings.endpoint import Endpoint
from shared.transport.flow import (
    Effect,
    EffectResult,
    Flow,
    GetToken,
    Request,
    Response,
    Sleep,
    run,
)
from shared.transport.http1 import AnswerReader, BadAnswerError

__all__: list[str] = []


class _Unasked:
    """Where no token comes from: the script gives it."""

    def ask(self, url: str, rejected: Token | None = None) -> AskedToken:
        """Return what is at hand."""
        return given(self.get(url, rejected))

    def cached(self, url: str, rejected: Token | None = None) -> Token | None:  # noqa: ARG002  the protocol's own
        return None

    def get(self, url: str, rejected: Token | None = None) -> Token:
        raise NotImplementedError

    def after_fork(self) -> None:
        raise NotImplementedError


_SERVICE: Final = RestApi(
    Endpoint("https://contoso.service.signalr.net"), _Unasked(), clock=lambda: 1_700_000_000.0
)
_WELCOME: Final = write(HandshakeResponse(error="", connection_id="id"))
_HEADERS: Final = ("Retry-After", "x-ms-error-code", "x-ms-request-id")


@target(b'{"AccessKey": "c2VjcmV0c2VjcmV0c2VjcmV0", "KeyId": "1"}')
def access_key(data: bytes) -> None:
    """An answer of the auth API is a key or refused, and never repeated."""
    try:
        parse_access_key(data, obtained_at=0.0)
    except UnexpectedResponseError as error:
        assert "c2VjcmV0" not in str(error)


@target(
    b"\xc8\n5\n\n\n{}",
    b'\xc8\n\n\n\n{"value": [{"connectionId": "c", "userId": "u"}], "nextLink": "https://x/?a=b"}',
    b'\xc8\n\n\n\n{"token": "t"}',
    b'\xc8\n\n\n\n{"result": 1}',
    b"\x94\n\nwarning.connection.notexisted\n\n",
    b"\xad\nTue, 14 Nov 2023 22:13:20 GMT\n\n1\n",
    b"\xf7\n99\n\n\n",
    b"\x91\n\n\n\n",
)
def rest_answer(data: bytes) -> None:
    """An answer of the REST API is used, or becomes an error of which a caller can be told."""
    head, *lines = data.split(b"\n", 4)
    status = 200 + (head[0] if head else 0)
    *headers, body = [*lines, *[b""] * (4 - len(lines))]
    named = dict(zip(_HEADERS, map(text, headers), strict=True))
    answer = Response(status, named, body)
    flows: tuple[Flow[object], ...] = (
        _SERVICE.access_key(),
        _SERVICE.connection_page("chat", "g"),
        _SERVICE.connection_page("chat", "g", text(body)),
        _SERVICE.generate_client_token("chat"),
        _SERVICE.invoke_connection("chat", "c", "t"),
        _SERVICE.connection_exists("chat", "c"),
        _SERVICE.send_to_all("chat", "t"),
    )
    for flow in flows:
        try:
            run(flow, lambda effect: _scripted(effect, answer))
        except SignalRError as error:
            problem_for(error).response()


@target(
    b"\x02HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    b"\x05HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    b"\x01HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\na",
    b"\x00HTTP/1.0 200 OK\r\n\r\nuntil the end",
)
def http_answer(data: bytes) -> None:
    """What answers a request is the same answer or none, however it is cut."""
    whole, cut = pieces(data)
    assert _read([whole]) == _read(cut)


def _read(received: Iterable[bytes]) -> tuple[int, dict[str, str], bytes] | None:
    reader = AnswerReader("POST", math.inf)
    try:
        answers = (reader.feed(piece) for piece in received if piece)
        answer = next((each for each in answers if each is not None), None) or reader.end()
    except BadAnswerError:
        return None
    return answer.status, dict(answer.headers), answer.body


@target(
    *(
        b"\x03" + _WELCOME + write(message)
        for message in (
            Ack(ack_id=1, status=1, payload=b"\x92\x91\x92\xa1c\xc0\xc0"),
            Ping(texts=("echo", "1", "status", "1", "capacity", "1000")),
            AccessKeyResponse(key_id="k", access_key="c2VjcmV0"),
            ClientCompletion("i", "c", "s", "json", b'{"type":3}\x1e'),
            ServiceEvent(object_type=4, id="i", kind=3, message="slower"),
            ServiceError(error="out of order"),
            OpenConnection("c", (("role", "a"), ("role", "b")), (("Host", ("h",)),)),
            RefreshAuth("t", (("role", "a"),), FOR_EVER),
        )
    ),
    b"\x00" + _WELCOME + b"\xff\xff\xff\xff\x07",
)
def server_connection(data: bytes) -> None:
    """What comes by a server connection is taken, skipped or the end, however it is cut."""
    whole, cut = pieces(data)
    at_once, in_pieces = (ServerConnection("c2VjcmV0", 0.0) for _ in range(2))
    done = at_once.received(whole, 1.0)
    done_in_pieces = [action for piece in cut for action in in_pieces.received(piece, 1.0)]
    assert repr(done) == repr(done_in_pieces)
    assert "c2VjcmV0" not in repr(done)
    for action in done:
        if isinstance(action, Received) and isinstance(action.message, Ack):
            for read in (read_claims, read_group_page):
                with contextlib.suppress(UnexpectedResponseError):
                    read(action.message.payload or b"")


def _scripted(effect: Effect, answer: Response) -> EffectResult:
    match effect:
        case GetToken():
            return Token("e30.e30.sig", 1e12)
        case Request():
            return answer
        case Sleep():
            return None
        case _:
            raise AssertionError(effect)
