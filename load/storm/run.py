"""The storm itself.

Microsoft's client asks when its token has a fixed time left, by no chance, and never a second time:
who has connected together asks together, and whoever is refused is not renewed.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..account.journal import FailureKind, Journal, now
from ..account.ledger import EVERYONE
from ..account.measures import Sampler
from ..clients.app import UnusableAnswerError
from ..clients.client import Client, Profile
from ..clients.net import Net
from ..clients.transports import RefusedError, TransportKind
from ..rig import Rig
from ..run import say, shared_net
from ..traffic import broadcast_body, kept_alive, until

__all__ = ["Aftermath", "carry_out"]

_SESSION: Final = 1800.0
"""Seconds from one end of a session to the next. A client token may last for longer."""

_PAST_END: Final = 5.0
"""Seconds after the old end at which nobody may still be on time."""

_AT_ONCE: Final = 50
"""Clients that connect at a time, before the storm."""

_GROUPS: Final = 50
_PATIENCE: Final = 20.0
"""Seconds that the service has to close what has ended, and to deliver a message to all others."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What a storm came to.

    Args:
        journal: What went well and what did not, and how long each renewal took from its moment.
        connected: How many were connected before it, of those that asked.
        stayed: How many of them are connected past their old end.
        heard: How many of them hear of a message then.
        forgetful_is_gone: Whether the client that did not ask has lost its connection.
        sampler: What it cost.
        seconds: How long it took until all were answered.
    """

    journal: Journal
    connected: int
    stayed: int
    heard: int
    forgetful_is_gone: bool
    sampler: Sampler
    seconds: float


async def carry_out(rig: Rig, clients: int) -> Aftermath:
    """Let clients connect, renew their sign-ins all at once, and live past their old end.

    Args:
        rig: What is under load; its app has the service close what has ended.
        clients: How many of them ask. One more does not.
    """
    async with shared_net(rig) as net:
        end = time.time() + _SESSION
        everyone = [Client(_profile(number, end), net, 0.0) for number in range(clients + 1)]
        *asking, forgetful = everyone
        async with kept_alive(everyone, net):
            say(f"connecting {clients:,} clients, and one that will not renew its sign-in")
            await _connect(everyone)
            await until(lambda: not net.tasks)
            connected = _connected(asking)
            say("all of them ask in the same second")
            sampler, began = Sampler(lambda: rig.programs), now()
            await asyncio.gather(*(_renew(net, client, end + _SESSION, began) for client in asking))
            seconds = now() - began
            sampler.sample()
            say(f"answered after {seconds:.1f} s; the clock moves past the old end")
            await rig.pass_time(end - time.time() + _PAST_END)
            await _within_patience(lambda: forgetful.connection is None)
            heard = await _heard(net, asking)
            aftermath = Aftermath(
                net.journal,
                connected,
                _connected(asking),
                heard,
                forgetful.connection is None,
                sampler,
                seconds,
            )
            await asyncio.gather(*(client.leave(abruptly=False) for client in everyone))
        return aftermath


def _profile(number: int, session_end: float) -> Profile:
    group = f"group-{number % _GROUPS}"
    return Profile(number, f"user-{number}", group, TransportKind.WEB_SOCKETS, session_end)


async def _connect(clients: Sequence[Client]) -> None:
    """Connect each once. Who is refused stays away, which the journal tells."""
    waiting = iter(clients)

    async def one_after_another() -> None:
        for client in waiting:
            with contextlib.suppress(RefusedError):
                await client.connect()

    await asyncio.gather(*(one_after_another() for _ in range(_AT_ONCE)))


async def _renew(net: Net, client: Client, session_end: float, began: float) -> None:
    """Renew a sign-in, and take the time from the moment at which all are due."""
    try:
        await net.app.refresh(client.connection_token, client.profile.user, session_end)
    except UnusableAnswerError as error:
        net.journal.failed(FailureKind.REFRESH, str(error), began)
    else:
        net.journal.took("refresh", began)


async def _heard(net: Net, clients: Sequence[Client]) -> int:
    """Send everyone a message, and return how many of some clients hear of it."""
    message = net.ledger.send(EVERYONE, now())
    await net.app.broadcast([broadcast_body(message)])

    def hearing() -> int:
        return sum(
            each.connection is not None and message.number in each.connection.numbers
            for each in clients
        )

    await _within_patience(lambda: hearing() == _connected(clients))
    return hearing()


def _connected(clients: Sequence[Client]) -> int:
    return sum(client.connection is not None for client in clients)


async def _within_patience(condition: Callable[[], bool]) -> None:
    """Wait until something holds, but not for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await until(condition)
