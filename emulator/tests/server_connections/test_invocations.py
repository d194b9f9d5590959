"""Who waits for results of clients, and who is told what."""

import pytest
from signalr_emulator.server_connections import invocations
from signalr_emulator.server_connections.invocations import ClientInvocations
from signalr_emulator.service_protocol.messages import (
    ClientCompletion,
    ClientInvocation,
    ErrorCompletion,
)

from emulator.tests.server_connections.servers import Written, server


def asked(id_: str, connection_id: str = "c") -> ClientInvocation:
    return ClientInvocation(id_, connection_id, "caller", (("json", b"?"),))


@pytest.fixture
def waiting() -> ClientInvocations:
    return ClientInvocations()


def test_a_result_goes_to_whoever_asked_once(waiting: ClientInvocations) -> None:
    callers = [server("one"), server("two")]
    for number, caller in enumerate(callers):
        waiting.asked(caller, asked(str(number)))
    waiting.complete("1", "json", b"result")
    waiting.complete("1", "json", b"again")
    waiting.fail("1", "again")
    assert Written.of(callers[0]) == []
    assert Written.of(callers[1]) == [ClientCompletion("1", "c", "caller", "json", b"result")]
    assert (waiting.is_waiting("0"), waiting.is_waiting("1")) == (True, False)


def test_an_empty_result_says_that_its_caller_has_it(waiting: ClientInvocations) -> None:
    caller = server("one")
    waiting.asked(caller, asked("1"))
    waiting.complete("1", "json", b"")
    waiting.client_gone("c")
    assert Written.of(caller) == []


def test_a_client_that_goes_fails_all_that_it_was_asked(waiting: ClientInvocations) -> None:
    caller = server("one")
    for id_, connection_id in (("1", "c"), ("2", "d"), ("3", "c")):
        waiting.asked(caller, asked(id_, connection_id))
    waiting.client_gone("c")
    waiting.client_gone("c")
    waiting.client_gone("unknown")
    gone = [ErrorCompletion(id_, "c", "caller", "The client is gone.") for id_ in "13"]
    assert Written.of(caller) == gone
    assert waiting.is_waiting("2")


def test_who_is_gone_is_told_nothing(waiting: ClientInvocations) -> None:
    gone, other = server("one"), server("two")
    waiting.asked(gone, asked("1"))
    waiting.asked(other, asked("2"))
    waiting.caller_gone(gone)
    waiting.client_gone("c")
    assert Written.of(gone) == []
    assert Written.of(other) == [ErrorCompletion("2", "c", "caller", "The client is gone.")]


def test_one_too_many_takes_the_place_of_the_oldest(
    waiting: ClientInvocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocations, "MAX_WAITING", 2)
    caller = server("one")
    for id_ in "123":
        waiting.asked(caller, asked(id_))
    error = "Too many invocations wait for their result."
    assert Written.of(caller) == [ErrorCompletion("1", "c", "caller", error)]
    assert [waiting.is_waiting(id_) for id_ in "123"] == [False, True, True]
