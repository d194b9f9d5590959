"""The operations of the service's data plane: one table, one place that executes them.

Paths, methods and statuses are those of the REST API, version 2022-06-01, unless a row names
another one. Nothing here does I/O: `execute` yields the steps of `shared.flow`.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from shared.access_key import AccessKey, parse_access_key
from shared.endpoint import Endpoint
from shared.errors import (
    AuthenticationError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceUnavailableError,
    SignalRError,
    UnexpectedResponseError,
)
from shared.flow import EntraToken, Flow, GetToken, NoAnswerError, Request, Response, Wait
from shared.names import check_hub, check_name
from shared.permissions import missing_permission
from shared.retry import Repeatable, RetryPolicy, retry_after

__all__ = ["MAX_MESSAGE_LENGTH", "Operation", "Operations", "encode_message"]

MAX_MESSAGE_LENGTH: Final = 1024 * 1024
"""Longest body of a request in bytes (REST API reference)."""

_ACCEPTED: Final = HTTPStatus.ACCEPTED
_TRANSIENT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table.

    Args:
        method: HTTP method.
        path: Path template: names in braces are filled with percent-encoded values.
        success: Status that means that it is done.
        permission: Data action that the principal needs, after `Microsoft.SignalRService/SignalR/`.
        repeatable: How much doing it twice matters.
        api_version: The oldest version of the REST API that has it; empty for paths without one.
    """

    method: str
    path: str
    success: int
    permission: str
    repeatable: Repeatable
    api_version: str = "2022-06-01"


_SEND = Repeatable.WHEN_REFUSED
ACCESS_KEY: Final = Operation(
    # The SDK for .NET asks at this path, which names no version.
    "GET", "/api/v1/auth/accessKey", 200, "auth/accessKey/action", Repeatable.ALWAYS, ""
)  # fmt: skip
SEND_TO_ALL: Final = Operation(
    "POST", "/api/hubs/{hub}/:send", _ACCEPTED, "hub/send/action", _SEND
)  # fmt: skip
SEND_TO_USER: Final = Operation(
    "POST", "/api/hubs/{hub}/users/{user}/:send", _ACCEPTED, "user/send/action", _SEND
)  # fmt: skip
SEND_TO_GROUP: Final = Operation(
    "POST", "/api/hubs/{hub}/groups/{group}/:send", _ACCEPTED, "group/send/action", _SEND
)  # fmt: skip
SEND_TO_CONNECTION: Final = Operation(
    "POST", "/api/hubs/{hub}/connections/{connection}/:send", _ACCEPTED,
    "clientConnection/send/action", _SEND,
)  # fmt: skip


def encode_message(target: str, arguments: Sequence[object]) -> bytes:
    """Return the body of a send: `{"target": …, "arguments": […]}` in UTF-8.

    Args:
        target: Name of the client's handler.
        arguments: What the handler is called with: anything that JSON can hold.

    Raises:
        InvalidArgumentError: The target is empty, an argument is not JSON, or the body is longer
            than 1 MB.
    """
    if not target:
        raise InvalidArgumentError("target", "must not be empty")
    try:
        body = _encode({"target": target, "arguments": arguments}).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError("arguments", f"cannot be written as JSON: {error}") from None
    if len(body) > MAX_MESSAGE_LENGTH:
        raise InvalidArgumentError("arguments", f"make a message over {MAX_MESSAGE_LENGTH} bytes")
    return body


class Operations:
    """Conversations with one endpoint, a method for each operation.

    Args:
        endpoint: The service instance.
        policy: Bounds of repetition.
        clock: Current time in epoch seconds.
        jitter: Random numbers from 0 to 1 that spread repeated requests in time.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        policy: RetryPolicy | None = None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._policy = policy or RetryPolicy()
        self._clock = clock
        self._jitter = jitter

    def access_key(self) -> Flow[AccessKey]:
        """Get a temporary access key from the auth API."""
        asked_at = self._clock()
        response = yield from self._execute(ACCESS_KEY)
        return parse_access_key(response.body, obtained_at=asked_at)

    def send_to_all(
        self,
        hub: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        excluded: Iterable[str] = (),
    ) -> Flow[None]:
        """Send a message to every connection of a hub.

        Args:
            hub: Name of the hub.
            target: Name of the client's handler.
            arguments: What the handler is called with.
            excluded: Ids of connections that do not get it.

        Raises:
            InvalidArgumentError: A name or the message breaks a rule of the service.
            AuthenticationError: No Entra token, or the service does not accept it.
            PermissionDeniedError: The principal lacks a role.
            ServiceUnavailableError: No answer, or the service asks to come back later.
            UnexpectedResponseError: Any other answer.
        """
        body = encode_message(target, arguments)
        yield from self._execute(
            SEND_TO_ALL, hub=check_hub(hub), query=_excluded(excluded), body=body
        )

    def send_to_user(
        self, hub: str, user_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to every connection of a user; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        user = check_name("user_id", user_id)
        yield from self._execute(SEND_TO_USER, hub=check_hub(hub), user=user, body=body)

    def send_to_group(
        self,
        hub: str,
        group: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        excluded: Iterable[str] = (),
    ) -> Flow[None]:
        """Send a message to every connection in a group; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        group = check_name("group", group)
        yield from self._execute(
            SEND_TO_GROUP, hub=check_hub(hub), group=group, query=_excluded(excluded), body=body
        )

    def send_to_connection(
        self, hub: str, connection_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to one connection; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        connection = check_name("connection_id", connection_id)
        yield from self._execute(
            SEND_TO_CONNECTION, hub=check_hub(hub), connection=connection, body=body
        )

    def _execute(
        self,
        operation: Operation,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        **names: str,
    ) -> Flow[Response]:
        """Do an operation: token, request, repetition, and errors that say what to mend."""
        url = _url(self._endpoint.server_url, operation, query, names)
        attempt = 0
        while True:
            token = yield GetToken()
            assert isinstance(token, EntraToken)  # noqa: S101  the answer to this step
            attempt += 1
            outcome = yield from _send(operation.method, url, token, body)
            if isinstance(outcome, Response) and outcome.status == operation.success:
                return outcome
            delay = self._policy.delay(
                outcome,
                operation.repeatable,
                attempt=attempt,
                now=self._clock(),
                jitter=self._jitter(),
            )
            if delay is None:
                raise self._error(operation, url, outcome, token)
            yield Wait(delay)

    def _error(
        self, operation: Operation, url: str, outcome: Response | NoAnswerError, token: EntraToken
    ) -> SignalRError:
        asked = f"{operation.method} {url.partition('?')[0]}"
        if isinstance(outcome, NoAnswerError):
            return ServiceUnavailableError(f"No answer to {asked}: {outcome}")
        if outcome.status == HTTPStatus.UNAUTHORIZED:
            return AuthenticationError(
                f"401 to {asked}: the service does not accept the Entra token. Its tenant must be "
                "the one of the SignalR resource, and this machine's clock must be right"
            )
        if outcome.status == HTTPStatus.FORBIDDEN:
            return PermissionDeniedError(
                f"403 to {asked}: "
                + missing_permission(operation.permission, self._endpoint, token.value)
            )
        if outcome.status in _TRANSIENT or outcome.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ServiceUnavailableError(
                f"{outcome.status} to {asked}", retry_after(outcome, self._clock())
            )
        code = outcome.headers.get("x-ms-error-code")
        return UnexpectedResponseError(
            f"{outcome.status} to {asked}" + (f" ({code})" if code else ""), outcome.status, code
        )


def _send(
    method: str, url: str, token: EntraToken, body: bytes | None
) -> Flow[Response | NoAnswerError]:
    headers = {"Authorization": f"Bearer {token.value}"}
    if body is not None:
        headers["Content-Type"] = "application/json; charset=utf-8"
    try:
        response = yield Request(method, url, headers, body)
    except NoAnswerError as error:
        return error
    assert isinstance(response, Response)  # noqa: S101  the answer to this step
    return response


def _url(
    base: str, operation: Operation, query: Sequence[tuple[str, str]], names: dict[str, str]
) -> str:
    path = operation.path.format_map({key: quote(value, safe="") for key, value in names.items()})
    version = [("api-version", operation.api_version)] if operation.api_version else []
    parameters = urlencode([*query, *version])
    return f"{base}{path}?{parameters}" if parameters else f"{base}{path}"


def _excluded(connection_ids: Iterable[str]) -> list[tuple[str, str]]:
    return [("excluded", check_name("excluded", each)) for each in connection_ids]
