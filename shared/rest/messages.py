"""Operations that bring something to clients: messages, invocations, streams, commands."""

from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

from ..errors import InvalidArgumentError
from ..settings.names import (
    check_excluded,
    check_name,
    connection_path,
    group_path,
    hub_path,
    user_path,
)
from ..transport.flow import Flow
from . import operations as op
from .exchange import Exchange, encoded, read_object, sized

__all__ = ["Command", "Messages", "encode_message"]

_MAX_STREAM_ID: Final = 100
"""Longest id of a stream in characters (REST API 2024-12-01)."""


class Command(NamedTuple):
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
    # Each by itself, so that an error knows which of them it is about.
    named = encoded("target", target), encoded("arguments", arguments)
    return sized("arguments", b'{"target":%b,"arguments":%b}' % named)


class Messages(Exchange):
    """The operations that bring something to clients."""

    def send_to_all(
        self,
        hub: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        excluded: Collection[str] = (),
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
        query = {"excluded": check_excluded(excluded)}
        yield from self.call(op.SEND_TO_ALL, hub_path(hub), query=query, body=body)

    def send_to_user(
        self, hub: str, user_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to every connection of a user; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        yield from self.call(op.SEND_TO_USER, user_path(hub, user_id), body=body)

    def send_to_group(
        self,
        hub: str,
        group: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        excluded: Collection[str] = (),
    ) -> Flow[None]:
        """Send a message to every connection in a group; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        query = {"excluded": check_excluded(excluded)}
        yield from self.call(op.SEND_TO_GROUP, group_path(hub, group), query=query, body=body)

    def send_to_connection(
        self, hub: str, connection_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to one connection; otherwise as `send_to_all`."""
        body = encode_message(target, arguments)
        yield from self.call(op.SEND_TO_CONNECTION, connection_path(hub, connection_id), body=body)

    def invoke_connection(
        self, hub: str, connection_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[object]:
        """Call a client's handler and return what it returns (`None` if it returns nothing).

        Raises:
            ConnectionNotFoundError: There is no such connection.
            SignalRError: As `send_to_all`; also when the client answers with an error or never.
        """
        body = encode_message(target, arguments)
        response = yield from self.call(
            op.INVOKE_CONNECTION, connection_path(hub, connection_id), body=body
        )
        return read_object(response).get("result")

    def send_stream_item(
        self,
        hub: str,
        connection_id: str,
        stream_id: str,
        item: object,
        *,
        completed: bool = False,
    ) -> Flow[None]:
        """Send the next item of a stream that a client has asked for.

        Args:
            hub: Name of the hub.
            connection_id: Id of the connection.
            stream_id: The invocation's id, of at most 100 characters.
            item: Anything that JSON can hold.
            completed: Whether the stream ends with this item.

        Raises:
            ConnectionNotFoundError: There is no such connection.
            SignalRError: As `send_to_all`.
        """
        names = _stream(hub, connection_id, stream_id)
        query = {"completed": "true" if completed else None}
        body = sized("item", encoded("item", item))
        yield from self.call(op.SEND_STREAM_ITEM, names, query=query, body=body)

    def complete_stream(
        self, hub: str, connection_id: str, stream_id: str, *, error: str | None = None
    ) -> Flow[None]:
        """End a stream that a client has asked for, with an error or without.

        Raises:
            ConnectionNotFoundError: There is no such connection.
            SignalRError: As `send_to_all`.
        """
        names = _stream(hub, connection_id, stream_id)
        yield from self.call(op.COMPLETE_STREAM, names, query={"reason": error})

    def execute(self, hub: str, commands: Sequence[Command], *, filter: str) -> Flow[None]:  # noqa: A002  the API's own name
        """Do one or more things with every connection that a filter finds.

        Args:
            hub: Name of the hub.
            commands: What to do, in order.
            filter: An OData expression, for instance `userId eq 'ann'`.

        Raises:
            SignalRError: As `send_to_all`.
        """
        body = sized("commands", encoded("commands", [_command(each) for each in commands]))
        yield from self.call(op.EXECUTE, hub_path(hub), query={"filter": filter}, body=body)


def _stream(hub: str, connection_id: str, stream_id: str) -> dict[str, str]:
    if len(stream_id) > _MAX_STREAM_ID:
        raise InvalidArgumentError("stream_id", f"is longer than {_MAX_STREAM_ID} characters")
    return connection_path(hub, connection_id) | {"stream": check_name("stream_id", stream_id)}


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
