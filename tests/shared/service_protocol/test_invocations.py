"""Whoever asks a client for a result is told once what came of it."""

from shared.errors import ServiceUnavailableError
from shared.service_protocol.invocations import Completion, Invocations
from shared.service_protocol.items import Pairs
from shared.service_protocol.messages import (
    ClientCompletion,
    ClientInvocation,
    ErrorCompletion,
    ServiceMapping,
)
from shared.service_protocol.pending import Outcome

SERVER = "host_1"


def payloads(invocation_id: str) -> Pairs[bytes]:
    return (("json", invocation_id.encode()),)


def ask(
    invocations: Invocations[str], waiter: str, *, seconds: float = 30.0, line: object = 1
) -> ClientInvocation:
    return invocations.ask("c", payloads, waiter, seconds=seconds, line=line, now=0.0)


def completion(invocation_id: str) -> ClientCompletion:
    return ClientCompletion(
        invocation_id=invocation_id,
        connection_id="c",
        caller_server_id=SERVER,
        protocol="json",
        payload=b"42",
    )


def mapping(invocation: ClientInvocation, instance_id: str) -> ServiceMapping:
    return ServiceMapping(
        invocation_id=invocation.invocation_id, connection_id="c", instance_id=instance_id
    )


def test_the_message_to_the_client_has_the_id_that_the_service_has() -> None:
    invocations = Invocations[str](SERVER)
    one, other = ask(invocations, "one"), ask(invocations, "other")
    assert one.invocation_id != other.invocation_id
    assert one.payloads == (("json", one.invocation_id.encode()),)
    assert (one.connection_id, one.caller_server_id) == ("c", SERVER)


def test_a_result_goes_to_whoever_asked_for_it() -> None:
    invocations = Invocations[str](SERVER)
    one, other = ask(invocations, "one"), ask(invocations, "other")
    found = invocations.completed(completion(other.invocation_id))
    assert found == Outcome("other", Completion("json", b"42"))
    error = ErrorCompletion(
        invocation_id=one.invocation_id, connection_id="c", caller_server_id=SERVER, error="no"
    )
    assert invocations.completed(error) == Outcome("one", Completion(error="no"))
    assert invocations.completed(error) is None
    assert invocations.completed(completion("unknown")) is None


def test_a_client_goes_with_the_instance_that_has_it() -> None:
    invocations = Invocations[str](SERVER)
    there, elsewhere = ask(invocations, "there"), ask(invocations, "elsewhere")
    ask(invocations, "nobody knows")
    invocations.mapped(mapping(there, "gone"))
    invocations.mapped(mapping(elsewhere, "well"))
    (result,) = invocations.instance_offline("gone")
    assert result.waiter == "there"
    assert str(result.result) == "Connection 'c': it is disconnected"
    assert invocations.completed(completion(there.invocation_id)) is None
    invocations.mapped(mapping(there, "late"))


def test_nobody_waits_for_ever() -> None:
    invocations = Invocations[str](SERVER)
    ask(invocations, "short", seconds=5.0)
    ask(invocations, "long", seconds=86_400.0)
    told: dict[str, float] = {}
    while invocations.due < 10_000:
        now = invocations.due
        told |= {result.waiter: now for result in invocations.overdue(now)}
    assert told == {"short": 6.0, "long": 600.0}


def test_those_who_wait_on_a_connection_that_is_lost_are_told_at_once() -> None:
    invocations = Invocations[str](SERVER)
    ask(invocations, "me", line="first")
    kept = ask(invocations, "you", line="second")
    (result,) = invocations.lost("first")
    assert result.waiter == "me"
    assert isinstance(result.result, ServiceUnavailableError)
    assert invocations.completed(completion(kept.invocation_id)) is not None


def test_nobody_is_told_who_is_forgotten() -> None:
    invocations = Invocations[str](SERVER)
    asked = ask(invocations, "me")
    invocations.forget(asked)
    assert invocations.completed(completion(asked.invocation_id)) is None
    assert invocations.overdue(100.0) == []


def test_what_a_client_has_said_is_not_shown() -> None:
    assert "secret" not in repr(Completion("json", b"secret"))
