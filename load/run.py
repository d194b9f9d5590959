"""One run: clients connect, traffic flows, something may disturb it, and the account is made."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from .account.checker import Verdict, check, missing
from .account.journal import Journal, now
from .account.ledger import Ledger
from .account.measures import Sampler
from .clients.app import App
from .clients.net import Net
from .plan import crowd, plan, rates
from .traffic import Traffic, until

__all__ = ["PATIENCE", "Options", "Outcome", "Running", "World", "carry_out", "say", "shared_net"]

PATIENCE: Final = 10.0
"""Seconds that a message may take after its sender was told that it is sent."""

_LAST_WAIT: Final = 30.0
"""Seconds that are waited at the end for what is missing."""

_CONNECTS_PER_SECOND: Final = 60.0
_REQUEST_TIMEOUT: Final = 40.0
_SAMPLES: Final = 120
_PROGRESS_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """What is chosen about a run.

    Args:
        clients: How many clients there are.
        seconds: How long traffic flows, at least.
        seed: Decides what happens when.
    """

    clients: int
    seconds: float
    seed: int


class Running(Protocol):
    """What is under load."""

    @property
    def app_url(self) -> str:
        """Where the routes of the app are."""

    @property
    def programs(self) -> Mapping[str, int]:
        """The processes by name, this one included."""


@dataclass(frozen=True, slots=True)
class World[R: Running]:
    """A run under way.

    Args:
        rig: What is under load.
        net: What the clients share.
        traffic: The clients.
    """

    rig: R
    net: Net
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Args:
        verdict: Whether every message came as it should.
        ledger: What was sent and came.
        journal: What else happened.
        sampler: What it cost.
        seconds: How long traffic flowed.
    """

    verdict: Verdict
    ledger: Ledger
    journal: Journal
    sampler: Sampler
    seconds: float


async def carry_out[R: Running](
    rig: R, options: Options, disturb: Callable[[World[R]], Awaitable[None]] | None = None
) -> Outcome:
    """Do a run.

    Args:
        rig: What is under load.
        options: What is chosen.
        disturb: Goes on beside the traffic, which flows until it is done.
    """
    async with shared_net(rig) as net:
        world = World(rig, net, Traffic(net, crowd(options.clients), options.seed))
        say(f"connecting {options.clients:,} clients")
        async with world.traffic.connecting(_CONNECTS_PER_SECOND):
            sampler = Sampler(lambda: rig.programs)
            began = now()
            watching = asyncio.create_task(_watch(world, sampler, options))
            people = crowd(options.clients)
            steps = plan(options.seed, people, rates(options.clients))
            flowing = asyncio.create_task(world.traffic.run(steps))
            if disturb is None:
                await asyncio.sleep(options.seconds)
            else:
                await disturb(world)
            flowing.cancel()
            seconds = now() - began
            await world.traffic.quiet()
            watching.cancel()
            await _arrivals(world)
            end = now()
        # Judging takes time, in which nobody would answer the service.
        verdict = check(world.net.ledger, patience=PATIENCE, end=end)
        return Outcome(verdict, world.net.ledger, world.net.journal, sampler, seconds)


@contextlib.asynccontextmanager
async def shared_net(rig: Running) -> AsyncIterator[Net]:
    """Give what all clients of a run share, until the end of the block."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=_REQUEST_TIMEOUT),
    ) as session:
        yield Net(session, App(session, rig.app_url), Ledger(), Journal())


async def _arrivals(world: World[Running]) -> None:
    """Wait for what is due, but not for ever."""
    since = now() - 2 * _LAST_WAIT
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WAIT):
            await until(lambda: not missing(world.net.ledger, patience=PATIENCE, since=since))


async def _watch(world: World[Running], sampler: Sampler, options: Options) -> None:
    """Take samples and say how it goes."""
    pause = max(0.5, options.seconds / _SAMPLES)
    spoke = began = now()
    while True:
        sampler.sample()
        await asyncio.sleep(pause)
        if now() - spoke >= _PROGRESS_SECONDS:
            spoke = now()
            say(_progress(world, sampler, spoke - began))


def _progress(world: World[Running], sampler: Sampler, seconds: float) -> str:
    ledger, journal = world.net.ledger, world.net.journal
    received = sum(len(each.numbers) for each in ledger.connections)
    return (
        f"{seconds:5.0f} s  {world.traffic.connected:,} connected, {len(ledger.messages):,} sent,"
        f" {received:,} received, {journal.counts['negotiations']:,} negotiations,"
        f" {len(journal.failures)} failures, CPU {sampler.machine_share():.0%}"
    )


def say(text: str) -> None:
    """Tell whoever watches."""
    print(text, flush=True)
