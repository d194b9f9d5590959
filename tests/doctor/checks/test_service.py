"""A service that does not answer, or not as it should."""

import socket
import time
from email.utils import formatdate
from typing import Any

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared.transport.http import Timeouts
from tests.doctor.conftest import Examine

SERVICE_URI = "AzureSignalRConnectionString__serviceUri"
SECRET = "the-temporary-access-key-of-this-test"


def test_a_host_that_no_name_server_knows(emulator: RunningEmulator, examine: Examine) -> None:
    settings = {**emulator.app_settings, SERVICE_URI: "https://contoso.signalr.invalid"}
    examined = examine(settings)
    assert examined.broken() == {"reach"}
    reach = examined.step("reach")
    assert reach["summary"] == "no name server knows the host contoso.signalr.invalid"
    assert f"Correct {SERVICE_URI}" in reach["fix"]
    assert examined.step("token")["status"] == "ok"


def test_a_port_where_nobody_listens(emulator: RunningEmulator, examine: Examine) -> None:
    examined = examine({**emulator.app_settings, SERVICE_URI: "http://127.0.0.1:9"})
    assert examined.broken() == {"reach"}
    assert examined.step("reach")["summary"] == "nothing listens at http://127.0.0.1:9"
    assert "make start" in examined.step("reach")["fix"]


def test_an_address_without_tls(emulator: RunningEmulator, examine: Examine) -> None:
    url = emulator.service_url.replace("http:", "https:")
    reach = examine({**emulator.app_settings, SERVICE_URI: url}).step("reach")
    assert reach["summary"].startswith(f"TLS with {url} fails: ")
    assert "REQUESTS_CA_BUNDLE" in reach["fix"]


def test_an_address_of_something_else(emulator: RunningEmulator, examine: Examine) -> None:
    examined = examine({**emulator.app_settings, SERVICE_URI: emulator.control_url})
    reach = examined.step("reach")
    assert reach["summary"].startswith("404: ")
    assert SERVICE_URI in reach["fix"]


def test_a_connection_that_is_reset(emulator: RunningEmulator, examine: Examine) -> None:
    emulator.add_fault(operation="health", action="reset")
    reach = examine(emulator.app_settings).step("reach")
    assert "ended the connection without an answer" in reach["summary"]


def test_an_emulator_at_another_host_is_reached_in_the_clear_and_that_is_told(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = socket.getaddrinfo

    def known(host: str, *rest: Any, **named: Any) -> Any:  # noqa: ANN401  as the system's
        return found("127.0.0.1" if host == "signalr" else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", known)
    with running_emulator("--host-name", "signalr", "--role", "SignalR App Server") as emulator:
        url = emulator.service_url.replace("127.0.0.1", "signalr")
        settings = {**emulator.app_settings, SERVICE_URI: url}
        examined = examine({**settings, "SIGNALR_ALLOW_HTTP_HOSTS": "signalr"})
    reach, sent = examined.step("reach"), examined.step("send")
    assert reach["status"] == examined.step("client")["status"] == "ok"
    assert reach["summary"].startswith(f"{url} answers in ")
    assert reach["summary"].endswith(", in the clear, as SIGNALR_ALLOW_HTTP_HOSTS allows")
    assert sent["status"] == "failed"
    assert 'signalr-emulator --role "' in sent["fix"]
    assert "az signalr list" not in sent["fix"]


@pytest.mark.parametrize("operation", ["health", "getAccessKey"])
@pytest.mark.parametrize("kind", ["frozen", "forbidden"])
def test_what_stands_before_the_service(
    emulator: RunningEmulator,
    examine: Examine,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    kind: str,
) -> None:
    monkeypatch.setattr("doctor.network._TIMEOUTS", Timeouts(connect=0.5, read=0.5))
    if kind == "frozen":
        emulator.add_fault(operation=operation, action="freeze")
    else:
        body = "<html><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></html>"
        emulator.add_fault(operation=operation, status=403, body=body)
    examined = examine(emulator.app_settings)
    step = "reach" if operation == "health" else "key"
    assert examined.broken() == {step}
    found = examined.step(step)
    if kind == "frozen":
        assert found["summary"] == f"{emulator.service_url} did not answer in time"
    else:
        assert "network access control" in found["summary"]
        assert "az signalr network-rule update" in found["fix"]
        assert "--public-network true --allow RESTAPI" in found["fix"]


def test_an_answer_without_a_body_is_read_as_the_ones_before(
    emulator: RunningEmulator, examine: Examine
) -> None:
    emulator.add_fault(operation="getAccessKey", status=403, body="<html>nginx</html>")
    for operation in ("connectionExists", "userExists", "groupExists"):
        emulator.add_fault(operation=operation, status=403)
    examined = examine(emulator.app_settings)
    assert examined.broken() == {"key", "read"}
    read = examined.step("read")
    assert "network access control" in read["summary"]
    assert "az signalr network-rule update" in read["fix"]
    assert "az role assignment" not in read["fix"]


@pytest.mark.parametrize(
    ("status", "summary", "fix"),
    [
        (503, "503: the service has a fault", "az signalr show"),
        (500, "500: the service has a fault", "Try again"),
        (429, "429: the resource has reached a limit", "--unit-count"),
        (404, "404: what answers there does not have this operation", SERVICE_URI),
        (418, "418, which this operation does not give", SERVICE_URI),
    ],
)
def test_an_auth_api_with_a_fault(
    emulator: RunningEmulator, examine: Examine, status: int, summary: str, fix: str
) -> None:
    emulator.add_fault(operation="getAccessKey", status=status)
    examined = examine(emulator.app_settings)
    assert examined.broken() == {"key"}
    key = examined.step("key")
    assert key["summary"].startswith(summary)
    assert fix in key["fix"]
    assert key["details"]["status"] == status


def test_an_auth_api_whose_answer_is_no_key(emulator: RunningEmulator, examine: Examine) -> None:
    emulator.add_fault(operation="getAccessKey", status=200, body=f'{{"AccessKey":"{SECRET}"}}')
    key = examine(emulator.app_settings).step("key")
    assert key["summary"] == "200, and the body is not what this operation gives"
    assert SECRET not in str(key)


def test_a_key_that_the_service_does_not_know(emulator: RunningEmulator, examine: Examine) -> None:
    body = f'{{"AccessKey":"{SECRET}","KeyId":"known"}}'
    emulator.add_fault(operation="getAccessKey", status=200, body=body)
    examined = examine(emulator.app_settings)
    assert examined.broken() == {"client"}
    assert "401" in examined.step("client")["summary"]
    assert examined.step("key")["details"]["keyId"] == "known"
    assert SECRET not in str(examined.steps)


@pytest.mark.parametrize(
    ("seconds", "status", "summary"),
    [
        (30, "ok", "within 30 s"),
        (120, "warning", "120 s ahead"),
        (-120, "warning", "120 s behind"),
        (700, "failed", "700 s ahead, so that tokens are refused"),
    ],
)
def test_a_clock_that_differs_from_the_services(
    emulator: RunningEmulator, examine: Examine, seconds: float, status: str, summary: str
) -> None:
    # On the full second, as the header tells it.
    date = formatdate(round(time.time()) - seconds, usegmt=True)
    emulator.add_fault(operation="health", status=200, headers={"Date": date})
    clock = examine(emulator.app_settings).step("clock")
    assert clock["status"] == status
    assert abs(clock["details"]["secondsAhead"] - seconds) <= 2
    assert summary.rsplit(maxsplit=1)[-1] in clock["summary"]
    assert ("timedatectl" in (clock["fix"] or "")) is (status != "ok")


def test_a_clock_behind_that_of_the_tokens_issuer(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in Azure, where nobody can be asked whether a clock was moved.
    monkeypatch.setattr("doctor.checks.service.read_emulator", lambda *_: None)
    with running_emulator() as emulator:
        emulator.advance_clock(600)
        examined = examine(emulator.app_settings)
    clock = examined.step("clock")
    assert clock["status"] == "failed"
    assert "behind, so that tokens are refused" in clock["summary"]
    assert abs(clock["details"]["secondsAhead"] + 600) <= 5


@pytest.mark.parametrize(
    ("operation", "step"), [("userExists", "read"), ("closeConnection", "manage")]
)
def test_a_rest_operation_with_a_fault(
    emulator: RunningEmulator, examine: Examine, operation: str, step: str
) -> None:
    emulator.add_fault(operation=operation, status=503)
    examined = examine(emulator.app_settings)
    assert examined.broken() == {step}
    assert examined.step(step)["summary"].startswith("503: ")


def test_a_message_that_does_not_arrive(
    emulator: RunningEmulator, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doctor.checks.permissions._DELIVERY_TIMEOUT", 0.2)
    emulator.add_fault(operation="sendToUser", status=202)
    send = examine(emulator.app_settings).step("send")
    assert send["status"] == "warning"
    assert "did not arrive" in send["summary"]


def test_a_run_whose_time_is_over(emulator: RunningEmulator, examine: Examine) -> None:
    emulator.add_fault(operation="health", action="freeze")
    began = time.monotonic()
    examined = examine(emulator.app_settings, "--timeout", "0.5")
    assert time.monotonic() - began < 5
    assert examined.status == 1
    reach = examined.step("reach")
    assert reach["summary"].startswith("it did not end within ")
    skipped = examined.step("token")["summary"]
    assert skipped in {
        "skipped: the 0.5 seconds of this run are over (--timeout)",
        "skipped: it needs “Credential”",
    }
