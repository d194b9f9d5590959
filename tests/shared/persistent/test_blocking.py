"""The blocking sender does the same for threads, on an event loop of its own."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from shared.errors import InvalidArgumentError, ServiceUnavailableError
from shared.persistent import PersistentSender
from shared.persistent.aio import PersistentSender as AwaitableSender
from shared.rest.members import GroupConnection
from shared.service_protocol.messages import Ack, Message
from shared.service_protocol.requests import GroupMemberQuery
from shared.service_protocol.sends import UserData
from tests.shared.persistent.conftest import KEY
from tests.shared.persistent.stub_service import StubService, acknowledged


def test_threads_share_a_sender(threaded_service: StubService) -> None:
    with PersistentSender(threaded_service.url, KEY) as sender, ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda each: sender.send_to_user("chat", f"user {each}", "news"), range(200)
            )
        )
    assert len({each.user_id for each in threaded_service.of(UserData)}) == 200
    assert len(threaded_service.lines) == 1


def test_questions_are_answered_and_groups_listed(threaded_service: StubService) -> None:
    def answer(message: Message) -> Message | None:
        if isinstance(message, GroupMemberQuery):
            payload = msgspec.msgpack.encode([[["c1", "ann"]], None])
            return Ack(ack_id=message.ack_id, status=1, payload=payload)
        return acknowledged(message)

    threaded_service.answer = answer
    with PersistentSender(threaded_service.url, KEY) as sender:
        assert sender.user_exists("chat", "ann")
        assert list(sender.list_connections_in_group("chat", "red")) == [
            GroupConnection("c1", "ann")
        ]
        with pytest.raises(InvalidArgumentError):
            sender.send_to_user("chat", "", "news")


def test_a_closed_sender_sends_nothing(threaded_service: StubService) -> None:
    sender = PersistentSender(threaded_service.url, KEY)
    sender.send_to_all("chat", "news")
    sender.close()
    sender.close()
    with pytest.raises(ServiceUnavailableError, match="closed"):
        sender.send_to_all("chat", "news")


def test_settings_of_the_environment_make_a_sender(threaded_service: StubService) -> None:
    text = f"Endpoint={threaded_service.url};AccessKey={KEY.access_key};Version=1.0;"
    with PersistentSender.from_environment({"AzureSignalRConnectionString": text}) as sender:
        sender.send_to_all("chat", "news")
    assert len(threaded_service.lines) == 1


def test_it_offers_what_the_awaitable_one_offers() -> None:
    def names(sender: type) -> set[str]:
        return {each for each in dir(sender) if not each.startswith("_")}

    assert names(AwaitableSender) - names(PersistentSender) == {
        "check_process", "connection_pages", "is_own",
    }  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_process_is_told_to_make_its_own(threaded_service: StubService) -> None:
    with PersistentSender(threaded_service.url, KEY) as sender:
        sender.send_to_user("chat", "ann", "news")
        child = os.fork()
        if child == 0:
            try:
                sender.send_to_user("chat", "ann", "news")
            except ServiceUnavailableError as error:
                sender.close()
                os._exit(0 if "after a fork" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        # The parent's own connection is as it was.
        sender.send_to_user("chat", "bob", "news")
    assert [each.user_id for each in threaded_service.of(UserData)] == ["ann", "bob"]
    assert len(threaded_service.lines) == 1


@pytest.mark.parametrize("missing", ["msgspec", "websockets"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import shared.persistent"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "pip install 'keyless-signalr[persistent]'" in ran.stderr
