"""Carries out a plan with clients, and enters what it does in the ledger."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final

from .account.journal import FailureKind, now
from .account.ledger import EVERYONE, Audience, Kind, Message
from .clients.app import ACCEPTED, UnusableAnswerError
from .clients.client import MESSAGE, Client, Profile
from .clients.net import Net
from .clients.transports import RefusedError, TransportKind
from .plan import Act, Crowd, Step, Target

__all__ = ["Traffic", "broadcast_body", "kept_alive", "until"]

_KINDS: Final = tuple(TransportKind)
_SHARES: Final = (0.8, 0.1, 0.1)
_BATCH_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 0.05
_PING_SECONDS: Final = 10.0
"""Between two pings of a client; the service gives it up after 30 seconds of silence."""

_MOST_UNDER_WAY: Final = 1000
"""Acts at a time; more are left out while the app stands still."""

_PADDING: Final = "x" * 200


class Traffic:
    """Clients, and what happens to them.

    Args:
        net: What the clients share.
        people: How many of them there are.
        seed: Chooses transports and spreads attempts.
    """

    def __init__(self, net: Net, people: Crowd, seed: int) -> None:
        self._net = net
        chance = random.Random(seed)
        self.clients = [
            Client(_profile(number, people, chance), net, chance.random())
            for number in range(people.clients)
        ]
        self._streams: defaultdict[Audience, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way = 0

    @property
    def connected(self) -> int:
        """How many clients are connected."""
        return sum(client.connection is not None for client in self.clients)

    @contextlib.asynccontextmanager
    async def connecting(self, per_second: float) -> AsyncIterator[None]:
        """Keep all clients connected for as long as the context lasts; they are at its beginning.

        Args:
            per_second: How many of them connect in each second of the beginning.
        """
        batch = max(1, round(per_second * _BATCH_SECONDS))
        lives: list[asyncio.Task[None]] = []
        async with kept_alive(self.clients, self._net):
            for start in range(0, len(self.clients), batch):
                those = self.clients[start : start + batch]
                lives += [asyncio.create_task(client.live()) for client in those]
                await asyncio.sleep(_BATCH_SECONDS)
            await until(lambda: self.connected == len(self.clients) and not self._net.tasks)
            try:
                yield
            finally:
                # Nobody comes back any more, so that the last of them leaves once.
                for task in lives:
                    task.cancel()
                await asyncio.gather(*lives, return_exceptions=True)
                await asyncio.gather(*(client.leave(abruptly=False) for client in self.clients))
                await self.quiet()

    async def run(self, steps: Iterator[Step]) -> None:
        """Do what a plan says, each act at its time, until cancelled."""
        began = now()
        for step in steps:
            wait = began + step.at - now()
            if wait > 0:
                await asyncio.sleep(wait)
            if self._under_way >= _MOST_UNDER_WAY:
                self._net.journal.count("acts.left out")
            else:
                self._under_way += 1
                self._net.spawn(self._do(step))

    async def quiet(self) -> None:
        """Wait until nothing is under way."""
        while self._net.tasks:
            await asyncio.wait(set(self._net.tasks))

    async def _do(self, step: Step) -> None:
        try:
            await self._act(step)
        finally:
            self._under_way -= 1

    async def _act(self, step: Step) -> None:
        client = self.clients[step.client]
        group = f"group-{step.group}"
        match step.act:
            case Act.SEND | Act.SEND_TO_EVERYONE | Act.SEND_LIST:
                await self._send(step.targets, step.excluded)
            case Act.SAY:
                await self._say(client, EVERYONE, "sendMessage")
            case Act.SAY_TO_GROUP:
                await self._say(client, Audience(Kind.GROUP, group), "sendToGroup", group)
            case Act.NEGOTIATE:
                with contextlib.suppress(RefusedError):
                    await self._net.negotiate(client.profile.user)
            case Act.JOIN:
                await client.join(group, by_invocation=step.coin)
            case Act.QUIT:
                await self._next_member(step.client).quit(step.group)
            case Act.LEAVE | Act.CUT:
                self._net.journal.count(f"drops.{step.act.value}")
                await client.leave(abruptly=step.act is Act.CUT, pause=step.pause)

    def _next_member(self, start: int) -> Client:
        """Return the first client from a number on that is in several groups, or that very one."""
        around = self.clients[start:] + self.clients[:start]
        return next((client for client in around if client.is_in_several), around[0])

    async def _send(self, targets: Sequence[Target], excluded: Sequence[int]) -> None:
        """Send messages, after those to the same recipients that are under way."""
        audiences = [each for target in targets if (each := self._audience(target)) is not None]
        async with contextlib.AsyncExitStack() as stack:
            for audience in sorted(set(audiences), key=lambda each: (each.kind.value, each.name)):
                await stack.enter_async_context(self._streams[audience])
            spared = frozenset(filter(None, map(self._connection_id, excluded)))
            await self._broadcast(audiences, spared)

    async def _broadcast(self, audiences: Sequence[Audience], excluded: frozenset[str]) -> None:
        if not audiences:
            return
        began = now()
        request = len(self._net.ledger.messages) + 1
        messages = [
            self._net.ledger.send(audience, began, request=request, index=index, excluded=excluded)
            for index, audience in enumerate(audiences)
        ]
        try:
            outcomes = await self._net.app.broadcast(
                [broadcast_body(message) for message in messages]
            )
        except UnusableAnswerError as error:
            outcomes = [str(error)] * len(messages)
        else:
            self._net.journal.took("send", began)
        for message, outcome in zip(messages, outcomes, strict=True):
            self._settle(message, outcome, FailureKind.SEND)

    async def _say(self, client: Client, audience: Audience, method: str, *names: str) -> None:
        connection = client.connection
        if connection is None:
            return
        self._net.journal.count("upstream calls")
        message = self._net.ledger.send(audience, now())
        outcome = await client.invoke(method, *names, f"{message.number} {_PADDING}")
        if outcome == ACCEPTED or connection.is_open:
            self._settle(message, outcome, FailureKind.INVOCATION)
        else:
            # Whose connection ended does not hear what became of it.
            message.settle(now(), accepted=False)

    def _settle(self, message: Message, outcome: str, kind: FailureKind) -> None:
        accepted = outcome == ACCEPTED
        message.settle(now(), accepted=accepted)
        self._net.journal.count(f"messages.{message.audience.kind.value}")
        if not accepted:
            self._net.journal.failed(kind, outcome, message.sent_at)

    def _audience(self, target: Target) -> Audience | None:
        match target.kind:
            case Kind.CONNECTION:
                connection_id = self._connection_id(target.number)
                return None if connection_id is None else Audience(target.kind, connection_id)
            case Kind.EVERYONE:
                return EVERYONE
            case _:
                return Audience(target.kind, f"{target.kind.value}-{target.number}")

    def _connection_id(self, client: int) -> str | None:
        connection = self.clients[client].connection
        return None if connection is None else connection.connection_id


@contextlib.asynccontextmanager
async def kept_alive(clients: Sequence[Client], net: Net) -> AsyncIterator[None]:
    """Have each client send a ping in its turn until the end of the block.

    Args:
        clients: The clients. Who is not connected sends none.
        net: What they share.
    """
    pinging = asyncio.create_task(_ping(clients, net))
    try:
        yield
    finally:
        pinging.cancel()


async def _ping(clients: Sequence[Client], net: Net) -> None:
    """Have clients send their pings, however late this program is."""
    began, turn = now(), 0
    while True:
        due = (now() - began) / _PING_SECONDS * len(clients)
        while turn < due:
            net.spawn(clients[turn % len(clients)].ping())
            turn += 1
        await asyncio.sleep(_BATCH_SECONDS)


def _profile(number: int, people: Crowd, chance: random.Random) -> Profile:
    return Profile(
        number,
        f"user-{number % people.users}",
        f"group-{number % people.groups}",
        chance.choices(_KINDS, _SHARES)[0],
    )


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again until something holds that others bring about."""
    while not condition():  # noqa: ASYNC110  many things bring it about, without an event
        await asyncio.sleep(_LOOK_SECONDS)


_FIELDS: Final = {Kind.USER: "userId", Kind.GROUP: "groupName", Kind.CONNECTION: "connectionId"}


def broadcast_body(message: Message) -> dict[str, Any]:
    """Return what asks the app to send a message."""
    body: dict[str, Any] = {
        "target": MESSAGE,
        "arguments": ["load", f"{message.number} {_PADDING}"],
    }
    if message.audience.kind in _FIELDS:
        body[_FIELDS[message.audience.kind]] = message.audience.name
    if message.excluded:
        body["excluded"] = sorted(message.excluded)
    return body
