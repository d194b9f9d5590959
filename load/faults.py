"""The faults of a chaos run: what each does, and what is promised while it lasts.

Each is a context: it disturbs from its entry to its exit. The promises are those of
docs/reliability.md.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from math import inf
from typing import Final
from urllib.parse import urlsplit

from .account.journal import FailureKind
from .rig import Rig

__all__ = ["FAULTS", "QUICK", "TIME_PASSES", "Fault"]

_MINUTE: Final = 60.0
_SKEW: Final = 4 * _MINUTE
_NOTHING: Final[frozenset[FailureKind]] = frozenset()

TIME_PASSES: Final = frozenset({FailureKind.LOSS, FailureKind.CONNECTION, FailureKind.NEGOTIATION})
"""What a leap of the clock may do: tokens that clients were about to use are too old at once."""

_REQUESTS: Final = frozenset({FailureKind.SEND, FailureKind.GROUP, FailureKind.INVOCATION})
_EXPIRED: Final = frozenset({FailureKind.LOSS})
"""Polls and requests to send show a token each time, and in a quarter of an hour some expire."""

type Disturbance = Callable[[Rig], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    Args:
        name: What.
        promised: What is promised, for people to read.
        disturbance: Does it.
        hold: Seconds for which it lasts.
        may_fail: What it may make fail.
        noticed_within: Seconds after which negotiations succeed again though it lasts.
        recovers_within: Seconds after its end within which the app says that all is well, and
            negotiations succeed.
        earlier: Seconds of clock time that pass before it.
    """

    name: str
    promised: str
    disturbance: Disturbance
    hold: float
    may_fail: frozenset[FailureKind] = _NOTHING
    noticed_within: float = inf
    recovers_within: float = 30.0
    earlier: tuple[float, ...] = ()


@asynccontextmanager
async def _identity_outage(rig: Rig) -> AsyncIterator[None]:
    async with rig.disturbing(operation="identity", status=500):
        for _ in range(5):
            await rig.pass_time(5 * _MINUTE)
        yield


@asynccontextmanager
async def _auth_api_storm(rig: Rig) -> AsyncIterator[None]:
    async with rig.disturbing(operation="getAccessKey", status=503):
        await rig.pass_time(6 * _MINUTE)
        yield


@asynccontextmanager
async def _too_many_requests(rig: Rig) -> AsyncIterator[None]:
    async with rig.disturbing(path="/api/hubs/*", status=429, headers={"Retry-After": "1"}):
        yield


@asynccontextmanager
async def _frozen_endpoint(rig: Rig) -> AsyncIterator[None]:
    port = urlsplit(rig.emulator.service_urls[-1]).port
    async with rig.disturbing(port=port, action="freeze"):
        yield


@asynccontextmanager
async def _revoked_keys(rig: Rig) -> AsyncIterator[None]:
    state = await rig.control("GET", "state")
    for resource in state["resources"].values():
        for key_id in resource["liveKeys"]:
            await rig.control("POST", f"keys/{key_id}/revoke")
    yield
    await rig.pass_time(5 * _MINUTE)


@asynccontextmanager
async def _dropped_clients(rig: Rig) -> AsyncIterator[None]:
    await rig.control("POST", "clients/drop", {"share": 0.5, "seed": 1})
    yield


def _skewed(seconds: float) -> Disturbance:
    @asynccontextmanager
    async def disturbance(rig: Rig) -> AsyncIterator[None]:
        rig.set_skew(seconds)
        yield
        rig.set_skew(0.0)

    return disturbance


@asynccontextmanager
async def _killed_worker(rig: Rig) -> AsyncIterator[None]:
    rig.kill_worker()
    yield


@asynccontextmanager
async def _restarted_host(rig: Rig) -> AsyncIterator[None]:
    await rig.restart_app()
    yield


FAULTS: Final = (
    Fault(
        "identity endpoint down for 25 minutes, as key and Entra token end",
        "Every negotiation is served, by the key at hand. Sends fail with 503 once the Entra token"
        " has ended, and at no time after the fault. The key is replaced within 30 s.",
        _identity_outage,
        hold=5.0,
        may_fail=_REQUESTS | _EXPIRED,
        # An Entra token lasts for a day. It ends ten minutes after the fault begins, when the key
        # is fifty minutes old.
        earlier=(23 * 60 * _MINUTE + 10 * _MINUTE, 40 * _MINUTE),
    ),
    Fault(
        "auth API answers 503 while the key is due",
        "Every negotiation is served, by the key at hand; nothing else notices. The key is replaced"
        " within 30 s.",
        _auth_api_storm,
        hold=5.0,
        may_fail=_EXPIRED,
        earlier=(55 * _MINUTE,),
    ),
    Fault(
        "REST API answers 429 with Retry-After 1 for 2 s",
        "Every request is repeated and accepted; none is sent twice.",
        _too_many_requests,
        hold=2.0,
        recovers_within=2.0,
    ),
    Fault(
        "one of two endpoints freezes",
        "New clients go to the other one after three failed checks, at most 27 s; sends reach it,"
        " and say that they are partial.",
        _frozen_endpoint,
        hold=45.0,
        may_fail=frozenset(FailureKind),
        noticed_within=27.0,
    ),
    Fault(
        "access keys revoked",
        "The service refuses the app's tokens until the app, which checks its key every 5 minutes,"
        " notices and gets another one. WebSockets stay, and sends are not concerned.",
        _revoked_keys,
        hold=4.0,
        # Polls and requests to send show a token that is no good any more.
        may_fail=frozenset(FailureKind) - {FailureKind.SEND},
        recovers_within=10.0,
    ),
    Fault(
        "half of the clients dropped",
        "They come back with new tokens; nobody else notices.",
        _dropped_clients,
        hold=0.0,
        may_fail=frozenset({FailureKind.LOSS, FailureKind.GROUP, FailureKind.INVOCATION}),
    ),
    Fault(
        "app's clock 4 minutes fast",
        "A service that tolerates no difference, as the emulator, refuses client tokens that begin"
        " in its future until the clock is right. Clients stay connected, and sends, groups and"
        " methods are not concerned.",
        _skewed(_SKEW),
        hold=5.0,
        may_fail=frozenset({FailureKind.NEGOTIATION, FailureKind.CONNECTION}),
        recovers_within=10.0,
    ),
    Fault(
        "app's clock 4 minutes slow",
        "Nothing fails.",
        _skewed(-_SKEW),
        hold=5.0,
        recovers_within=10.0,
    ),
    Fault(
        "a worker process of two killed",
        "The requests that it has get 500, and whoever sent one does not know; the other process"
        " takes the next ones, until it is replaced.",
        _killed_worker,
        hold=0.0,
        may_fail=_REQUESTS | {FailureKind.NEGOTIATION},
    ),
    Fault(
        "host restarted",
        "No request is answered until it is back; clients stay connected.",
        _restarted_host,
        hold=0.0,
        may_fail=_REQUESTS | {FailureKind.NEGOTIATION},
    ),
)
"""Every fault, in the order in which they are tried."""

_QUICK: Final = (_too_many_requests, _dropped_clients, _killed_worker, _revoked_keys)
QUICK: Final = tuple(
    fault for disturbance in _QUICK for fault in FAULTS if fault.disturbance is disturbance
)
"""Those that take seconds."""
