"""The hub of the app server: its clients, their methods, and what it does for others.

The methods are those of the function app (`events.py`).
"""

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

from shared.persistent.payloads import payloads
from shared.service_protocol import requests as ask
from shared.service_protocol import sends
from shared.service_protocol.messages import (
    Ack,
    CloseConnection,
    ConnectionData,
    Message,
    OpenConnection,
)

from ..clients.hub_protocol import COMPLETION, INVOCATION, RecordReader
from .connection import BrokenError, ServerConnection

__all__ = ["ACCEPTED", "IN_FLIGHT", "NOT_FOUND", "Hub"]

ACCEPTED: Final = "accepted"
IN_FLIGHT: Final = "in flight on a server connection that broke"
NOT_FOUND: Final = "no such connection"

_MESSAGE: Final = "newMessage"
_SHAKEN: Final = b"{}\x1e"
_HANDSHAKE_ANSWER: Final = 1
_DONE: Final = 1
_NOBODY: Final = "nobody"

type Json = Mapping[str, Any]


@dataclass(slots=True)
class _Client:
    """A client of the hub.

    Args:
        connection_id: Its connection.
        server: What carries it.
        reader: Finds messages in what it says.
        is_greeted: Whether its handshake is answered.
    """

    connection_id: str
    server: ServerConnection
    reader: RecordReader = field(default_factory=RecordReader)
    is_greeted: bool = False


class Hub:
    """A hub whose clients come by several server connections."""

    def __init__(self) -> None:
        self._clients: dict[str, _Client] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: Sequence[ServerConnection] = ()
        self._turns: Iterator[ServerConnection] = iter(())

    def use(self, connections: Sequence[ServerConnection]) -> None:
        """Send by these connections, one after the other."""
        self._connections = connections
        self._turns = cycle(connections)

    def count(self, server: ServerConnection) -> int:
        """Return how many clients a connection carries."""
        return sum(each.server is server for each in self._clients.values())

    def take(self, server: ServerConnection, message: Message) -> None:
        """Take what the service says about a client."""
        match message:
            case OpenConnection(connection_id=name):
                self._clients[name] = _Client(name, server)
            case CloseConnection(connection_id=name):
                self._clients.pop(name, None)
            case ConnectionData(connection_id=name, payload=data) if name in self._clients:
                self._hear(self._clients[name], data)

    def ended(self, server: ServerConnection) -> None:
        """Forget the clients of a connection that has ended."""
        gone = [name for name, each in self._clients.items() if each.server is server]
        for name in gone:
            del self._clients[name]

    async def send(self, items: Sequence[Json]) -> str:
        """Send messages in the shape of the output binding by one connection, in their order.

        Returns:
            What became of them: all came to the service, or nobody knows.
        """
        messages = [_message(item) for item in items]
        try:
            await self._any().ask(_receipt(), *messages)
        except BrokenError:
            return IN_FLIGHT
        return ACCEPTED

    async def group(self, action: Json) -> str:
        """Put a connection into a group or take it out, and return what became of it."""
        name, group = action["connectionId"], action["groupName"]
        adds = action["action"] == "add"
        request = ask.JoinGroupWithAck(name, group) if adds else ask.LeaveGroupWithAck(name, group)
        try:
            return _outcome(await self._any().ask(request))
        except BrokenError:
            return IN_FLIGHT

    def _any(self) -> ServerConnection:
        """Return the next connection that is open.

        Raises:
            BrokenError: None is.
        """
        for _ in self._connections:
            if (connection := next(self._turns)).is_open:
                return connection
        raise BrokenError

    def _hear(self, client: _Client, data: bytes) -> None:
        records = client.reader.feed(data)
        if not client.is_greeted and records:
            client.is_greeted = True
            del records[0]
            self._spawn(_answer(client, _SHAKEN, _HANDSHAKE_ANSWER))
        for record in records:
            if record["type"] == INVOCATION:
                self._spawn(_invoke(client, record))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _invoke(client: _Client, called: Json) -> None:
    """Carry out a method by the client's own connection, and answer when the service has done."""
    arguments = called["arguments"]
    try:
        match called["target"], arguments:
            case "sendMessage", [text]:
                body = payloads(_MESSAGE, [client.connection_id, text])
                await client.server.ask(_receipt(), sends.BroadcastData((), body))
                outcome = ACCEPTED
            case "sendToGroup", [group, text]:
                body = payloads(_MESSAGE, [client.connection_id, text])
                await client.server.ask(_receipt(), sends.GroupBroadcastData(group, (), body))
                outcome = ACCEPTED
            case "joinGroup", [group]:
                request = ask.JoinGroupWithAck(client.connection_id, group)
                outcome = _outcome(await client.server.ask(request))
            case unknown, _:
                outcome = f"no method {unknown}"
    except BrokenError:
        # The client is gone with its connection.
        return
    error = {} if outcome == ACCEPTED else {"error": outcome}
    answer = {"type": COMPLETION, "invocationId": called["invocationId"], **error}
    await _answer(client, json.dumps(answer).encode() + b"\x1e")


async def _answer(client: _Client, data: bytes, data_type: int = 0) -> None:
    try:
        await client.server.say(ConnectionData(client.connection_id, data, data_type=data_type))
    except BrokenError:
        return


def _message(item: Json) -> Message:
    body = payloads(item["target"], item["arguments"])
    excluded = item.get("excluded", ())
    if "connectionId" in item:
        return sends.MultiConnectionData((item["connectionId"],), body)
    if "userId" in item:
        return sends.UserData(item["userId"], body)
    if "groupName" in item:
        return sends.GroupBroadcastData(item["groupName"], excluded, body)
    return sends.BroadcastData(excluded, body)


def _receipt() -> ask.CheckConnectionExistenceWithAck:
    """Return a request that does nothing but to have an answer."""
    return ask.CheckConnectionExistenceWithAck(_NOBODY)


def _outcome(answer: Ack) -> str:
    return ACCEPTED if answer.status == _DONE else NOT_FOUND
