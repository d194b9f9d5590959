"""A client of a test: it receives, invokes, answers, and says what came instead."""

import asyncio
import threading
from pathlib import Path

import pytest
from signalr_emulator.testing import (
    InvocationError,
    NotSeenError,
    Received,
    RunningEmulator,
    running_emulator,
)

from emulator.tests.test_double.conftest import EXCEEDED, call, say


def test_it_receives_what_its_user_its_groups_and_its_hub_are_sent(
    emulator: RunningEmulator,
) -> None:
    with (
        emulator.client("chat", user_id="ann", groups=("a b/ü", "g")) as ann,
        emulator.client("chat", user_id="bob") as bob,
    ):
        say(emulator, "", "all", 1)
        say(emulator, "users/ann/", "user", "Hi", {"n": [None, 1.5]})
        say(emulator, "groups/g/", "group")
        assert ann.wait_for("group") == []
        assert ann.wait_for("user") == ["Hi", {"n": [None, 1.5]}]
        assert bob.wait_for("all") == [1]
        assert ann.received == [
            Received("all", [1]),
            Received("user", ["Hi", {"n": [None, 1.5]}]),
            Received("group", []),
        ]
        say(emulator, "groups/a%20b%2F%C3%BC/", "strange")
        assert ann.wait_for("strange") == []
        assert [each.target for each in bob.received] == ["all"]


def test_each_message_is_given_once(emulator: RunningEmulator) -> None:
    with emulator.client("chat") as client:
        for number in (1, 2):
            say(emulator, "", "count", number)
        assert client.wait_for("count") == [1]
        assert client.wait_for("count") == [2]
        with pytest.raises(NotSeenError):
            client.wait_for("count", timeout=0.01)


def test_what_did_not_come_is_told_with_what_did(emulator: RunningEmulator) -> None:
    with emulator.client("chat", user_id="ann") as ann:
        say(emulator, "", "oven", "hot", 230)
        say(emulator, "", "done")
        ann.wait_for("done")
        with pytest.raises(AssertionError) as caught:
            ann.wait_for("ready", timeout=0.01)
    assert str(caught.value) == (
        "No message ready for ann (hub chat) within 0.01 s. There was:\n"
        '  oven("hot", 230)\n'
        "  done() (waited for before)"
    )


def test_it_invokes(emulator: RunningEmulator) -> None:
    with emulator.client("chat", user_id="ann") as ann:
        assert ann.invoke("add", 1, 2) == 3
        with pytest.raises(InvocationError, match=EXCEEDED):
            ann.invoke("fail")
        ann.send("add", 4)
        sent = emulator.wait_for_upstream_call("add", lambda each: each.arguments == [4])
        assert (sent.user_id, sent.hub, sent.status) == ("ann", "chat", 200)


def test_it_answers_what_the_app_asks(emulator: RunningEmulator) -> None:
    with emulator.client("chat") as client:
        client.on("sure", lambda question: question.endswith("?"))
        client.on("broken", lambda: 1 / 0)
        path = f"connections/{client.connection_id}/:invoke"
        asked = {"target": "sure", "arguments": ["Really?"]}
        assert call(emulator, path, asked, status=200) == {"result": True}
        for target, why in (("broken", "division by zero"), ("unknown", "no handler unknown")):
            refused = call(emulator, path, {"target": target, "arguments": []}, status=400)
            assert why in str(refused)
        assert client.wait_for("sure") == ["Really?"]


def test_the_end_of_its_connection_is_told_to_whoever_waits(emulator: RunningEmulator) -> None:
    with emulator.client("chat", user_id="ann") as ann:
        waiting = threading.Timer(0, emulator.reset)
        waiting.start()
        with pytest.raises(NotSeenError, match=r"ended the connection.*The emulator was reset"):
            ann.wait_for("ready", timeout=30)
        waiting.join()
        with pytest.raises(InvocationError, match="The emulator was reset"):
            ann.invoke("add", 1)


def test_claims_are_in_its_token(emulator: RunningEmulator) -> None:
    end = str(int(emulator.advance_clock(0)) + 60)
    claims = {"asrs.s.coae": "true", "asrs.s.aeo": end}
    with emulator.client("chat", claims=claims) as client:
        emulator.advance_clock(3600)
        with pytest.raises(NotSeenError, match="connection"):
            client.wait_for("nothing", timeout=30)


def test_it_connects_whatever_the_clock_says(emulator: RunningEmulator) -> None:
    emulator.advance_clock(10 * 24 * 3600)
    with emulator.client("chat") as client:
        assert client.connection_id


def test_what_is_refused_says_why(emulator: RunningEmulator) -> None:
    emulator.add_fault(operation="negotiate", status=503, body="closed today")
    with pytest.raises(ConnectionError, match="503 closed today"), emulator.client("chat"):
        pass
    emulator.clear_faults()
    emulator.add_fault(operation="connect", status=429)
    with pytest.raises(ConnectionError, match="429"), emulator.client("chat"):
        pass


def test_one_of_several_services() -> None:
    with running_emulator("--service", "0") as emulator:
        first, second = emulator.connection_strings
        with emulator.client("chat", connection_string=second):
            state = emulator.state()["resources"]
            assert state["local"]["connections"] == {}
            assert state["local-2"]["connections"] == {"chat": 1}
        assert emulator.connection_string == first


def test_over_tls(tmp_path: Path) -> None:
    # As in the home of somebody whose name has two words.
    options = ("--tls", "--ca-file", str(tmp_path / "ann lee.pem"))
    with running_emulator(*options) as emulator, emulator.client("chat", groups=["g"]):
        assert emulator.connection_string.startswith("Endpoint=https://")
        assert emulator.state()["connections"] == {"chat": 1}


async def test_on_the_tests_own_event_loop(emulator: RunningEmulator) -> None:
    async with emulator.async_client("chat", user_id="ann") as ann:
        sending = asyncio.to_thread(say, emulator, "users/ann/", "hello", "you")
        arguments, _ = await asyncio.gather(ann.wait_for("hello"), sending)
        assert arguments == ["you"]
        assert await ann.invoke("add", 20, 22) == 42
        assert await asyncio.gather(*(ann.invoke("add", n, n) for n in range(5))) == [0, 2, 4, 6, 8]
        with pytest.raises(InvocationError, match=EXCEEDED):
            await ann.invoke("fail")
