"""What an operator sees of the app: traces from a client's request to the service, and log records.

The app runs in Microsoft's worker, which hands it the trace of each request. Between a client and
the worker the Functions host makes one more span in Azure; the local host makes none.
"""

import json
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import trustme

from tests.e2e.processes import E2E, PATIENCE, Emulator, FunctionApp, client
from tests.e2e.processes import function_app as running_app
from tests.scripted_service import Received, Reply, ScriptedService, scripted_service

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture(scope="module")
def observed_app(
    service: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    settings = {**service.app_settings, "PYTHON_ENABLE_OPENTELEMETRY": "true"}
    folder = tmp_path_factory.mktemp("observed")
    with running_app(settings, folder, E2E / "telemetry_app") as running:
        yield running


def recorded(app: FunctionApp) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{app.url}/recorded", timeout=PATIENCE).json()
    return found


def test_a_request_of_a_browser_and_what_the_service_is_asked_are_one_trace(
    observed_app: FunctionApp,
) -> None:
    with client(observed_app.url, traceparent=TRACEPARENT) as connected:
        connected.connection_id()
        message = {"target": "newMessage", "arguments": ["Hello"]}
        answer = observed_app.post("broadcast", message, traceparent=TRACEPARENT)
        assert answer.status_code == 202
        assert connected.message() == ["Hello"]

    found = recorded(observed_app)
    (sent,) = [span for span in found["spans"] if span["name"] == "SignalR send_to_all"]
    assert sent["trace"] == TRACE
    assert sent["parent"] == SPAN
    assert (
        sent["attributes"].items()
        >= {
            "signalr.hub": "chat",
            "http.response.status_code": 202,
            "http.request.method": "POST",
        }.items()
    )
    assert {
        "signalr.client.negotiations",
        "signalr.client.request.duration",
        "signalr.client.access_key.refreshes",
        "signalr.client.access_key.age",
    } <= set(found["metrics"])


def test_a_failure_is_logged_with_hub_endpoint_request_and_trace(
    observed_app: FunctionApp, service: Emulator
) -> None:
    fault = service.add_fault(operation="sendToHub", status=500)
    try:
        message = {"target": "newMessage", "arguments": ["Hello"], "hub": "news"}
        answer = observed_app.post("broadcast", message, traceparent=TRACEPARENT)
    finally:
        service.clear_fault(fault)
    assert answer.status_code == 503

    found = recorded(observed_app)
    (failed,) = [log for log in found["logs"] if "in hub news" in log["text"]]
    (span,) = [span for span in found["spans"] if span["attributes"].get("signalr.hub") == "news"]
    assert failed["trace"] == TRACE
    assert (
        failed["attributes"].items()
        >= {
            "error.type": "ServiceUnavailableError",
            "http.response.status_code": 500,
            "signalr.hub": "news",
            "signalr.endpoint": span["attributes"]["signalr.endpoint"],
            "signalr.request_id": span["attributes"]["signalr.request_id"],
        }.items()
    )


class Ingestion:
    """Where Application Insights takes telemetry, of which this one only takes note."""

    def __init__(self, service: ScriptedService) -> None:
        self._service = service
        self.settings = {
            "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                # Another one each time, since what could not be sent is kept for the next run.
                f"InstrumentationKey={uuid.uuid4()}"
                f";IngestionEndpoint={service.url};LiveEndpoint={service.url}"
            ),
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "Authorization=AAD",
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "OTEL_TRACES_SAMPLER": "always_on",
        }

    @property
    def audiences(self) -> set[str]:
        """For whom the tokens were that came along."""
        tokens = [
            request.headers["Authorization"].removeprefix("Bearer ") for request in self._tracked
        ]
        return {jwt.decode(token, options={"verify_signature": False})["aud"] for token in tokens}

    def items(self, kind: str) -> list[dict[str, Any]]:
        return [
            item["data"]["baseData"] | {"tags": item["tags"]}
            for request in self._tracked
            for item in json.loads(request.body)
            if item["data"]["baseType"] == kind
        ]

    @property
    def _tracked(self) -> list[Received]:
        return [each for each in self._service.received if each.path.endswith("/track")]


@pytest.fixture
def ingestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingestion]:
    authority = trustme.CA()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    accepted = Reply(200, body=b'{"itemsReceived": 1, "itemsAccepted": 1, "errors": []}')
    with scripted_service(lambda _: accepted, tls) as running:
        yield Ingestion(running)


def test_azure_monitor_gets_all_of_it_by_a_setting_and_the_managed_identity(
    service: Emulator, ingestion: Ingestion, tmp_path: Path
) -> None:
    with running_app({**service.app_settings, **ingestion.settings}, tmp_path) as app:
        app.post("negotiate", traceparent=TRACEPARENT)
        message = {"target": "newMessage", "arguments": ["Hello"], "userId": "ann"}
        app.post("broadcast", message, traceparent=TRACEPARENT)

    assert ingestion.audiences == {"https://monitor.azure.com/"}
    by_name = {each["name"]: each for each in ingestion.items("RemoteDependencyData")}
    sent = by_name["POST /api/hubs/chat/users/{user}/:send"]
    assert sent["tags"]["ai.operation.id"] == TRACE
    assert sent["tags"]["ai.operation.parentId"] == SPAN
    assert sent["resultCode"] == "202"
    assert sent["target"] == service.service_url.removeprefix("http://")
    assert sent["properties"].items() >= {"signalr.hub": "chat"}.items()
    # Each request once, whatever instruments the HTTP library.
    names = [each["name"] for each in ingestion.items("RemoteDependencyData")]
    assert names.count("GET /api/v1/auth/accessKey") == 1
    metrics = {
        metric["name"] for each in ingestion.items("MetricData") for metric in each["metrics"]
    }
    assert {
        "signalr.client.negotiations",
        "signalr.client.request.duration",
        "signalr.client.access_key.refreshes",
        "signalr.client.access_key.age",
    } <= metrics
    (log,) = [
        each for each in ingestion.items("MessageData") if each["message"].startswith("Access key ")
    ]
    assert log["properties"]["signalr.endpoint"] == service.service_url.removeprefix("http://")


def test_a_cold_start_waits_for_neither_telemetry_nor_azure_identity(
    service: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with running_app(service.app_settings, tmp_path) as app:
        app.negotiate()
        app.post("broadcast", {"target": "newMessage", "arguments": []})
        imported = app.process.output
    assert "shared.endpoints.first_token" in imported
    assert "azure.identity" not in imported
    assert "opentelemetry" not in imported
    assert "azure.monitor" not in imported
