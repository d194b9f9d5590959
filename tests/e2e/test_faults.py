"""What happens when the identity, the role or the token is not as it should be."""

import contextlib
import functools
import re
from pathlib import Path

import pytest
import requests

from tests.e2e.processes import (
    PATIENCE,
    Emulator,
    FunctionApp,
    client,
    emulator,
    free_ports,
    function_app,
    start_functions,
)


def test_without_the_role_nobody_connects_and_the_log_names_role_and_scope(tmp_path: Path) -> None:
    with (
        emulator(tmp_path / "emulator.log", role="none") as service,
        function_app(service.app_settings, tmp_path) as app,
    ):
        answer = app.post("negotiate")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Content-Type"] == "application/problem+json"
        for internal in ("role", "SignalR Service Owner", "127.0.0.1", "accessKey", "principal"):
            assert internal not in answer.text

        line = app.process.wait_for(r"^.*No new access key.*403.*$")[0]
        assert "'SignalR Service Owner'" in line
        assert "Microsoft.SignalRService/SignalR/auth/accessKey/action" in line
        assert re.search(
            r"the principal [0-9a-f-]{36} \(audience https://signalr\.azure\.com\)", line
        )
        assert "at the scope /subscriptions/" in line
        assert re.search(r"az role assignment create --assignee-object-id [0-9a-f-]{36} ", line)

        health = requests.get(f"{app.url}/health", timeout=PATIENCE)
        assert health.json() == {"status": "degraded"}
        with client(app.url) as refused:
            assert "503" in refused.next("refused")["error"]


def test_a_role_that_may_not_send(tmp_path: Path) -> None:
    with (
        emulator(tmp_path / "emulator.log", role="SignalR App Server") as service,
        function_app(service.app_settings, tmp_path) as app,
    ):
        app.negotiate()
        answer = app.post("broadcast", {"target": "t"})
        assert answer.status_code == 503
        assert answer.json()["results"] == [{"status": "failed", "detail": answer.json()["detail"]}]
        line = app.process.wait_for(r"^.*Not sent to everyone.*$")[0]
        assert "Microsoft.SignalRService/SignalR/hub/send/action" in line


def test_an_identity_endpoint_that_is_down_at_a_cold_start_heals_without_a_restart(
    tmp_path: Path,
) -> None:
    service_port, control_port = free_ports(2)
    settings = {
        "AzureSignalRConnectionString__serviceUri": f"http://127.0.0.1:{service_port}",
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{control_port}/msi/token",
        "IDENTITY_HEADER": "local-emulator",
    }
    with function_app(settings, tmp_path) as app:
        answer = app.post("negotiate")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        with emulator(
            tmp_path / "emulator.log", service_port=service_port, control_port=control_port
        ) as service:
            # The clock of the app passes the next try; nobody restarts anything.
            app.move_clock(60)
            service.advance_clock(60)
            negotiated = app.negotiate()
            assert service.admits(negotiated) == 200
            health = requests.get(f"{app.url}/health", timeout=PATIENCE)
            assert health.json() == {"status": "ok"}


def test_an_emulator_that_is_started_again_locks_nobody_out(tmp_path: Path) -> None:
    service_port, control_port = free_ports(2)
    start = functools.partial(
        emulator,
        tmp_path / "emulator.log",
        *("--state-dir", str(tmp_path / "state")),
        service_port=service_port,
        control_port=control_port,
    )
    with contextlib.ExitStack() as stack:
        with start() as before:
            app = stack.enter_context(function_app(before.app_settings, tmp_path))
            old = app.negotiate()
            assert app.post("broadcast", {"target": "t"}).status_code == 202
        with start() as after:
            assert after.admits(old) == 200
            assert after.admits(app.negotiate()) == 200
            assert app.post("broadcast", {"target": "t"}).status_code == 202
            state = after.state()
            assert (state["identityRequests"], state["keyRequests"]) == (0, 0)


def tampered(token: str) -> str:
    header, payload, signature = token.split(".")
    flipped = "A" if payload[10] != "A" else "B"
    return f"{header}.{payload[:10]}{flipped}{payload[11:]}.{signature}"


def test_a_tampered_client_token_is_refused(service: Emulator, anonymous_app: FunctionApp) -> None:
    negotiated = anonymous_app.negotiate()
    token = negotiated["accessToken"]
    assert service.admits(negotiated) == 200
    for bad in (tampered(token), token[:-4] + "AAAA", token.rpartition(".")[0] + ".", "", "x.y.z"):
        assert service.admits({**negotiated, "accessToken": bad}) == 401


def test_a_token_of_one_hub_does_not_open_another(
    service: Emulator, anonymous_app: FunctionApp
) -> None:
    negotiated = anonymous_app.negotiate()
    elsewhere = {**negotiated, "url": negotiated["url"].replace("hub=chat", "hub=news")}
    assert service.admits(elsewhere) == 401


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SIGNALR_HUBS": ""}, "SIGNALR_HUBS is not set"),
        (
            {"AzureSignalRConnectionString__serviceUri": "http://contoso.example"},
            "AzureSignalRConnectionString__serviceUri",
        ),
        ({"NEGOTIATE_IDENTITY": "app-service"}, "WEBSITE_AUTH_ENABLED"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_its_name_and_an_example(
    settings: dict[str, str], said: str, tmp_path: Path
) -> None:
    minimal = {"AzureSignalRConnectionString__serviceUri": "http://127.0.0.1:1"}
    process = start_functions({**minimal, **settings}, tmp_path)
    assert process.process.wait(PATIENCE) == 1
    assert said in process.output
    assert "Example: " in process.output
    assert len(process.output.splitlines()) == 1, process.output
