"""One client: negotiates, connects, listens, comes back when its connection ends."""

import asyncio
import random
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any, Final

from ..account.journal import FailureKind, now
from ..account.ledger import Connection, Membership
from .app import ACCEPTED, UnusableAnswerError
from .hub_protocol import (
    CLOSE,
    COMPLETION,
    INVOCATION,
    PING,
    Record,
    RecordReader,
    invocation,
)
from .net import Net
from .transports import (
    EndedError,
    RefusedError,
    Transport,
    TransportKind,
    connect,
    shake_hands,
)

__all__ = ["CLOSED_TO_RETURN", "MESSAGE", "Client", "Profile"]

MESSAGE: Final = "newMessage"
"""Target of the messages that carry numbers, in the second argument."""

CLOSED_TO_RETURN: Final = "(closed without an error, and may come back)"
"""How the service ends a connection whose authentication has ended."""

_MAY_RETURN: Final = {"type": CLOSE, "allowReconnect": True}

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0
_INVOCATION_TIMEOUT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client is.

    Args:
        number: Its number.
        user: Its user.
        group: The group that it joins whenever it has connected.
        kind: Its transport.
        session_end: When the session ends in which it negotiates, in epoch seconds; `None` where
            the app does not know that.
    """

    number: int
    user: str
    group: str
    kind: TransportKind
    session_end: float | None = None


class Client:
    """A client that keeps itself connected.

    Args:
        profile: What it is.
        net: What it shares with others.
        seed: Spreads its attempts to connect.
    """

    def __init__(self, profile: Profile, net: Net, seed: float) -> None:
        self.profile = profile
        self.connection: Connection | None = None
        self.connection_token = ""
        self._net = net
        self._random = random.Random(seed)
        self._transport: Transport | None = None
        self._listening: asyncio.Task[None] | None = None
        self._joining = asyncio.Lock()
        self._pause = 0.0
        self._numbers = count(1)
        self._calls: dict[str, asyncio.Future[str]] = {}

    @property
    def is_in_several(self) -> bool:
        """Whether it has entered another group beside its own."""
        return self.connection is not None and len(_stays(self.connection)) > 1

    async def live(self) -> None:
        """Be connected, again and again, until cancelled."""
        failures = 0
        while True:
            try:
                await self.connect()
            except RefusedError:
                failures += 1
                longest = min(_FIRST_PAUSE * 2**failures, _LONGEST_PAUSE)
                await asyncio.sleep(longest * self._random.uniform(0.5, 1.0))
                continue
            failures = 0
            if self._listening is not None:
                await asyncio.wait([self._listening])
            await asyncio.sleep(self._pause)
            self._pause = 0.0

    async def connect(self) -> None:
        """Negotiate, connect and listen.

        Raises:
            RefusedError: The app or the service does not want it.
        """
        journal = self._net.journal
        profile = self.profile
        url, token, connection_id, connection_token = await self._net.negotiate(
            profile.user, profile.session_end
        )
        began = now()
        reader = RecordReader()
        try:
            transport = await connect(profile.kind, self._net.session, url, token)
            early = await shake_hands(transport, reader)
        except (RefusedError, EndedError, TimeoutError) as error:
            journal.failed(FailureKind.CONNECTION, f"{error}" or "handshake: no answer", began)
            raise RefusedError(str(error)) from None
        journal.count(f"connects.{profile.kind.value}")
        opened = self._net.ledger.open(profile.number, profile.user, connection_id, now())
        self.connection, self._transport = opened, transport
        self.connection_token = connection_token
        reasons: list[str] = []
        for record in early:
            self._take(record, opened, reasons)
        self._listening = asyncio.create_task(self._listen(opened, transport, reader, reasons))
        self._net.spawn(self.join(profile.group))

    async def leave(self, *, abruptly: bool, pause: float = 0.0) -> None:
        """End the connection, and open another one after a pause in seconds."""
        connection, transport, listening = self.connection, self._transport, self._listening
        if connection is None or transport is None or listening is None:
            return
        self._pause = pause
        connection.leaving_at = now()
        self._forget()
        if abruptly:
            await transport.cut()
        listening.cancel()
        if not abruptly:
            await transport.close()

    async def ping(self) -> None:
        """Show the service that the client is there; who polls does so anyway."""
        if self.profile.kind is not TransportKind.LONG_POLLING:
            await self._send(PING)

    async def invoke(self, target: str, *arguments: object) -> str:
        """Call a method of the hub and return "accepted", or what went wrong."""
        name = str(next(self._numbers))
        completed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._calls[name] = completed
        try:
            if not await self._send(invocation(name, target, *arguments)):
                return "not sent"
            return await asyncio.wait_for(completed, _INVOCATION_TIMEOUT)
        except TimeoutError:
            return "no completion"
        finally:
            self._calls.pop(name, None)

    async def join(self, group: str, *, by_invocation: bool = False) -> None:
        """Enter a group, by the REST API or by a method of the hub."""
        async with self._joining:
            connection = self.connection
            if connection is None or group in {stay.group for stay in _stays(connection)}:
                return
            stay = Membership(group, now())
            connection.memberships.append(stay)
            if by_invocation:
                outcome = await self.invoke("joinGroup", group)
            else:
                outcome = await self._group_action("add", group, connection)
            if self._settled("join", outcome, connection, stay.join_asked):
                stay.joined = now()

    async def quit(self, choice: int) -> None:
        """Leave one of the groups that it has entered since it connected, if there is one.

        Args:
            choice: Any number, which decides between several.
        """
        async with self._joining:
            connection = self.connection
            if connection is None:
                return
            # The first one is that of every connection.
            stays = _stays(connection)[1:]
            if not stays:
                return
            stay = stays[choice % len(stays)]
            stay.leave_asked = now()
            outcome = await self._group_action("remove", stay.group, connection)
            if self._settled("quit", outcome, connection, stay.leave_asked):
                stay.left = now()

    async def _listen(
        self,
        connection: Connection,
        transport: Transport,
        reader: RecordReader,
        reasons: list[str],
    ) -> None:
        try:
            while True:
                data = await transport.receive()
                connection.heard_at = now()
                for record in reader.feed(data):
                    self._take(record, connection, reasons)
        except EndedError as error:
            self._lose(connection, " ".join([str(error), *reasons]))
            await transport.cut()

    def _lose(self, connection: Connection, detail: str) -> None:
        """Take note that the connection has ended, unless the client has left it."""
        if connection.is_open:
            connection.lost_at = now()
            self._forget()
            self._net.journal.failed(FailureKind.LOSS, detail, connection.heard_at)

    def _take(self, record: dict[str, Any], connection: Connection, reasons: list[str]) -> None:
        kind = record.get("type")
        if kind == INVOCATION:
            if record["target"] == MESSAGE:
                connection.receive(int(record["arguments"][1].partition(" ")[0]), now())
        elif kind == COMPLETION:
            call = self._calls.get(record["invocationId"])
            if call is not None and not call.done():
                call.set_result(record.get("error", ACCEPTED))
        elif kind == CLOSE:
            reasons.append(CLOSED_TO_RETURN if record == _MAY_RETURN else f"({_reason(record)})")

    def _forget(self) -> None:
        self.connection = self._transport = None
        for call in self._calls.values():
            if not call.done():
                call.set_result("the connection ended")

    async def _group_action(self, action: str, group: str, connection: Connection) -> str:
        try:
            return await self._net.app.group(
                {
                    "action": action,
                    "groupName": group,
                    "connectionId": connection.connection_id,
                }
            )
        except UnusableAnswerError as error:
            return str(error)

    def _settled(self, what: str, outcome: str, connection: Connection, began: float) -> bool:
        if outcome == ACCEPTED:
            self._net.journal.count(f"groups.{what}")
            return True
        # Of a connection that ended meanwhile nothing else can be expected.
        if connection.is_open:
            self._net.journal.failed(FailureKind.GROUP, outcome, began)
        return False

    async def _send(self, data: bytes) -> bool:
        """Send something, and give the connection up when the service does not take it."""
        connection, transport, listening = self.connection, self._transport, self._listening
        if connection is None or transport is None or listening is None:
            return False
        try:
            await transport.send(data)
        except EndedError as error:
            self._lose(connection, str(error))
            listening.cancel()
            await transport.cut()
            return False
        return True


def _reason(record: Record) -> str:
    return str(record.get("error", "closed without an error"))


def _stays(connection: Connection) -> list[Membership]:
    """Return the stays in groups that are not over."""
    return [stay for stay in connection.memberships if stay.leave_asked == inf]
