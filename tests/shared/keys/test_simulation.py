"""What is promised of the access key holds in every schedule, and a broken promise is seen."""

import functools
import logging
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from shared.identity.entra_tokens import EntraTokens
from shared.identity.token import AskedToken
from shared.keys import rotation, schedule, thread
from shared.keys.access_key import AccessKey
from shared.keys.rotation import Rotation, Verdict
from shared.keys.schedule import Moment, Schedule
from shared.keys.thread import RotationThread
from tests.shared.keys.simulation import Violation, simulate

SCHEDULES = 500
PARTS = 4
MOST_TRIES = 400
"""Schedules within which a mutation has to be seen."""

type Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_promise_is_broken(part: int) -> None:
    served = sum(simulate(part * SCHEDULES + each).served for each in range(SCHEDULES))
    assert served > SCHEDULES * 50, "it is no life without callers"


def test_a_seed_gives_the_same_trace_and_another_one_another() -> None:
    assert simulate(7).trace == simulate(7).trace
    assert simulate(7).trace != simulate(8).trace


def drop_the_candidate(patch: Patch) -> None:
    """As it once was: what the service does not know yet is thrown away."""

    def usable(self: Rotation, now: Moment) -> AccessKey | None:
        return self.schedule.usable(now)

    patch.setattr(Rotation, "usable", usable)


def believe_what_held_before(patch: Patch) -> None:
    """As it once was: the old key's end is looked at before the fetch, and not after."""
    proven = Rotation.proven

    def later(self: Rotation, key: AccessKey, verdict: Verdict, now: Moment, jitter: float) -> Any:  # noqa: ANN401  told to those who wait
        told = proven(self, key, verdict, now, jitter)
        if verdict is Verdict.UNKNOWN and key is self.schedule.key:
            self.schedule.key = None
        return told

    patch.setattr(Rotation, "proven", later)


def sign_with_a_key_that_has_ended(patch: Patch) -> None:
    def usable(self: Schedule, _: Moment) -> AccessKey | None:
        return self.key

    patch.setattr(Schedule, "usable", usable)
    patch.setattr("shared.endpoints.endpoint.sign_client_token", _sign_whatever)


def _sign_whatever(key: AccessKey, audience: str, *, now: float, **options: Any) -> str:  # noqa: ANN401  the function's own
    from shared.keys.client_token import sign_client_token  # noqa: PLC0415  the real one

    return sign_client_token(key, audience, now=min(now, key.expires_at - 2), **options)


def ask_the_identity_endpoint_for_each(patch: Patch) -> None:
    def ask(self: EntraTokens, url: str = "", rejected: Any = None) -> AskedToken:  # noqa: ANN401, ARG001  the method's own
        token: Future[Any] = Future()
        return AskedToken(token, functools.partial(self._work, token, rejected))

    patch.setattr(EntraTokens, "ask", ask)


def ask_for_a_key_in_each_callers_thread(patch: Patch) -> None:
    ask = RotationThread.ask

    def asked(self: RotationThread) -> Future[AccessKey]:
        future = ask(self)
        endpoint = self._fetch.__self__  # type: ignore[attr-defined]  # a method of the endpoint
        # Not where it would wait for a token, since there is one thread only.
        if not future.done() and endpoint._tokens.cached("") is not None:  # noqa: SLF001
            self._fetch()
        return future

    patch.setattr(RotationThread, "ask", asked)


def rest_for_long(patch: Patch) -> None:
    patch.setattr(rotation, "_LONGEST_REST", math.inf)


def wait_as_long_as_the_service_likes(patch: Patch) -> None:
    patch.setattr(schedule, "_LONGEST_PAUSE", math.inf)


def remember_a_thread_before_it_runs(patch: Patch) -> None:
    start = RotationThread._start  # noqa: SLF001  broken on purpose

    def started(self: RotationThread) -> Any:  # noqa: ANN401  the method's own
        refused = start(self)
        self._is_running = True
        return refused

    patch.setattr(RotationThread, "_start", started)


def forget_the_thread_of_a_child(patch: Patch) -> None:
    patch.setattr(RotationThread, "after_fork", lambda _: None)


MUTATIONS: dict[Callable[[Patch], None], str] = {
    drop_the_candidate: "nobody is refused while there is a usable key",
    believe_what_held_before: "nobody is refused while there is a usable key",
    sign_with_a_key_that_has_ended: "each token is valid when given",
    ask_the_identity_endpoint_for_each: "one identity request at a time",
    ask_for_a_key_in_each_callers_thread: "one key request at a time",
    rest_for_long: "no rest of more than 30 s",
    wait_as_long_as_the_service_likes: "60 s",
    remember_a_thread_before_it_runs: "a caller is served within a minute after the faults",
    forget_the_thread_of_a_child: "a caller is served within a minute after the faults",
}


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda each: each.__name__)
def test_a_broken_promise_is_seen(
    mutate: Callable[[Patch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    with pytest.raises(Violation) as caught:
        simulate_many(MOST_TRIES)
    assert MUTATIONS[mutate] in str(caught.value)


def simulate_many(schedules: int) -> None:
    for seed in range(schedules):
        simulate(seed)


def test_the_shell_has_no_thread_of_its_own_here() -> None:
    """What the mutations rely on: the simulation drives the class that the product runs."""
    assert simulate(1).endpoint.keys.__class__ is thread.RotationThread
