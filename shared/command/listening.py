"""`keyless-signalr listen`: a client of a hub that stays connected, and prints what comes."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from ..client import SignalRServiceClient
from ..endpoints.endpoint import ClientAccess
from ..errors import (
    AuthenticationError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
    UnexpectedResponseError,
)
from ..keys.backoff import backoff
from ..transport.flow import NoAnswerError, Request, Response
from ..transport.http import Timeouts, Transport
from .hub_client import HandshakeError, HubClient, Message
from .output import Output

__all__ = ["Listening", "listen"]

_TIMEOUT: Final = 10.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_PING_EVERY: Final = 15.0
_SILENCE: Final = 30.0
"""Seconds, the defaults of ASP.NET Core SignalR for clients."""

_INVOCATION: Final = 1
_COMPLETION: Final = 3
_PING: Final[Message] = {"type": 6}
_CLOSE: Final = 7


class Listening(NamedTuple):
    """What is listened to.

    Args:
        hub: Name of the hub.
        user_id: As which user, or `None`.
        groups: Groups that the client joins.
    """

    hub: str
    user_id: str | None
    groups: Sequence[str]


def listen(
    open_service: Callable[[], SignalRServiceClient], listening: Listening, output: Output
) -> str:
    """Print what a hub sends, across connections, until the service ends it for good.

    Args:
        open_service: Makes the service client that each connection begins with: a service that was
            started anew does not know the keys of the one before.
        listening: What is listened to.
        output: Where it is printed.

    Returns:
        Why the service has ended it.

    Raises:
        SignalRError: The first connection cannot be made, or a role is missing.
    """
    failures = 0
    has_connected = False
    while True:
        try:
            output.progress(f"Connecting to hub {listening.hub}")
            client = _connect(open_service, listening)
            output.status(_connected(client, listening))
            has_connected, failures = True, 0
            closed = _receive(client, output)
            if closed.is_final:
                return closed.reason
            reason = closed.reason
        except (AuthenticationError, ServiceUnavailableError, UnexpectedResponseError) as error:
            if not has_connected:
                raise
            reason = str(error)
        failures += 1
        # Never at once, and not all together.
        jitter = random.uniform(0.5, 1)  # noqa: S311  no secret
        seconds = backoff(failures, _FIRST_PAUSE, _LONGEST_PAUSE, jitter)
        output.status(f"{reason}; connecting again in {seconds:.1f} s")
        time.sleep(seconds)


class _Closed(NamedTuple):
    """How a connection has ended.

    Args:
        reason: Why, for people.
        is_final: Whether the service wants it not to come again.
    """

    reason: str
    is_final: bool = False


def _connected(client: HubClient, listening: Listening) -> str:
    user = f" as user {listening.user_id}" if listening.user_id is not None else ""
    groups = f", in {', '.join(listening.groups)}" if listening.groups else ""
    return (
        f"Listening to hub {listening.hub}{user}{groups},"
        f" connection {client.connection_id}. Ctrl-C ends it."
    )


def _connect(open_service: Callable[[], SignalRServiceClient], listening: Listening) -> HubClient:
    """Connect a client, and have it join the groups.

    Raises:
        SignalRError: It cannot be done.
    """
    with open_service() as service:
        access = service.get_client_access_token(listening.hub, user_id=listening.user_id)
        client = _open(access)
        try:
            for group in listening.groups:
                service.add_connection_to_group(listening.hub, group, client.connection_id)
        except BaseException:
            client.close()
            raise
        return client


def _open(access: ClientAccess) -> HubClient:
    negotiated = _negotiate(access)
    where = access.url.partition("/client/")[0]
    try:
        return HubClient(access.url, access.token, negotiated, _TIMEOUT)
    except HandshakeError as error:
        raise UnexpectedResponseError(f"{where} refuses the handshake: {error}") from error
    except InvalidStatus as error:
        raise _refusal(error.response.status_code, where) from error
    except (OSError, ValueError, WebSocketException) as error:
        raise ServiceUnavailableError(f"No WebSocket to {where}: {error}") from error


def _negotiate(access: ClientAccess) -> Message:
    url = access.url.replace("/client/?", "/client/negotiate?")
    where = access.url.partition("/client/")[0]
    transport = Transport(Timeouts())
    try:
        answer = transport.send(
            Request(
                "POST",
                f"{url}&negotiateVersion=1",
                {"Authorization": f"Bearer {access.token}"},
                read_timeout=_TIMEOUT,
            )
        )
    except NoAnswerError as error:
        raise ServiceUnavailableError(f"No answer from {where}: {error}") from error
    finally:
        transport.close()
    if answer.status != HTTPStatus.OK:
        raise _refusal(answer.status, where)
    return _connection(answer, where)


def _connection(answer: Response, where: str) -> Message:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, Mapping) or "connectionId" not in found:
        raise UnexpectedResponseError(f"What answers at {where} is no SignalR service")
    return found


def _refusal(status: int, where: str) -> ServiceError:
    said = f"{status} to a client of {where}"
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return AuthenticationError(
                f"{said}: the client token is not accepted. Check this machine's clock, and that"
                " the endpoint is the resource's own address",
                status=status,
            )
        case HTTPStatus.FORBIDDEN:
            return PermissionDeniedError(
                f"{said}: the network access control of the resource does not let clients in from"
                " here (ClientConnection)",
                status=status,
            )
        case _:
            return ServiceUnavailableError(said, status=status)


def _receive(client: HubClient, output: Output) -> _Closed:
    """Print messages until the connection ends."""
    heard = time.monotonic()
    ping_at = heard + _PING_EVERY
    try:
        while True:
            message = client.next(ping_at)
            now = time.monotonic()
            if message is not None:
                heard = now
                if message.get("type") == _CLOSE:
                    return _closed(message)
                if message.get("type") == _INVOCATION:
                    _print(message, client, output)
            if now - heard >= _SILENCE:
                return _Closed(f"Nothing was heard for {_SILENCE:.0f} s")
            if now >= ping_at:
                client.send(_PING)
                ping_at = now + _PING_EVERY
    except ConnectionClosed:
        return _Closed("The connection was lost")
    except ValueError:
        return _Closed("What came is no message of SignalR")
    finally:
        client.close()


def _closed(message: Message) -> _Closed:
    said = f": {message['error']}" if message.get("error") else ""
    reason = f"The service has closed the connection{said}"
    return _Closed(reason, is_final=message.get("allowReconnect") is not True)


def _print(message: Message, client: HubClient, output: Output) -> None:
    arguments = message.get("arguments")
    output.message(
        str(message.get("target", "")),
        arguments if isinstance(arguments, list) else [],
        datetime.now().astimezone(),
    )
    # Whoever asks a client for a result waits until it has one.
    if "invocationId" in message:
        client.send(
            {
                "type": _COMPLETION,
                "invocationId": message["invocationId"],
                "error": "keyless-signalr listen only listens",
            }
        )
