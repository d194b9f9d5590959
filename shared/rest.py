"""Conversations with one endpoint of the service: every operation of its data plane.

Nothing here does I/O: each method yields the steps of `shared.flow`. `shared.client` holds the
conversations in a thread, `shared.aio` on an event loop.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from shared import operations as op
from shared.access_key import AccessKey, parse_access_key
from shared.endpoint import Endpoint
from shared.errors import (
    AuthenticationError,
    ConnectionNotFoundError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceUnavailableError,
    SignalRError,
    UnexpectedResponseError,
)
from shared.flow import EntraToken, Flow, GetToken, NoAnswerError, Request, Response, Wait
from shared.names import check_hub, check_name
from shared.operations import Operation
from shared.permissions import missing_permission
from shared.retry import RetryPolicy, retry_after

__all__ = [
    "MAX_MESSAGE_LENGTH",
    "Command",
    "ConnectionPage",
    "GroupConnection",
    "RestApi",
    "encode_message",
]

MAX_MESSAGE_LENGTH: Final = 1024 * 1024
"""Longest body of a request in bytes (REST API reference)."""

_MAX_PAGE: Final = 200
"""Most connections of one page of a list (REST API 2024-12-01)."""

_MAX_STREAM_ID: Final = 100
"""Longest id of a stream in characters (REST API 2024-12-01)."""

_TRANSIENT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

type Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class GroupConnection:
    """A connection in a group.

    Args:
        connection_id: Its id.
        user_id: Its user, or `None` for an anonymous one.
    """

    connection_id: str
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """One page of the connections in a group.

    Args:
        connections: The connections of this page.
        next_link: Address of the next page, or `None` on the last one.
    """

    connections: tuple[GroupConnection, ...]
    next_link: str | None


@dataclass(frozen=True, slots=True)
class Command:
    """One command of `execute`.

    Args:
        type: What to do with every connection that the filter finds.
        group: The group to join or leave.
        target: Name of the clients' handler, for a message.
        arguments: What the handler is called with.
        reason: What clients are told, for closing.
    """

    type: Literal["SendMessage", "JoinGroup", "LeaveGroup", "CloseConnection"]
    group: str | None = None
    target: str | None = None
    arguments: Sequence[object] = ()
    reason: str | None = None


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
    return _encoded("arguments", {"target": target, "arguments": arguments})


class RestApi:
    """The data plane of one endpoint, a method for each operation.

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
        response = yield from self._execute(op.ACCESS_KEY, {})
        return parse_access_key(response.body, obtained_at=asked_at)

    def generate_client_token(
        self, hub: str, *, user_id: str | None = None, minutes_to_expire: int = 60
    ) -> Flow[str]:
        """Have the service sign a client token, which costs a request.

        `get_client_access_token` signs here and now; this is for a principal that may not have an
        access key (role *SignalR REST API Owner*).

        Args:
            hub: Name of the hub.
            user_id: The user that the connection belongs to, or `None` for an anonymous one.
            minutes_to_expire: Minutes for which the client may connect, at least 1.

        Raises:
            SignalRError: As `send_to_all`.
        """
        user = [] if user_id is None else [("userId", user_id)]
        query = [*user, ("minutesToExpire", str(minutes_to_expire))]
        response = yield from self._execute(op.GENERATE_TOKEN, _hub(hub), query=query)
        token = _json(response).get("token")
        if not isinstance(token, str) or not token:
            raise UnexpectedResponseError("The service answered 200 without a token", 200)
        return token

    def service_is_healthy(self) -> Flow[bool]:
        """Tell whether the service answers its health check, which needs no token."""
        url = _url(self._endpoint.server_url, op.HEALTH, (), {})
        try:
            response = yield Request(op.HEALTH.method, url, {})
        except NoAnswerError:
            return False
        return isinstance(response, Response) and response.status == op.HEALTH.success

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
        query = _excluded(excluded)
        yield from self._execute(op.SEND_TO_ALL, _hub(hub), query=query, body=body)

    def send_to_user(
        self, hub: str, user_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to every connection of a user; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        yield from self._execute(op.SEND_TO_USER, _user(hub, user_id), body=body)

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
        query = _excluded(excluded)
        yield from self._execute(op.SEND_TO_GROUP, _group(hub, group), query=query, body=body)

    def send_to_connection(
        self, hub: str, connection_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to one connection; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        yield from self._execute(op.SEND_TO_CONNECTION, _connection(hub, connection_id), body=body)

    def invoke_connection(
        self, hub: str, connection_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[object]:
        """Call a client's handler and return what it returns (`None` if it returns nothing).

        Raises:
            SignalRError: As `send_to_all`; also when the client answers with an error or never.
        """
        body = encode_message(target, arguments)
        response = yield from self._execute(
            op.INVOKE_CONNECTION, _connection(hub, connection_id), body=body
        )
        return _json(response).get("result")

    def send_stream_item(
        self, hub: str, connection_id: str, stream_id: str, item: object
    ) -> Flow[None]:
        """Send the next item of a stream that a client has asked for.

        Args:
            hub: Name of the hub.
            connection_id: Id of the connection.
            stream_id: The invocation's id, of at most 100 characters.
            item: Anything that JSON can hold.

        Raises:
            SignalRError: As `send_to_all`.
        """
        names = _stream(hub, connection_id, stream_id)
        yield from self._execute(op.SEND_STREAM_ITEM, names, body=_encoded("item", item))

    def complete_stream(
        self, hub: str, connection_id: str, stream_id: str, *, error: str | None = None
    ) -> Flow[None]:
        """End a stream that a client has asked for, with an error or without."""
        names = _stream(hub, connection_id, stream_id)
        yield from self._execute(op.COMPLETE_STREAM, names, query=_reason(error))

    def execute(self, hub: str, commands: Sequence[Command], *, filter: str) -> Flow[None]:  # noqa: A002  the API's own name
        """Do one or more things with every connection that a filter finds.

        Args:
            hub: Name of the hub.
            commands: What to do, in order.
            filter: An OData expression, for instance `userId eq 'ann'`.

        Raises:
            SignalRError: As `send_to_all`.
        """
        body = _encoded("commands", [_command(each) for each in commands])
        yield from self._execute(op.EXECUTE, _hub(hub), query=[("filter", filter)], body=body)

    def close_connection(
        self, hub: str, connection_id: str, *, reason: str | None = None
    ) -> Flow[None]:
        """Close a connection; one that is gone already is no error.

        Args:
            hub: Name of the hub.
            connection_id: Id of the connection.
            reason: What the client is told.

        Raises:
            SignalRError: As `send_to_all`.
        """
        names = _connection(hub, connection_id)
        yield from self._execute(op.CLOSE_CONNECTION, names, query=_reason(reason))

    def close_all_connections(
        self, hub: str, *, excluded: Iterable[str] = (), reason: str | None = None
    ) -> Flow[None]:
        """Close every connection of a hub but the excluded ones."""
        query = [*_excluded(excluded), *_reason(reason)]
        yield from self._execute(op.CLOSE_ALL_CONNECTIONS, _hub(hub), query=query)

    def close_group_connections(
        self, hub: str, group: str, *, excluded: Iterable[str] = (), reason: str | None = None
    ) -> Flow[None]:
        """Close every connection in a group but the excluded ones."""
        query = [*_excluded(excluded), *_reason(reason)]
        yield from self._execute(op.CLOSE_GROUP_CONNECTIONS, _group(hub, group), query=query)

    def close_user_connections(
        self, hub: str, user_id: str, *, excluded: Iterable[str] = (), reason: str | None = None
    ) -> Flow[None]:
        """Close every connection of a user but the excluded ones."""
        query = [*_excluded(excluded), *_reason(reason)]
        yield from self._execute(op.CLOSE_USER_CONNECTIONS, _user(hub, user_id), query=query)

    def connection_exists(self, hub: str, connection_id: str) -> Flow[bool]:
        """Tell whether a connection is open."""
        names = _connection(hub, connection_id)
        return (yield from self._exists(op.CONNECTION_EXISTS, names))

    def group_exists(self, hub: str, group: str) -> Flow[bool]:
        """Tell whether a group has a connection."""
        return (yield from self._exists(op.GROUP_EXISTS, _group(hub, group)))

    def user_exists(self, hub: str, user_id: str) -> Flow[bool]:
        """Tell whether a user has a connection."""
        return (yield from self._exists(op.USER_EXISTS, _user(hub, user_id)))

    def user_in_group(self, hub: str, user_id: str, group: str) -> Flow[bool]:
        """Tell whether a user was added to a group."""
        names = _user(hub, user_id) | _group(hub, group)
        return (yield from self._exists(op.USER_IN_GROUP, names))

    def connection_page(
        self, hub: str, group: str, *, next_link: str | None = None
    ) -> Flow[ConnectionPage]:
        """Get one page of the connections in a group.

        Args:
            hub: Name of the hub.
            group: Name of the group.
            next_link: Where the page before says that this one is; `None` for the first.

        Raises:
            SignalRError: As `send_to_all`.
        """
        query = _page_query(next_link) if next_link else [("maxpagesize", str(_MAX_PAGE))]
        response = yield from self._execute(
            op.LIST_CONNECTIONS_IN_GROUP, _group(hub, group), query=query
        )
        return _page(_json(response))

    def add_connection_to_group(self, hub: str, group: str, connection_id: str) -> Flow[None]:
        """Put a connection into a group.

        Raises:
            ConnectionNotFoundError: There is no such connection.
            SignalRError: As `send_to_all`.
        """
        names = _group(hub, group) | _connection(hub, connection_id)
        if not (yield from self._exists(op.ADD_CONNECTION_TO_GROUP, names)):
            raise ConnectionNotFoundError(connection_id)

    def remove_connection_from_group(self, hub: str, group: str, connection_id: str) -> Flow[None]:
        """Take a connection out of a group; one that is not in it, or gone, is no error."""
        names = _group(hub, group) | _connection(hub, connection_id)
        yield from self._execute(op.REMOVE_CONNECTION_FROM_GROUP, names)

    def remove_connection_from_all_groups(self, hub: str, connection_id: str) -> Flow[None]:
        """Take a connection out of every group."""
        names = _connection(hub, connection_id)
        yield from self._execute(op.REMOVE_CONNECTION_FROM_ALL_GROUPS, names)

    def add_user_to_group(
        self, hub: str, group: str, user_id: str, *, ttl: int | None = None
    ) -> Flow[None]:
        """Put a user into a group: every connection that the user has, or opens later.

        Args:
            hub: Name of the hub.
            group: Name of the group.
            user_id: The user.
            ttl: Seconds for which it lasts; 0 for the connections of this moment only; `None` for
                up to a year.

        Raises:
            SignalRError: As `send_to_all`.
        """
        if ttl is not None and ttl < 0:
            raise InvalidArgumentError("ttl", "must not be negative")
        query = [] if ttl is None else [("ttl", str(ttl))]
        names = _user(hub, user_id) | _group(hub, group)
        yield from self._execute(op.ADD_USER_TO_GROUP, names, query=query)

    def remove_user_from_group(self, hub: str, group: str, user_id: str) -> Flow[None]:
        """Take a user out of a group; one that is not in it is no error."""
        names = _user(hub, user_id) | _group(hub, group)
        yield from self._execute(op.REMOVE_USER_FROM_GROUP, names)

    def remove_user_from_all_groups(self, hub: str, user_id: str) -> Flow[None]:
        """Take a user out of every group."""
        yield from self._execute(op.REMOVE_USER_FROM_ALL_GROUPS, _user(hub, user_id))

    def _exists(self, operation: Operation, names: Mapping[str, str]) -> Flow[bool]:
        response = yield from self._execute(operation, names)
        return response.status == operation.success

    def _execute(
        self,
        operation: Operation,
        names: Mapping[str, str],
        *,
        query: Query = (),
        body: bytes | None = None,
    ) -> Flow[Response]:
        """Do an operation: token, request, repetition, and errors that say what to mend.

        Returns the answer of success, or the 404 that says that there is no such thing.
        """
        url = _url(self._endpoint.server_url, operation, query, names)
        attempt = 0
        while True:
            token = yield GetToken()
            assert isinstance(token, EntraToken)  # noqa: S101  the answer to this step
            attempt += 1
            outcome = yield from _send(operation.method, url, token, body)
            if isinstance(outcome, Response) and _is_answer(outcome, operation):
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


def _is_answer(response: Response, operation: Operation) -> bool:
    if response.status == operation.success:
        return True
    code = response.headers.get("x-ms-error-code", "").lower()
    return response.status == HTTPStatus.NOT_FOUND and code in operation.absent


def _url(base: str, operation: Operation, query: Query, names: Mapping[str, str]) -> str:
    path = operation.path.format_map({key: quote(value, safe="") for key, value in names.items()})
    version = [("api-version", operation.api_version)] if operation.api_version else []
    parameters = urlencode([*query, *version])
    return f"{base}{path}?{parameters}" if parameters else f"{base}{path}"


def _page_query(next_link: str) -> list[tuple[str, str]]:
    """Take the query of a link and nothing else: the token goes to the service's own host only."""
    pairs = parse_qsl(urlsplit(next_link).query)
    return [(name, value) for name, value in pairs if name != "api-version"]


def _excluded(connection_ids: Iterable[str]) -> list[tuple[str, str]]:
    return [("excluded", check_name("excluded", each)) for each in connection_ids]


def _reason(reason: str | None) -> list[tuple[str, str]]:
    return [] if reason is None else [("reason", reason)]


def _hub(hub: str) -> dict[str, str]:
    return {"hub": check_hub(hub)}


def _group(hub: str, group: str) -> dict[str, str]:
    return {"hub": check_hub(hub), "group": check_name("group", group)}


def _user(hub: str, user_id: str) -> dict[str, str]:
    return {"hub": check_hub(hub), "user": check_name("user_id", user_id)}


def _connection(hub: str, connection_id: str) -> dict[str, str]:
    return {"hub": check_hub(hub), "connection": check_name("connection_id", connection_id)}


def _stream(hub: str, connection_id: str, stream_id: str) -> dict[str, str]:
    if len(stream_id) > _MAX_STREAM_ID:
        raise InvalidArgumentError("stream_id", f"is longer than {_MAX_STREAM_ID} characters")
    return _connection(hub, connection_id) | {"stream": check_name("stream_id", stream_id)}


def _command(command: Command) -> dict[str, object]:
    """Write a command as the 2023-07-01 schema has it."""
    match command.type:
        case "SendMessage":
            message = {"target": command.target, "arguments": list(command.arguments)}
            return {"type": command.type, "message": message}
        case "JoinGroup" | "LeaveGroup":
            return {"type": command.type, "group": check_name("group", command.group or "")}
        case "CloseConnection":
            reason = {} if command.reason is None else {"reason": command.reason}
            return {"type": command.type, **reason}


def _encoded(argument: str, value: object) -> bytes:
    try:
        body = _encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(argument, f"cannot be written as JSON: {error}") from None
    if len(body) > MAX_MESSAGE_LENGTH:
        raise InvalidArgumentError(argument, f"makes a body over {MAX_MESSAGE_LENGTH} bytes")
    return body


def _json(response: Response) -> Mapping[str, object]:
    try:
        answer = json.loads(response.body) if response.body else {}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise UnexpectedResponseError("The service's answer is no JSON object", response.status)
    return answer


def _page(answer: Mapping[str, object]) -> ConnectionPage:
    items, next_link = answer.get("value"), answer.get("nextLink")
    if not isinstance(items, list):
        raise UnexpectedResponseError("A page of connections has no value", HTTPStatus.OK)
    connections = tuple(GroupConnection(each["connectionId"], each.get("userId")) for each in items)
    return ConnectionPage(connections, next_link if isinstance(next_link, str) else None)
