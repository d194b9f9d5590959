"""What a test asserts on: messages and upstream calls, and a reset in between."""

import pytest
from signalr_emulator.testing import (
    ControlError,
    NotSeenError,
    Recipients,
    RunningEmulator,
    running_emulator,
)

from emulator.tests.test_double.conftest import say


def test_messages_that_were_sent(emulator: RunningEmulator) -> None:
    with emulator.client("chat", user_id="ann"):
        say(emulator, "users/ann/", "say", "Hi")
        say(emulator, "groups/g/", "say", "Hi", 2)
    to_ann, to_group = emulator.messages
    assert (to_ann.hub, to_ann.target, to_ann.arguments) == ("chat", "say", ["Hi"])
    assert to_ann.recipients == Recipients("user", ("ann",))
    assert (to_ann.connections, to_group.connections) == (1, 0)
    assert (to_ann.sender, to_ann.resource) == ("rest", "local")
    assert str(to_ann) == 'chat: say("Hi") to user ann'
    assert str(to_group.recipients) == "group g"


def test_a_message_is_waited_for(emulator: RunningEmulator) -> None:
    say(emulator, "", "other")
    say(emulator, "", "say", 1)
    say(emulator, "", "say", 2)
    assert emulator.wait_for_message("say", lambda each: each.arguments == [2]).target == "say"
    assert emulator.wait_for_message().target == "other"
    with pytest.raises(NotSeenError) as caught:
        emulator.wait_for_message("say", lambda each: each.arguments == [3], timeout=0.01)
    assert str(caught.value) == (
        "No message say within 0.01 s. There was:\n"
        "  chat: other() to everyone\n"
        "  chat: say(1) to everyone\n"
        "  chat: say(2) to everyone"
    )


def test_long_lists_and_long_arguments_are_cut(emulator: RunningEmulator) -> None:
    for number in range(22):
        say(emulator, "", "count", number, "x" * 500)
    with pytest.raises(NotSeenError) as caught:
        emulator.wait_for_message("other", timeout=0)
    first, more, *shown = str(caught.value).splitlines()
    assert (first, more, len(shown)) == (
        "No message other within 0 s. There was:",
        "  (2 more)",
        20,
    )
    assert shown[-1].startswith('  chat: count(21, "xxx')
    assert shown[-1].endswith("…) to everyone")
    assert max(map(len, shown)) < 250


def test_upstream_calls(emulator: RunningEmulator) -> None:
    with emulator.client("chat", user_id="ann") as ann:
        ann.invoke("add", 1, 2)
    gone = emulator.wait_for_upstream_call("disconnected")
    assert (gone.user_id, gone.arguments, gone.connection_id) == ("ann", None, ann.connection_id)
    assert [(each.category, each.event, each.arguments) for each in emulator.upstream_calls] == [
        ("connections", "connected", None),
        ("messages", "add", [1, 2]),
        ("connections", "disconnected", None),
    ]
    with pytest.raises(NotSeenError) as caught:
        emulator.wait_for_upstream_call("subtract", timeout=0.01)
    assert str(caught.value).splitlines()[1:] == [
        "  chat: connected of ann: 200",
        "  chat: add(1, 2) of ann: 200",
        "  chat: disconnected of ann: 200",
    ]


def test_nothing_at_all(emulator: RunningEmulator) -> None:
    with pytest.raises(NotSeenError, match=r"^No message within 0 s, and nothing else\.$"):
        emulator.wait_for_message(timeout=0)


def test_a_reset(emulator: RunningEmulator) -> None:
    with emulator.client("chat", user_id="ann", groups=["g"]):
        say(emulator, "", "say")
        emulator.advance_clock(60)
        emulator.add_fault(operation="sendToHub", status=503)
        emulator.reset()
        say(emulator, "", "again")
        assert [each.target for each in emulator.messages] == ["again"]
        assert emulator.upstream_calls == []
        assert emulator.state()["connections"] == {}


def test_another_role(emulator: RunningEmulator) -> None:
    emulator.set_role("none")
    assert emulator.state()["roleAssignments"] == []
    with pytest.raises(ControlError, match="SignalR App Server"):
        emulator.set_role("King")
    emulator.reset()
    assert emulator.state()["roleAssignments"] != []


def test_without_local_authentication_there_is_no_connection_string() -> None:
    with (
        running_emulator("--disable-local-auth") as emulator,
        pytest.raises(ControlError, match="local authentication"),
    ):
        _ = emulator.connection_string


def test_an_emulator_that_is_gone() -> None:
    with running_emulator() as emulator:
        pass
    with pytest.raises(ControlError, match="does not answer"):
        emulator.reset()


def test_what_is_no_emulator(upstream: str) -> None:
    with pytest.raises(ControlError, match=r"/emulator/state: 501 Unsupported method"):
        RunningEmulator(service_url=upstream, control_url=upstream, app_settings={}).state()
