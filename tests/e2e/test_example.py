"""The example as a reader runs it."""

import subprocess
import sys

import pytest
from signalr_emulator.testing import RunningEmulator

from shared import SignalRServiceClient
from tests.e2e.processes import PATIENCE, ROOT
from tests.e2e.service_clients import connected, raw_client, use_identity


def test_it_negotiates_and_sends(
    signalr_emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = use_identity(signalr_emulator, monkeypatch)
    monkeypatch.setenv("SIGNALR_ENDPOINT", signalr_emulator.service_url)
    with (
        SignalRServiceClient(signalr_emulator.service_url, identity) as signalr,
        connected(signalr, "ann", "bob") as (ann, bob),
    ):
        for each in (ann, bob):
            each.connection_id()
        ended = subprocess.run(
            [sys.executable, "-m", "examples.negotiate_and_send"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        assert ann.message() == ["Hello"]
        url, token = ended.stdout.split()
        with raw_client(url, token) as one_more:
            signalr.send_to_user("chat", "ann", "newMessage", ["again"])
            assert one_more.next()["arguments"] == ["again"]
        signalr.send_to_all("chat", "newMessage", ["all"])
        assert bob.message() == ["all"]
    assert [str(each) for each in signalr_emulator.messages] == [
        'chat: newMessage("Hello") to user ann',
        'chat: newMessage("again") to user ann',
        'chat: newMessage("all") to everyone',
    ]
