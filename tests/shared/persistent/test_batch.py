"""A batch of the blocking sender waits at its end for all of its messages."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from shared.errors import InvalidArgumentError, ServiceUnavailableError
from shared.persistent import PersistentSender
from shared.persistent.aio import PersistentSender as AwaitableSender
from shared.persistent.batch import Batch
from shared.persistent.threads import Handed, Handover
from shared.server_connections.recording import Sent
from shared.service_protocol.sends import BroadcastData, UserData
from tests.shared.persistent.conftest import KEY
from tests.shared.persistent.stub_service import StubService


@pytest.fixture
def sender(threaded_service: StubService) -> Iterator[PersistentSender]:
    with PersistentSender(threaded_service.url, KEY) as made:
        yield made


def test_all_of_it_is_written_in_its_order_when_it_ends(
    sender: PersistentSender, threaded_service: StubService
) -> None:
    with sender.batch() as batch:
        for number in range(500):
            batch.send_to_user("chat", "ann", str(number))
        batch.send_to_all("chat", "last")
    # It has left this process, and behind it goes a question whose answer says that it is there.
    assert sender.user_exists("chat", "ann")
    assert len(threaded_service.of(UserData)) == 500
    targets = [dict(each.payloads)["json"] for each in threaded_service.of(UserData)]
    assert targets == [
        b'{"type":1,"target":"%d","arguments":[]}\x1e' % number for number in range(500)
    ]
    assert len(threaded_service.of(BroadcastData)) == 1


def test_who_comes_when_a_connection_is_up_stays_behind_those_that_waited_for_it() -> None:
    written: list[str] = []

    class One(Handed):
        def done(self) -> bool:
            return False

        def set_result(self, outcome: Exception | None, /) -> None:
            assert outcome is None

    class Up:
        is_up = True

        def put(self, sent: Sent, _waiter: object) -> None:
            written.append(sent.about)

    async def hand_over() -> None:
        loop, up = asyncio.get_running_loop(), asyncio.Event()

        async def send(_hub: str, sent: Sent) -> None:
            await up.wait()
            # As whoever has waited needs a turn of the loop more.
            await asyncio.sleep(0)
            written.append(sent.about)

        handover = Handover(
            cast("Any", None), lambda _hub: cast("Any", Up()) if up.is_set() else None, send
        )
        for number in range(3):
            handover.put(One("chat", Sent(b"", str(number))), loop)
        await asyncio.sleep(0)
        up.set()
        for number in range(3, 6):
            handover.put(One("chat", Sent(b"", str(number))), loop)
        for _ in range(5):
            await asyncio.sleep(0)
        assert written == ["0", "1", "2", "3", "4", "5"]
        handover.put(One("chat", Sent(b"", "6")), loop)
        await asyncio.sleep(0)
        assert written[-1] == "6"

    asyncio.run(hand_over())


def test_threads_share_one(sender: PersistentSender, threaded_service: StubService) -> None:
    with sender.batch() as batch, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda each: batch.send_to_user("chat", f"u{each}", "news"), range(200)))
    assert sender.user_exists("chat", "ann")
    assert len({each.user_id for each in threaded_service.of(UserData)}) == 200


def test_it_says_how_many_messages_did_not_leave(threaded_service: StubService) -> None:
    threaded_service.refusals = [503] * 9

    def send(sender: PersistentSender) -> None:
        with sender.batch() as batch:
            batch.send_to_user("chat", "ann", "news")
            batch.send_to_user("chat", "bob", "news")

    with (
        PersistentSender(threaded_service.url, KEY, send_timeout=0.5) as sender,
        pytest.raises(ServiceUnavailableError, match=r"2 of 2 messages .* Not sent") as failed,
    ):
        send(sender)
    assert isinstance(failed.value.__cause__, ServiceUnavailableError)


def test_a_message_that_cannot_be_sent_is_refused_at_once(
    sender: PersistentSender, threaded_service: StubService
) -> None:
    with sender.batch() as batch:
        batch.send_to_user("chat", "ann", "news")
        with pytest.raises(InvalidArgumentError, match="user_id"):
            batch.send_to_user("chat", "", "news")
        with pytest.raises(InvalidArgumentError, match="hub"):
            batch.send_to_user("1", "ann", "news")
    assert sender.user_exists("chat", "ann")
    assert len(threaded_service.of(UserData)) == 1


def test_it_takes_messages_in_its_block_only(sender: PersistentSender) -> None:
    batch = sender.batch()
    with pytest.raises(ServiceUnavailableError, match="with block"):
        batch.send_to_all("chat", "news")
    with batch:
        batch.send_to_all("chat", "news")
    with pytest.raises(ServiceUnavailableError, match="with block"):
        batch.send_to_all("chat", "news")


def test_a_service_that_reads_nothing_holds_up_who_sends(
    sender: PersistentSender, threaded_service: StubService
) -> None:
    sender.send_to_all("chat", "news")
    line = threaded_service.lines[0]
    threaded_service.soon(line.stop_reading)
    sent = 0

    def send() -> None:
        nonlocal sent
        with sender.batch() as batch:
            for sent in range(1, 61):  # noqa: B007  counted for the test
                batch.send_to_user("chat", "ann", "news", ["x" * 500_000])

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(1)
    # It is full: one or two messages wait, and the rest of them is in the socket's buffers.
    assert thread.is_alive()
    held_at = sent
    assert held_at < 60
    threaded_service.soon(line.read_on)
    thread.join(60)
    assert not thread.is_alive()
    assert sender.user_exists("chat", "ann")
    assert len(threaded_service.of(UserData)) == 60


def test_what_has_not_left_goes_by_the_next_connection(
    sender: PersistentSender, threaded_service: StubService
) -> None:
    sender.send_to_all("chat", "news")
    line = threaded_service.lines[0]
    threaded_service.soon(line.stop_reading)
    begun = 0
    failures: list[Exception] = []

    def send() -> None:
        nonlocal begun
        try:
            with sender.batch() as batch:
                for begun in range(300):
                    batch.send_to_user("chat", f"user {begun}", "news", ["x" * 100_000])
        except ServiceUnavailableError as error:
            failures.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(1)
    assert thread.is_alive()
    threaded_service.soon(line.cut)
    thread.join(60)
    assert not thread.is_alive()
    # One was under way, and the last one that was taken had not begun to leave.
    assert "1 of" in str(failures[0])
    assert "It may have been sent" in str(failures[0])
    cause = failures[0].__cause__
    assert isinstance(cause, ServiceUnavailableError)
    assert (cause.hub, cause.endpoint) == ("chat", threaded_service.url.removeprefix("http://"))
    assert sender.user_exists("chat", "ann")
    assert f"user {begun - 1}" in {each.user_id for each in threaded_service.of(UserData)}
    assert len(threaded_service.lines) == 2


def test_what_is_sent_while_no_connection_is_up_waits_for_one(
    threaded_service: StubService,
) -> None:
    threaded_service.refusals = [503]
    with PersistentSender(threaded_service.url, KEY) as sender:
        with sender.batch() as batch:
            batch.send_to_user("chat", "ann", "news")
        assert sender.user_exists("chat", "ann")
    assert len(threaded_service.of(UserData)) == 1


def test_an_error_of_the_block_goes_before_it(
    threaded_service: StubService, caplog: pytest.LogCaptureFixture
) -> None:
    threaded_service.refusals = [503] * 9

    def send(sender: PersistentSender) -> None:
        with sender.batch() as batch:
            batch.send_to_all("chat", "news")
            raise LookupError

    with (
        PersistentSender(threaded_service.url, KEY, send_timeout=0.3) as sender,
        pytest.raises(LookupError),
    ):
        send(sender)
    assert "1 of 1 messages of a batch failed" in caplog.text


def test_it_sends_what_the_sender_sends() -> None:
    def sends(kind: type) -> set[str]:
        return {each for each in dir(kind) if each.startswith("send_")}

    assert sends(Batch) == sends(PersistentSender) == sends(AwaitableSender)
