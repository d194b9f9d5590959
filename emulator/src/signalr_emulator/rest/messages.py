"""The operations that send messages to clients."""

from collections.abc import Callable, Mapping

from aiohttp import web

from ..clients.hubs import Member, deliver_counted, deliver_to, united
from ..errors import ClientResultError, InvalidRequestError
from ..operations.commands import (
    CloseConnection,
    JoinGroup,
    LeaveGroup,
    SendMessage,
    parse_commands,
)
from ..operations.errors import no_connection
from ..operations.filters import Candidate, Filter, parse_filter
from ..operations.parameters import group_name, is_true, stream_id
from ..operations.payloads import Payload
from ..operations.table import DataAction, Task
from ..protocols.messages import Completion
from ..state.journal import Recipients
from ..state.resource import Resource
from ..transports.outgoing import Outgoing
from .call import OCTET_STREAM, Call, Handler

__all__ = ["MessageOperations"]

_PROTOCOL = "X-Protocol"
"""Names the hub protocol of a result in bytes (Azure/azure-signalr, pull request 2249)."""

_INVOCATION_FAILED = "Error.Connection.Unknown"


type Members = Mapping[str, Member]


class MessageOperations:
    """Sends to connections, calls their methods and executes commands.

    Args:
        resource: The SignalR resource whose clients receive.
        permit: Raises `ForbiddenError` unless the caller has a data action.
        sent: Learns of each message: its call, hub, recipients and payload, and to how many
            connections it went, and to how many not since it is not in their hub protocol.
        invocation_timeout: How long a client may take to answer, in seconds.
    """

    def __init__(
        self,
        resource: Resource,
        *,
        permit: Callable[[Call, DataAction], None],
        sent: Callable[[Call, str, Recipients, Payload, tuple[int, int]], None],
        invocation_timeout: float,
    ) -> None:
        self._hubs = resource.hubs
        self._invocation_timeout = invocation_timeout
        self._permit = permit
        self._sent = sent

    def handlers(self) -> Mapping[Task, Handler]:
        """Give what carries out each operation."""
        return {
            Task.SEND_TO_HUB: self._send_to_hub,
            Task.SEND_TO_USER: self._send_to_user,
            Task.SEND_TO_USERS: self._send_to_users,
            Task.SEND_TO_GROUP: self._send_to_group,
            Task.SEND_TO_GROUPS: self._send_to_groups,
            Task.SEND_TO_CONNECTION: self._send_to_connection,
            Task.INVOKE_CONNECTION: self._invoke,
            Task.SEND_STREAM_ITEM: self._send_stream_item,
            Task.COMPLETE_STREAM: self._complete_stream,
            Task.EXECUTE: self._execute,
        }

    def _deliver(
        self, call: Call, hub: str, recipients: Recipients, payload: Payload, members: Members
    ) -> None:
        excluded = frozenset(recipients.excluded)
        counted = deliver_counted(payload.written, members, excluded)
        self._sent(call, hub, recipients, payload, counted)

    # Whoever receives a message is found when its body has been read, which takes its time.

    async def _send_to_hub(self, call: Call) -> None:
        hub, recipients = call.hub, Recipients("all", excluded=call.excluded)
        payload = await call.payload()
        self._deliver(call, hub, recipients, payload, self._hubs.everyone(hub))

    async def _send_to_user(self, call: Call) -> None:
        hub, user = call.hub, call.user
        payload = await call.payload()
        members = self._hubs.user(hub, user)
        self._deliver(call, hub, Recipients("user", (user,)), payload, members)

    async def _send_to_users(self, call: Call) -> None:
        hub, users = call.hub, call.user.split(",")
        payload = await call.payload()
        members = united([self._hubs.user(hub, user) for user in users])
        self._deliver(call, hub, Recipients("user", users), payload, members)

    async def _send_to_group(self, call: Call) -> None:
        hub, group = call.hub, call.group
        recipients = Recipients("group", (group,), call.excluded)
        payload = await call.payload()
        self._deliver(call, hub, recipients, payload, self._hubs.group(hub, group))

    async def _send_to_groups(self, call: Call) -> None:
        hub = call.hub
        groups = [group_name(name) for name in call.request.match_info["group"].split(",")]
        payload = await call.payload()
        members = united([self._hubs.group(hub, group) for group in groups])
        self._deliver(call, hub, Recipients("group", groups), payload, members)

    async def _send_to_connection(self, call: Call) -> None:
        hub, connection = call.hub, call.connection
        payload = await call.payload()
        members = self._hubs.connection(hub, connection)
        self._deliver(call, hub, Recipients("connection", (connection,)), payload, members)

    async def _invoke(self, call: Call) -> web.Response:
        hub = call.hub
        payload = await call.payload()
        member = self._member(hub, call.connection)
        self._sent(call, hub, Recipients("connection", (call.connection,)), payload, (1, 0))
        try:
            completion = await member.invoke(Outgoing(payload.written), self._invocation_timeout)
        except ClientResultError as error:
            raise InvalidRequestError(str(error), code=_INVOCATION_FAILED) from error
        if call.accepts(OCTET_STREAM):
            return web.Response(
                body=member.protocol.framed(completion.record),
                content_type=OCTET_STREAM,
                headers={_PROTOCOL: member.protocol.name},
            )
        result = b"" if completion.result is None else b'"result":' + completion.result
        return web.Response(body=b"{" + result + b"}", content_type="application/json")

    async def _send_stream_item(self, call: Call) -> None:
        hub, stream = call.hub, stream_id(call.stream)
        is_last = is_true(call.parameter("completed") or "false", "completed")
        # An empty body is no item, and may end a stream that has none left.
        items = [await call.item(stream)] if await call.body() or not is_last else []
        member = self._member(hub, call.connection)
        for item in items:
            deliver_to([member], Outgoing(item))
        if is_last:
            member.send(Completion(stream))

    async def _complete_stream(self, call: Call) -> None:
        hub, stream = call.hub, stream_id(call.stream)
        # The swagger says `reason`, the .NET SDK `error`.
        error = call.parameter("reason") or call.parameter("error")
        self._member(hub, call.connection).send(Completion(stream, error=error))

    async def _execute(self, call: Call) -> None:
        hub = call.own_hub
        expression = call.parameter("filter") or ""
        matches = parse_filter(expression)
        commands = parse_commands(await call.json())
        for data_action in sorted({command.data_action for command in commands}):
            self._permit(call, data_action)
        # Everything that can be refused is checked before the first command takes effect.
        members = self._matching(hub, matches)
        recipients = Recipients("filter", (expression,)) if expression else Recipients("all")
        for command in commands:
            if isinstance(command, SendMessage):
                self._deliver(call, hub, recipients, command.payload, members)
                continue
            for member in members.values():
                self._change(hub, command, member)

    def _change(
        self, hub: str, command: JoinGroup | LeaveGroup | CloseConnection, member: Member
    ) -> None:
        match command:
            case JoinGroup(group=group):
                self._hubs.add_to_group(hub, group, member.connection_id)
            case LeaveGroup(group=group):
                self._hubs.remove_from_group(hub, group, member.connection_id)
            case CloseConnection(reason=reason):
                member.disconnect(reason, allow_reconnect=True)

    def _matching(self, hub: str, matches: Filter) -> Members:
        return {
            connection_id: member
            for connection_id, member in self._hubs.everyone(hub).items()
            if matches(
                Candidate(connection_id, member.user_id, self._hubs.groups_of(hub, connection_id))
            )
        }

    def _member(self, hub: str, connection_id: str) -> Member:
        member = self._hubs.connection(hub, connection_id).get(connection_id)
        if member is None:
            raise no_connection()
        return member
