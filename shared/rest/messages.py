"""Operations that bring something to clients: messages, invocations, streams, commands."""

from collections.abc import Callable, Collection, Sequence
from typing import Final, Literal, NamedTuple

from ..bodies.content import Content, sized_content
from ..bodies.values import RawJson, as_json, written
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
from .exchange import Exchange, read_object

__all__ = ["Command", "Messages", "encode_message"]

_ARRAYS: Final = (list, tuple, RawJson)
_MAX_STREAM_ID: Final = 100
"""Longest id of a stream in characters (REST API 2024-12-01)."""


class Command(NamedTuple):
    """One command of `execute`.

    Args:
        type: What to do with every connection that the filter finds.
        group: The group to join or leave.
        target: Name of the clients' handler, for a message.
        arguments: What the handler is called with. It goes as JSON: bytes as Base64, times as text.
        reason: What clients are told, for closing.
    """

    type: Literal["SendMessage", "JoinGroup", "LeaveGroup", "CloseConnection"]
    group: str | None = None
    target: str | None = None
    arguments: Sequence[object] = ()
    reason: str | None = None


def encode_message(target: str, arguments: Sequence[object] | RawJson) -> Content:
    """Return the body of a send: `{"target": …, "arguments": […]}` in JSON.

    With bytes or times among the arguments it is the message as either hub protocol writes it, so
    that clients of MessagePack get what JSON cannot say.

    Args:
        target: Name of the client's handler.
        arguments: What the handler is called with, or a JSON array that says so.

    Raises:
        InvalidArgumentError: The target is empty, an argument cannot be written, or the body is
            longer than 1 MB.
    """
    if not target:
        raise InvalidArgumentError("target", "must not be empty")
    if not isinstance(arguments, _ARRAYS):
        raise InvalidArgumentError("arguments", f"must be a list, not {type(arguments).__name__}")
    # Each by itself, so that an error knows which of them it is about.
    name = as_json("target", target)
    text, messagepack = written("arguments", arguments)
    if messagepack is None:
        return sized_content("arguments", b'{"target":%b,"arguments":%b}' % (name, text))
    # Not above, since most apps never send what needs it.
    from ..bodies.hub_messages import invocation  # noqa: PLC0415

    return invocation(target, text, messagepack)


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
            arguments: What the handler is called with: a list of anything that JSON can hold, with
                `Decimal` for numbers that keep their digits; where msgspec is installed, also of
                bytes, times and dataclasses.
            excluded: Ids of connections that do not get it.

        Raises:
            InvalidArgumentError: A name or the message breaks a rule of the service.
            AuthenticationError: No Entra token, or the service does not accept it.
            PermissionDeniedError: The principal lacks a role.
            ServiceUnavailableError: No answer, or the service asks to come back later.
            UnexpectedResponseError: Any other answer.
        """
        content = encode_message(target, arguments)
        query = {"excluded": check_excluded(excluded)}
        yield from self.call(op.SEND_TO_ALL, hub_path(hub), query=query, content=content)

    def send_to_user(
        self, hub: str, user_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to every connection of a user; otherwise as `send_to_all`."""
        content = encode_message(target, arguments)
        yield from self.call(op.SEND_TO_USER, user_path(hub, user_id), content=content)

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
        content = encode_message(target, arguments)
        query = {"excluded": check_excluded(excluded)}
        yield from self.call(op.SEND_TO_GROUP, group_path(hub, group), query=query, content=content)

    def send_to_connection(
        self, hub: str, connection_id: str, target: str, arguments: Sequence[object] = ()
    ) -> Flow[None]:
        """Send a message to one connection; otherwise as `send_to_all`."""
        content = encode_message(target, arguments)
        yield from self.call(
            op.SEND_TO_CONNECTION, connection_path(hub, connection_id), content=content
        )

    def invoke_connection(
        self,
        hub: str,
        connection_id: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        parse_float: Callable[[str], object] = float,
    ) -> Flow[object]:
        """Call a client's handler and return what it returns (`None` if it returns nothing).

        Args:
            hub: Name of the hub.
            connection_id: Id of the connection.
            target: Name of the client's handler.
            arguments: What the handler is called with, as for `send_to_all`.
            parse_float: Makes a number of the text of one with a fraction or an exponent:
                `decimal.Decimal` keeps its digits.

        Raises:
            ConnectionNotFoundError: There is no such connection.
            SignalRError: As `send_to_all`; also when the client answers with an error or never.
        """
        content = encode_message(target, arguments)
        response = yield from self.call(
            op.INVOKE_CONNECTION, connection_path(hub, connection_id), content=content
        )
        return read_object(response, parse_float).get("result")

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
            item: One of what arguments of `send_to_all` may be.
            completed: Whether the stream ends with this item.

        Raises:
            ConnectionNotFoundError: There is no such connection.
            SignalRError: As `send_to_all`.
        """
        names = _stream(hub, connection_id, stream_id)
        query = {"completed": "true" if completed else None}
        content = _encode_item(stream_id, item)
        yield from self.call(op.SEND_STREAM_ITEM, names, query=query, content=content)

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
        text = as_json("commands", [_command(each) for each in commands])
        content = sized_content("commands", text)
        yield from self.call(op.EXECUTE, hub_path(hub), query={"filter": filter}, content=content)


def _encode_item(stream_id: str, item: object) -> Content:
    text, messagepack = written("item", item)
    if messagepack is None:
        return sized_content("item", text)
    from ..bodies.hub_messages import stream_item  # noqa: PLC0415  as above

    return stream_item(stream_id, text, messagepack)


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
