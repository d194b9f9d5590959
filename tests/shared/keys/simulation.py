"""Drives the access key of one endpoint through every fault, in virtual time and by chance.

    python -m tests.shared.keys.simulation --schedules 100000 --seed 1

The library's own code runs, from the rotation's thread over flows and retries to the Entra token;
the world around it is made up: clocks, threads, identity endpoint and service. There is one real
thread. Whenever the code waits for an answer, time passes, and while it passes other things happen:
callers come, clocks are set, the process is frozen or forks. The same seed gives the same trace.
"""

import argparse
import contextlib
import json
import logging
import math
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Any, Final, NamedTuple

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.endpoints.endpoint import ServiceEndpoint, TokenRequest
from shared.errors import ServiceError
from shared.identity.entra_tokens import EntraTokens
from shared.identity.token import LONGEST_WAIT, Token
from shared.keys.access_key import LIFETIME, AccessKey
from shared.settings.endpoint import Endpoint
from shared.transport.flow import (
    Effect,
    EffectResult,
    GetToken,
    NoAnswerError,
    Request,
    Response,
    Sleep,
)

__all__ = ["Violation", "World", "simulate"]

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
_PATIENCE: Final = 10.0
"""Seconds that a caller waits for a key: `Timeouts.key`."""
_HEALED_WITHIN: Final = 60.0
"""Seconds after the end of all faults within which a caller succeeds: docs/reliability.md."""
_LONGEST_REST: Final = 30.0
_LONGEST_TOLD: Final = 60.0
_SILENCE: Final = 15.0
"""Seconds after which a request without an answer is given up: `Timeouts.read`."""
_DEEPEST: Final = 3
_MOST_RUNS: Final = 200


class Violation(BaseException):  # what is looked for: no code may catch it as an error
    """A promise is broken; the message names the promise, the seed and the last events."""


class ForkError(BaseException):
    """The process forks: in the child the thread that was at work is gone."""


class AuthApi(Enum):
    """How the service answers who asks for a key."""

    GIVES = "gives"
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    THROTTLES = 429
    FAILS = 500
    UNAVAILABLE = 503
    NONSENSE = "nonsense"
    HANGS = "hangs"
    RESETS = "resets"


class Identity(Enum):
    """How the identity endpoint answers."""

    GIVES = "gives"
    REFUSES = "refuses"
    HANGS = "hangs"
    NONSENSE = "nonsense"


class Received(NamedTuple):
    """A key that the service has given, and when it was asked for by both clocks."""

    key_id: str
    wall: float
    steady: float


@dataclass
class Waiting:
    """A caller that waits.

    Args:
        since: When it came, by the steady clock.
        outcome: What it waits for.
        patience: For how many seconds.
    """

    since: float
    outcome: Future[Any]
    patience: float


@dataclass
class World:
    """One process, its clocks and threads, and what it speaks to.

    Args:
        seed: What chance goes by.
    """

    seed: int
    wall: float = 1_700_000_000.0
    steady: float = 1_000.0
    true: float = 1_700_000_000.0
    auth_api: AuthApi = AuthApi.GIVES
    identity: Identity = Identity.GIVES
    are_threads_refused: bool = False
    is_calm: bool = False
    has_thread: bool = False
    next_run: float = 0.0
    depth: int = 0
    key_requests: int = 0
    identity_requests: int = 0
    late_by: float = 0.0
    served: int = 0
    last: str = ""
    runs: int = 0
    known_from: dict[str, float] = field(default_factory=dict)
    received: dict[str, Received] = field(default_factory=dict)
    alive: dict[str, Received] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.tokens = EntraTokens(
            lambda: _Credential(self), clock=lambda: self.wall, spawn=lambda work: work()
        )
        self.endpoint = ServiceEndpoint(
            Endpoint("https://contoso.service.signalr.net"),
            self.tokens,
            self.perform,
            clock=lambda: self.wall,
            steady=lambda: self.steady,
            jitter=self.chance.random,
            spawn=self.spawn,
        )

    # What the library asks of the world.

    def spawn(self, _: Callable[[], None]) -> None:
        """Give a thread, or none; its body is run by `run_thread`."""
        if self.are_threads_refused:
            self.note("thread refused")
            raise RuntimeError("can't start new thread")
        self.has_thread = True
        self.next_run = self.steady

    def perform(self, effect: Effect) -> EffectResult:
        """Do an effect of a flow, in virtual time."""
        match effect:
            case GetToken(source, url, rejected):
                return source.get(url, rejected)
            case Sleep(seconds):
                self.elapse(seconds)
                return None
            case Request():
                is_key = effect.operation == "access_key"
                return self.give_key() if is_key else self.judge(effect)
            case _:
                raise AssertionError(effect)

    def give_key(self) -> Response:
        """Answer who asks for a key."""
        asked = Received("", self.wall, self.steady)
        self.key_requests += 1
        self.promise(self.key_requests == 1, "one key request at a time")
        try:
            self.answer_time(hangs=self.auth_api is AuthApi.HANGS)
        finally:
            self.key_requests -= 1
        self.note(f"auth API {self.auth_api.value}")
        match self.auth_api:
            case AuthApi.GIVES:
                return self.new_key(asked)
            case AuthApi.NONSENSE:
                return Response(200, {}, b'{"AccessKey":')
            case AuthApi.RESETS:
                raise NoAnswerError("reset", delivered=True)
            case _:
                asks = {"Retry-After": "86400"} if self.auth_api is AuthApi.THROTTLES else {}
                return Response(int(self.auth_api.value), asks)

    def new_key(self, asked: Received) -> Response:
        """Make a key, of which the service itself may hear a little later."""
        key_id = f"key-{len(self.known_from) + 1}"
        self.known_from[key_id] = self.true + self.late_by
        # A clock that was set back meanwhile does not make it younger.
        wall = min(asked.wall, self.wall)
        self.received[key_id] = self.alive[key_id] = Received(key_id, wall, asked.steady)
        self.forget_superseded()
        body = json.dumps({"KeyId": key_id, "AccessKey": "s" * 44}).encode()
        return Response(200, {}, body)

    def judge(self, request: Request) -> Response:
        """Answer a client that negotiates with the service, or a trial of a key."""
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.answer_time(hangs=not self.is_calm and self.chance.random() < 0.05)
        header, claims = (_decoded(each) for each in token.split(".")[:2])
        knows = self.true >= self.known_from.get(header["kid"], math.inf)
        is_valid = claims["nbf"] - 1 <= self.true < claims["exp"]
        self.note(f"trial of {header['kid']}: {knows and is_valid}")
        return Response(200 if knows and is_valid else 401, {})

    def give_token(self) -> AccessToken:
        """Answer as the identity endpoint does."""
        self.identity_requests += 1
        self.promise(self.identity_requests == 1, "one identity request at a time")
        try:
            self.answer_time(hangs=self.identity is Identity.HANGS, raises=False)
        finally:
            self.identity_requests -= 1
        self.note(f"identity endpoint {self.identity.value}")
        match self.identity:
            case Identity.GIVES:
                lasts = self.chance.choice([30 * MINUTE, HOUR, 24 * HOUR])
                return AccessToken("e30.e30.sig", int(self.wall + lasts))
            case Identity.NONSENSE:
                raise ValueError("no number")
            case _:
                raise ClientAuthenticationError(self.identity.value)

    def answer_time(self, *, hangs: bool, raises: bool = True) -> None:
        """Let the time of an answer pass; one that hangs is given up after 15 s."""
        slow = not self.is_calm and self.chance.random() < 0.2
        self.elapse(_SILENCE if hangs else self.chance.uniform(0.0, 14.0 if slow else 0.2))
        if hangs and raises:
            raise NoAnswerError("timed out", delivered=True)

    # Time, and what happens in it.

    def elapse(self, seconds: float) -> None:
        """Let time pass, in which other things may happen."""
        left = seconds
        while left > 0:
            piece = left if self.depth >= _DEEPEST else min(left, self.chance.expovariate(0.2))
            left -= piece
            self.tick(piece)
            if left > 0:
                self.something_happens()

    def tick(self, seconds: float) -> None:
        """Let all clocks run."""
        self.wall += seconds
        self.steady += seconds
        self.true += seconds
        self.forget_ended()
        self.look_at_waiting()

    def something_happens(self) -> None:
        """Do one thing by chance."""
        if self.is_calm:
            return
        self.depth += 1
        try:
            events, weights = zip(*self.events(), strict=True)
            self.chance.choices(events, weights)[0]()
        finally:
            self.depth -= 1

    def events(self) -> Iterator[tuple[Callable[[], None], float]]:
        """Give what may happen, and how often it does."""
        yield self.caller_comes, 12
        yield self.sender_comes, 4
        yield self.set_auth_api, 3
        yield self.set_identity, 3
        yield self.heal, 2
        yield self.set_clock, 1
        yield self.freeze, 1
        yield self.suspend, 1
        yield self.revoke, 0.5
        yield self.set_lateness, 1
        yield self.set_threads, 1
        yield self.fork, 0.3

    def run_thread(self) -> None:
        """Run the body of the rotation's thread once, if there is one and it does not rest."""
        if not self.has_thread or self.depth > 0:
            return
        try:
            self.runs += 1
            rest = self.endpoint.keys.run_once()  # type: ignore[union-attr]  # no local key here
        except ForkError:
            self.begin_again()
            return
        self.promise(0 <= rest <= _LONGEST_REST, f"no rest of more than 30 s ({rest:g} s)")
        # What was done took no time a few times in a row at most.
        self.runs = 0 if rest > 0 else self.runs
        self.promise(self.runs < _MOST_RUNS, "the thread does not spin")
        self.next_run = self.steady + rest
        self.look_at_waiting()

    def live(self, seconds: float) -> None:
        """Let the process live, its thread running whenever it is due."""
        until = self.steady + seconds
        while self.steady < until:
            if self.has_thread and self.next_run <= self.steady:
                self.run_thread()
                continue
            rest = min(until, self.next_run if self.has_thread else until) - self.steady
            piece = min(rest, self.chance.expovariate(1 / (2 * MINUTE)))
            self.tick(max(piece, 0.001))
            with contextlib.suppress(ForkError):
                self.something_happens()
                continue
            self.begin_again()

    # What may happen.

    def caller_comes(self) -> None:
        """Let a caller negotiate."""
        self.note("caller")
        key = self.endpoint.keys.current()
        self.next_run = min(self.next_run, self.steady)
        if key is not None:
            self.hand_out(key)
            return
        outcome = self.endpoint.keys.ask()  # type: ignore[union-attr]  # no local key here
        self.next_run = self.steady
        self.waiting.append(Waiting(self.steady, outcome, _PATIENCE))
        self.look_at_waiting()

    def sender_comes(self) -> None:
        """Let a sender ask for an Entra token, on a thread of its own if it is the first."""
        if self.tokens.cached() is not None:
            return
        asked = self.tokens.ask()
        self.waiting.append(Waiting(self.steady, asked.token, LONGEST_WAIT))
        if asked.work is None:
            return
        if self.are_threads_refused and asked.give_up is not None:
            asked.give_up(RuntimeError("can't start new thread"))
        else:
            asked.work()

    def set_auth_api(self) -> None:
        """Have the auth API answer otherwise."""
        self.auth_api = self.chance.choice(list(AuthApi))

    def set_identity(self) -> None:
        """Have the identity endpoint answer otherwise."""
        self.identity = self.chance.choice(list(Identity))

    def heal(self) -> None:
        """End the faults of others."""
        self.auth_api, self.identity, self.late_by = AuthApi.GIVES, Identity.GIVES, 0.0

    def set_clock(self) -> None:
        """Set the wall clock."""
        self.wall += self.chance.choice([3_660.0, 2 * HOUR, -HOUR, 61.0, -61.0])
        self.forget_ended()
        self.note("clock set")

    def freeze(self) -> None:
        """Stop the process for a while (SIGSTOP): every clock runs on."""
        seconds = self.chance.choice([30.0, 61 * MINUTE, 2 * HOUR])
        self.note(f"frozen for {seconds:g} s")
        self.wall, self.steady = self.wall + seconds, self.steady + seconds
        self.true += seconds
        self.thaw()

    def suspend(self) -> None:
        """Let the machine sleep for a while: its steady clock stands still."""
        seconds = self.chance.choice([30.0, 61 * MINUTE, 2 * HOUR])
        self.note(f"asleep for {seconds:g} s")
        self.wall, self.true = self.wall + seconds, self.true + seconds
        self.thaw()

    def thaw(self) -> None:
        """Go on after a pause, in which those who waited have gone."""
        self.waiting.clear()
        self.forget_ended()

    def revoke(self) -> None:
        """Have the service forget all keys that it has given."""
        self.known_from = dict.fromkeys(self.known_from, math.inf)

    def set_lateness(self) -> None:
        """Choose by how much the service hears later of new keys."""
        self.late_by = self.chance.choice([0.0, 5.0, 10 * MINUTE])

    def set_threads(self) -> None:
        """Have the system give threads, or none."""
        self.are_threads_refused = not self.are_threads_refused

    def fork(self) -> None:
        """Go on as the child process."""
        self.note("fork")
        raise ForkError

    def begin_again(self) -> None:
        """Be the child: it has what was in memory, and none of the threads or waiting callers."""
        self.has_thread = False
        self.key_requests = self.identity_requests = 0
        self.waiting.clear()
        self.endpoint.after_fork()

    # What is promised.

    def hand_out(self, key: AccessKey) -> None:
        """Sign a token, which has to be valid now."""
        try:
            token = self.endpoint.sign(key, TokenRequest("chat", "ann", None, 3600.0)).token
        except ServiceError:
            self.promise(not self.usable_keys(), "nobody is refused while there is a usable key")
            return
        claims = _decoded(token.split(".")[1])
        self.promise(claims["nbf"] <= self.wall < claims["exp"], "each token is valid when given")
        given = self.received[key.key_id]
        self.promise(
            self.steady < given.steady + LIFETIME and self.wall < given.wall + LIFETIME + 1,
            "each token is valid when given",
        )
        self.served += 1
        self.last = key.key_id
        self.forget_superseded()

    def look_at_waiting(self) -> None:
        """See what became of those who wait."""
        still: list[Waiting] = []
        done = self.waiting
        self.waiting = []
        for each in done:
            if each.outcome.done():
                self.settle(each)
            elif self.steady - each.since >= each.patience:
                if each.patience == _PATIENCE:
                    self.refused("waited 10 s")
            else:
                still.append(each)
        self.waiting += still

    def settle(self, waiting: Waiting) -> None:
        """Look at what somebody was told."""
        error = waiting.outcome.exception()
        if error is None:
            result = waiting.outcome.result()
            if not isinstance(result, Token):
                self.hand_out(result)
            return
        if waiting.patience != _PATIENCE:
            return
        told = getattr(error, "retry_after", None) or 0.0
        self.promise(told <= _LONGEST_TOLD, f"nobody is told to wait for more than 60 s ({told:g})")
        self.refused(str(error))

    def refused(self, why: str) -> None:
        """Take note of a caller that got nothing, and look whether it could have been served."""
        self.note(f"refused: {why[:60]}")
        self.promise(not self.usable_keys(), "nobody is refused while there is a usable key")

    def usable_keys(self) -> list[str]:
        """Return the keys that have been received and have at no time ended by either clock."""
        self.forget_ended()
        return list(self.alive)

    def forget_superseded(self) -> None:
        """Keep the key in use and the newest: those between them are not needed any more.

        Nor is one that by a clock which was set back seems to be younger than the newest.
        """
        newest = next(reversed(self.received.values()))
        self.alive = {
            each.key_id: each
            for each in self.alive.values()
            if each is newest or (each.key_id == self.last and each.wall <= newest.wall)
        }

    def forget_ended(self) -> None:
        """Take note of keys that have ended: a clock that is set back brings none of them back."""
        for each in tuple(self.alive.values()):
            if max(self.wall - each.wall, self.steady - each.steady) >= LIFETIME - 2:
                del self.alive[each.key_id]

    def promise(self, kept: bool, what: str) -> None:
        """Raise `Violation` if a promise is not kept."""
        if not kept:
            last = "\n  ".join(self.trace[-25:])
            alive = ", ".join(self.alive)
            raise Violation(f"seed {self.seed}: {what} (alive: {alive})\n  {last}")

    def note(self, what: str) -> None:
        """Write down an event."""
        self.trace.append(f"{self.steady:.3f} {self.wall - self.true:+.3f} {what}")


class _Credential:
    def __init__(self, world: World) -> None:
        self._world = world

    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        return self._world.give_token()


def _decoded(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def simulate(seed: int, *, hours: float = 2.5) -> World:
    """Run one schedule, and raise `Violation` if a promise is broken.

    Args:
        seed: What chance goes by.
        hours: For how long the process lives before the faults end.
    """
    world = World(seed)
    with contextlib.suppress(ForkError):
        world.caller_comes()
    world.live(hours * HOUR)
    heal_and_look(world)
    return world


def heal_and_look(world: World) -> None:
    """End every fault, let a minute pass, and see that callers are served."""
    world.heal()
    world.are_threads_refused, world.is_calm = False, True
    world.note("healed")
    until = world.steady + _HEALED_WITHIN
    while world.steady < until:
        world.caller_comes()
        world.live(1.0)
    served = world.served
    world.caller_comes()
    world.live(_PATIENCE)
    world.promise(world.served > served, "a caller is served within a minute after the faults")


def main(arguments: list[str] | None = None) -> int:
    """Run many schedules and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.shared.keys.simulation")
    parser.add_argument("--schedules", type=int, default=100_000, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first")
    parser.add_argument("--trace", action="store_true", help="print what happens")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    began = time.perf_counter()
    served = 0
    for number in range(options.schedules):
        try:
            world = simulate(options.seed + number)
        except Violation as violation:
            print(violation)
            return 1
        served += world.served
        if options.trace:
            print("\n".join(world.trace))
        if (number + 1) % 1_000 == 0:
            spent = time.perf_counter() - began
            print(f"{number + 1:,} schedules, {served:,} served, {spent:.0f} s", file=sys.stderr)
    print(f"{options.schedules:,} schedules, {served:,} callers served, no promise broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
