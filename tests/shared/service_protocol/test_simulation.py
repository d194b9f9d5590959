"""What is promised of server connections holds in every schedule, and a broken promise is seen."""

import math
from collections.abc import Callable

import pytest

from shared.service_protocol import acks, connection, pending
from shared.service_protocol.acks import Acks, Answer
from shared.service_protocol.actions import Action, Write
from shared.service_protocol.codec import write
from shared.service_protocol.connection import ServerConnection
from shared.service_protocol.invocations import Invocations
from shared.service_protocol.messages import Ack, Message, Ping
from shared.service_protocol.pending import Outcome
from tests.shared.service_protocol.simulation import Violation, simulate

SCHEDULES = 15
PARTS = 4
MOST_TRIES = 40
"""Schedules within which a mutation has to be seen."""

type Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("part", range(PARTS))
def test_no_promise_is_broken(part: int) -> None:
    told = sum(simulate(part * SCHEDULES + each).told for each in range(SCHEDULES))
    assert told > SCHEDULES * 100, "it is no life without callers"


def test_a_seed_gives_the_same_trace_and_another_one_another() -> None:
    assert simulate(7).trace == simulate(7).trace
    assert simulate(7).trace != simulate(8).trace


def write_whatever_the_state(patch: Patch) -> None:
    def written(_: ServerConnection, message: Message) -> bytes:
        return write(message)

    patch.setattr(ServerConnection, "write", written)


def go_on_after_an_error_of_the_service(patch: Patch) -> None:
    take = ServerConnection._take  # noqa: SLF001  broken on purpose

    def took(self: ServerConnection, body: bytes, now: float) -> object:
        return () if body[1:2] == b"\x0f" else take(self, body, now)

    patch.setattr(ServerConnection, "_take", took)


def wait_for_the_handshake_for_ever(patch: Patch) -> None:
    patch.setattr(connection, "_HANDSHAKE_WITHIN", math.inf)


def bear_any_silence(patch: Patch) -> None:
    patch.setattr(connection, "_SILENCE", 1000.0)


def bear_too_little_silence(patch: Patch) -> None:
    patch.setattr(connection, "_SILENCE", 4.0)


def never_ask_for_the_status(patch: Patch) -> None:
    patch.setattr(connection, "_STATUS_EVERY", math.inf)


def ask_for_one_key_alone(patch: Patch) -> None:
    patch.setattr(connection, "_KEY_EVERY", math.inf)


def never_send_an_echo_back(patch: Patch) -> None:
    take = ServerConnection._take_ping  # noqa: SLF001  broken on purpose

    def took(self: ServerConnection, ping: Ping) -> list[Action]:
        return [each for each in take(self, ping) if not isinstance(each, Write)]

    patch.setattr(ServerConnection, "_take_ping", took)


def try_again_at_once(patch: Patch) -> None:
    patch.setattr(connection, "next_attempt", lambda _failures, _started, now, _jitter: now)


def look_for_no_deadline(patch: Patch) -> None:
    patch.setattr(pending, "_CHECK_EVERY", math.inf)


def tell_twice(patch: Patch) -> None:
    answered = Acks[int].answered
    outcomes: dict[int, Outcome[int, Answer]] = {}

    def told(self: Acks[int], ack: Ack) -> Outcome[int, Answer] | None:
        outcome = answered(self, ack) or outcomes.get(ack.ack_id)
        if outcome is not None:
            outcomes[ack.ack_id] = outcome
        return outcome

    patch.setattr(Acks, "answered", told)


def forget_who_waits_for_an_ack(patch: Patch) -> None:
    patch.setattr(Acks, "lost", lambda _self, _line: [])


def forget_who_waits_for_a_client(patch: Patch) -> None:
    patch.setattr(Invocations, "lost", lambda _self, _line: [])


def take_not_found_for_a_failure(patch: Patch) -> None:
    patch.setattr(acks, "_MEMBERSHIP", ())


MUTATIONS: dict[Callable[[Patch], None], str] = {
    write_whatever_the_state: "nothing is written before the answer to the handshake",
    go_on_after_an_error_of_the_service: "nothing is written after an error of the service",
    wait_for_the_handshake_for_ever: "a mute service is left after 15 s",
    bear_any_silence: "a silent connection ends after 30 s",
    bear_too_little_silence: "a connection that is not silent is kept",
    never_ask_for_the_status: "the status is asked for every 10 s",
    ask_for_one_key_alone: "a key is asked for every 10 min",
    never_send_an_echo_back: "an echo is sent back as it came",
    try_again_at_once: "attempts come 1, 2, 4 … 60 s after each other",
    look_for_no_deadline: "a caller is told within 13 s",
    tell_twice: "a caller is told once",
    forget_who_waits_for_an_ack: "whoever waits on a connection that is lost is told at once",
    forget_who_waits_for_a_client: "whoever waits on a connection that is lost",
    take_not_found_for_a_failure: "a caller is told what the service has said",
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
