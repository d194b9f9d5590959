"""What the service answers the app."""

from typing import Final

from fuzz.target import target, text
from shared.errors import SignalRError, UnexpectedResponseError
from shared.functions.problems import problem_for
from shared.identity.token import AskedToken, Token, given
from shared.keys.access_key import parse_access_key
from shared.rest.api import RestApi
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

__all__: list[str] = []


class _Unasked:
    """Where no token comes from: the script gives it."""

    def ask(self, url: str, rejected: Token | None = None) -> AskedToken:
        """Return what is at hand."""
        return given(self.get(url, rejected))

    def cached(self, url: str, rejected: Token | None = None) -> Token | None:
        raise NotImplementedError

    def get(self, url: str, rejected: Token | None = None) -> Token:
        raise NotImplementedError

    def after_fork(self) -> None:
        raise NotImplementedError


_SERVICE: Final = RestApi(
    Endpoint("https://contoso.service.signalr.net"), _Unasked(), clock=lambda: 1_700_000_000.0
)
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
