"""Executes operations of the table with one endpoint of the service, without any I/O.

A token, the request, repetition where it does no harm, and errors that say what to mend.
"""

import functools
import json
import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from ..errors import (
    AuthenticationError,
    ConnectionNotFoundError,
    ConnectionUserMismatchError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
    UnexpectedResponseError,
)
from ..identity.token import Token, TokenSource
from ..settings.endpoint import Endpoint
from ..settings.names import prefixed_hub
from ..telemetry import ENDPOINT, HUB, OPERATION, REQUEST_ID, STATUS, TRACING_ID
from ..transport.flow import (
    REQUEST_ID_HEADER,
    TRACING_ID_HEADER,
    Flow,
    GetToken,
    NoAnswerError,
    Request,
    Response,
    Sleep,
    request_id,
)
from .operations import Operation
from .retry import RetryPolicy, is_transient, retry_after

if TYPE_CHECKING:
    from ..bodies.content import Content

__all__ = ["TRACING_ID_BITS", "Exchange", "is_success", "operation_url", "read_object"]

_logger = logging.getLogger(__name__)

_USER_MISMATCH: Final = "connectionusermismatch"
TRACING_ID_BITS: Final = 60
"""As many as the SDK for .NET has (`MessageWithTracingIdHelper`), of the 63 of the log's column."""
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]*")
"""What stands for itself in a path (RFC 3986, section 2.3)."""

_SHORT_PATIENCE: Final = 2.0
"""Seconds that an endpoint which is down has for an answer."""

type QueryValue = str | int | Iterable[str] | None


class Exchange:
    """Executes operations with one endpoint.

    Args:
        endpoint: The service instance.
        tokens: Proves who is asking.
        application: Name in lower case of the application whose hubs they are, or "" for none.
        message_tracing: Whether what is sent to a hub gets a name in the service's messaging logs.
        policy: Bounds of repetition.
        healthy: Whether the endpoint answers its health check. A request to one that does not is
            made once and waits two seconds, so that callers are not kept waiting for what is down.
        clock: Current time in epoch seconds, by which the service means a `Retry-After`.
        steady: Current time in seconds of a clock that is never set, for how long it takes.
        jitter: Random numbers from 0 to 1 that spread repeated requests in time.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        tokens: TokenSource,
        *,
        application: str = "",
        message_tracing: bool = False,
        policy: RetryPolicy | None = None,
        healthy: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self.steady = steady
        self._tokens = tokens
        self._application = application
        self._message_tracing = message_tracing
        self._healthy = healthy
        self._policy = policy or RetryPolicy()
        self._jitter = jitter

    def call(
        self,
        operation: Operation,
        names: Mapping[str, str],
        *,
        query: Mapping[str, QueryValue] | None = None,
        content: "Content | None" = None,
        sending: Callable[[], None] = lambda: None,
    ) -> Flow[Response]:
        """Do an operation.

        Args:
            operation: A row of the table.
            names: What the braces of its path stand for.
            query: Values of its query parameters; those that are `None` are left out.
            content: Its body.
            sending: Is called just before each request.

        Returns:
            The answer of success, any 2xx, or the 404 that says that there is no such thing.

        Raises:
            ConnectionNotFoundError: The operation needs a connection, and there is none.
            AuthenticationError: No Entra token, or the service does not accept it.
            PermissionDeniedError: The principal lacks a role, or network rules refuse.
            ServiceUnavailableError: No answer, or the service asks to come back later.
            UnexpectedResponseError: Any other answer.
        """
        placed, query = self._in_application(operation, names, query or {})
        url = operation_url(self.endpoint, operation, placed, query)
        shown_url = _shown_url(self.endpoint.server_url, operation.path, placed.get("hub", ""))
        headers = self._headers(names.get("hub", ""), content)
        began = self.steady()
        rejected: Token | None = None
        attempt = 0
        while True:
            token = yield from self._token(url, rejected)
            request = Request(
                operation.method,
                url,
                {"Authorization": f"Bearer {token.value}", **headers},
                None if content is None else content.body,
                operation.name,
                self.endpoint.name,
                names.get("hub", ""),
                shown_url,
                None if self._healthy() else _SHORT_PATIENCE,
            )
            sending()
            outcome = yield from _answered(request)
            if _logger.isEnabledFor(logging.DEBUG):
                _log_outcome(request, outcome)
            if isinstance(outcome, Response) and _is_answer(outcome, operation):
                if TRACING_ID_HEADER in request.headers:
                    _log_traced(request, outcome)
                self._check_connection(operation, names, outcome)
                return outcome
            if _is_unauthorized(outcome) and rejected is None:
                # A token can be withdrawn before its end. A new one is tried once, at once.
                rejected = token
                continue
            attempt += 1
            delay = self._policy.delay(
                outcome,
                operation.repeatable,
                attempt=attempt,
                elapsed=self.steady() - began,
                now=self.clock(),
                jitter=self._jitter(),
            )
            if delay is None or not self._healthy():
                raise self._error(operation, request, outcome, token)
            yield Sleep(delay)

    def _token(self, url: str, rejected: Token | None) -> Flow[Token]:
        token = self._tokens.cached(url, rejected)
        if token is not None:
            return token
        given = yield GetToken(self._tokens, url, rejected)
        assert isinstance(given, Token)  # noqa: S101  the answer to this effect
        return given

    def _in_application(
        self, operation: Operation, names: Mapping[str, str], query: Mapping[str, QueryValue]
    ) -> tuple[Mapping[str, str], Mapping[str, QueryValue]]:
        """Return what makes an operation one of the application's own hub.

        To the service that hub is `{application}_{hub}`, whichever way it is told: the parameter
        `application` does no more. `:generateToken` and `:execute` have no such parameter in the
        service's OpenAPI files (V20221101, V20230701), and so get the whole name in the path.
        """
        if not self._application or "hub" not in names:
            return names, query
        if operation.takes_application:
            return names, {**query, "application": self._application}
        return {**names, "hub": prefixed_hub(self._application, names["hub"])}, query

    def _check_connection(
        self, operation: Operation, names: Mapping[str, str], answer: Response
    ) -> None:
        if operation.needs_connection and not is_success(answer):
            # A connection that is named by its secret token is not named here.
            named = f" {names['connection']!r}" if "connection" in names else ""
            raise ConnectionNotFoundError(
                f"There is no connection{named or ' with this connection token'}",
                endpoint=self.endpoint.name,
                hub=names["hub"],
            )

    def _headers(self, hub: str, content: "Content | None") -> dict[str, str]:
        """Return the headers of a request, but for what proves who is asking."""
        # It names a request and guards nothing: a tenth of what the system's randomness costs.
        headers = {REQUEST_ID_HEADER: f"{random.getrandbits(128):032x}"}
        if self._message_tracing and hub:
            headers[TRACING_ID_HEADER] = str(random.getrandbits(TRACING_ID_BITS))
        if content is not None:
            headers["Content-Type"] = content.media_type
        return headers

    def _error(
        self,
        operation: Operation,
        request: Request,
        outcome: Response | NoAnswerError,
        token: Token,
    ) -> ServiceError:
        asked = f"{request.method} {request.url.partition('?')[0]}"
        if isinstance(outcome, NoAnswerError):
            return ServiceUnavailableError(
                f"No answer to {asked}: {outcome}",
                endpoint=request.endpoint,
                hub=request.hub,
                request_id=request_id(request),
                tracing_id=request.headers.get(TRACING_ID_HEADER),
            )
        status = outcome.status
        code = _code(outcome)
        kind, problem = self._problem(operation, outcome, token)
        return kind(
            f"{status} to {asked}" + (f" ({code})" if code else "") + problem,
            endpoint=request.endpoint,
            hub=request.hub,
            status=status,
            code=code,
            request_id=request_id(request, outcome),
            retry_after=retry_after(outcome, self.clock()),
            tracing_id=request.headers.get(TRACING_ID_HEADER),
        )

    def _problem(
        self, operation: Operation, outcome: Response, token: Token
    ) -> tuple[type[ServiceError], str]:
        """Return what kind of error an answer is, and what mends it."""
        # Not above: no start needs them that goes well.
        from ..identity.permissions import refused_token  # noqa: PLC0415
        from .refusal import explain_refusal  # noqa: PLC0415

        status = outcome.status
        if status == HTTPStatus.UNAUTHORIZED:
            return AuthenticationError, f": {refused_token(self.endpoint, token.value)}"
        if status == HTTPStatus.FORBIDDEN and (_code(outcome) or "").lower() == _USER_MISMATCH:
            return ConnectionUserMismatchError, ": the connection belongs to another user"
        if status == HTTPStatus.FORBIDDEN:
            mend = explain_refusal(outcome, operation.permission, self.endpoint, token.value)
            return PermissionDeniedError, f": {mend}"
        if is_transient(status):
            return ServiceUnavailableError, ""
        return UnexpectedResponseError, ""


def _answered(request: Request) -> Flow[Response | NoAnswerError]:
    try:
        response = yield request
    except NoAnswerError as error:
        return error
    assert isinstance(response, Response)  # noqa: S101  the answer to this effect
    return response


def _log_outcome(request: Request, outcome: Response | NoAnswerError) -> None:
    answered = outcome.status if isinstance(outcome, Response) else f"no answer: {outcome}"
    _logger.debug("%s %s: %s", request.method, request.shown_url, answered)


def _log_traced(request: Request, answer: Response) -> None:
    tracing_id = request.headers[TRACING_ID_HEADER]
    _logger.info(
        "Message %s (%s in hub %s) was answered %d",
        tracing_id,
        request.operation,
        request.hub,
        answer.status,
        extra={
            OPERATION: request.operation,
            ENDPOINT: request.endpoint,
            HUB: request.hub,
            REQUEST_ID: request_id(request, answer),
            STATUS: answer.status,
            TRACING_ID: tracing_id,
        },
    )


@functools.lru_cache
def _shown_url(server_url: str, path: str, hub: str) -> str:
    return server_url + path.replace("{hub}", hub)


def operation_url(
    endpoint: Endpoint,
    operation: Operation,
    names: Mapping[str, str],
    query: Mapping[str, QueryValue],
) -> str:
    """Return the URL of an operation; the parameters stand in the table's order.

    Raises:
        InvalidArgumentError: A parameter is no valid Unicode.
    """
    path = operation.path.format_map({name: _quoted(value) for name, value in names.items()})
    pairs = [
        (name, each)
        for name in (operation.parameters if query else ())
        for each in _values(query.get(name))
    ]
    try:
        parameters = [urlencode(pairs)] if pairs else []
    except UnicodeEncodeError:
        name = next(name for name, value in pairs if not _is_unicode(value))
        raise InvalidArgumentError(name, "contains half of a surrogate pair") from None
    if operation.api_version:
        parameters.append(f"api-version={operation.api_version}")
    url = f"{endpoint.server_url}{path}"
    return f"{url}?{'&'.join(parameters)}" if parameters else url


def _quoted(name: str) -> str:
    """Percent-encode a name. Most need it not, and `quote` takes ten times as long to see that."""
    return name if _UNRESERVED.fullmatch(name) else quote(name, safe="")


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_object(
    response: Response, parse_float: Callable[[str], object] = float
) -> Mapping[str, object]:
    """Read an answer that is a JSON object, or empty.

    Args:
        response: The answer.
        parse_float: Makes a number of the text of one with a fraction or an exponent.

    Raises:
        UnexpectedResponseError: It is neither.
    """
    try:
        answer = json.loads(response.body, parse_float=parse_float) if response.body else {}
    except (ValueError, ArithmeticError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise UnexpectedResponseError(
            "The service's answer is no JSON object", status=response.status
        )
    return answer


def is_success(response: Response) -> bool:
    """Tell whether what was asked is done.

    Documents and services do not always name the same status for it, so any will do, as for the
    SDK for .NET.
    """
    return HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES


def _is_answer(response: Response, operation: Operation) -> bool:
    if is_success(response):
        return True
    if response.status != HTTPStatus.NOT_FOUND or not operation.absent:
        return False
    return (_code(response) or "").lower() in operation.absent


def _code(response: Response) -> str | None:
    """Return the code of a refusal: the header's, or that of an ErrorDetail (REST API reference).

    It is in the body alone where something on the way drops headers that it does not know.
    """
    in_header = response.headers.get("x-ms-error-code")
    if in_header is not None or not response.body:
        return in_header
    try:
        detail = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    code = detail.get("code") if isinstance(detail, dict) else None
    return code if isinstance(code, str) else None


def _is_unauthorized(outcome: Response | NoAnswerError) -> bool:
    return isinstance(outcome, Response) and outcome.status == HTTPStatus.UNAUTHORIZED


def _values(value: QueryValue) -> Iterable[str]:
    if value is None:
        return ()
    if isinstance(value, str | int):
        return (str(value),)
    return value
