"""What a client meets: the network, the handshake, the service mode, the upstream."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from tests.doctor.conftest import Examine
from tests.scripted_service import Received, Reply, scripted_service


def test_default_mode(examine: Examine) -> None:
    with running_emulator("--service-mode", "Default") as emulator:
        examined = examine(emulator.app_settings)
    assert examined.status == 1
    assert examined.broken() == {"client", "mode"}
    assert "since its mode is Default" in examined.step("client")["summary"]
    mode = examined.step("mode")
    assert mode["fix"].startswith("az signalr update --name <SignalR resource>")
    assert "--service-mode Serverless" in mode["fix"]
    assert examined.step("upstream")["status"] == "skipped"
    assert examined.step("send")["status"] == "ok"


@pytest.mark.parametrize(
    ("operation", "fault", "summary", "fix"),
    [
        ("negotiate", {"action": "unknownKey"}, "401: ", "…__serviceUri"),
        (
            "negotiate",
            {"status": 403, "body": "<center>nginx</center>"},
            "403 by the network access control",
            "--allow ClientConnection",
        ),
        ("negotiate", {"status": 429}, "429: ", "--unit-count"),
        ("negotiate", {"status": 200, "body": "<html>"}, "the answer to the negotiation", "client"),
        ("negotiate", {"action": "reset"}, "http://127.0.0.1", "proxy"),
        ("connect", {"status": 400}, "400 instead of 101", "WebSockets"),
        ("connect", {"status": 403}, "403 by the network access control", "ClientConnection"),
        ("connect", {"status": 429}, "429: the resource has no connection left", "--unit-count"),
    ],
)
def test_a_client_that_is_not_let_in(
    emulator: RunningEmulator,
    examine: Examine,
    *,
    operation: str,
    fault: dict[str, str],
    summary: str,
    fix: str,
) -> None:
    emulator.add_fault(operation=operation, **fault)
    examined = examine(emulator.app_settings)
    assert examined.broken() == {"client"}
    client = examined.step("client")
    assert client["summary"].startswith(summary)
    assert fix in client["fix"]
    assert examined.step("mode")["summary"] == "skipped: only a handshake shows it"


class App:
    """An upstream that answers as a test wants it."""

    def __init__(self) -> None:
        self.reply = Reply(200)

    def __call__(self, _request: Received) -> Reply:
        return self.reply


@dataclass(frozen=True)
class Upstream:
    app: App
    received: list[Received]
    emulator: RunningEmulator


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    app = App()
    with (
        scripted_service(app) as served,
        running_emulator(
            "--upstream", f"{served.url}/api/upstream/{{hub}}/{{category}}/{{event}}"
        ) as emulator,
    ):
        yield Upstream(app, served.received, emulator)


@pytest.mark.parametrize(
    ("status", "found", "summary", "fix"),
    [
        (401, "failed", "401: what the upstream settings name refuses", "UPSTREAM_AUDIENCE"),
        (403, "failed", "403: ", "UPSTREAM_IDENTITIES"),
        (404, "failed", "404: the URL of the upstream settings leads", "SIGNALR_HUBS"),
        (500, "failed", "500: the service's call of the app fails", "app's log"),
        (503, "failed", "503: the app cannot tell", "UPSTREAM_KEYS_URL"),
        (204, "warning", "some app answers methods that do not exist", "# should it be https://"),
    ],
)
def test_an_upstream_that_refuses_or_fails(
    upstream: Upstream, examine: Examine, *, status: int, found: str, summary: str, fix: str
) -> None:
    upstream.app.reply = Reply(status)
    step = examine(upstream.emulator.app_settings).step("upstream")
    assert step["status"] == found
    assert step["summary"].startswith(summary)
    assert fix in step["fix"]
    paths = [each.path for each in upstream.received]
    assert any(path.startswith("/api/upstream/chat/messages/doctor_") for path in paths)


def test_an_upstream_where_nobody_listens(examine: Examine) -> None:
    with running_emulator("--upstream", "http://127.0.0.1:9/{event}") as emulator:
        upstream = examine(emulator.app_settings).step("upstream")
    assert upstream["status"] == "failed"
    assert upstream["summary"].startswith("500: the service's call of the app fails")
    assert "az signalr upstream list" in upstream["fix"]
