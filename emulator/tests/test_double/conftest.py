import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from signalr_emulator.test_double.access import Access
from signalr_emulator.testing import RunningEmulator, running_emulator

EXCEEDED = "Invocation failed, status code 500"


class Upstream(BaseHTTPRequestHandler):
    """Answers `add` with the sum of the arguments, and fails at everything else that is asked."""

    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])).rstrip(b"\x1e"))
        target = self.headers["X-ASRS-Event"]
        is_known = target in {"connected", "disconnected", "add"}
        completion = {"type": 3, "invocationId": call.get("invocationId")}
        if target == "add":
            completion["result"] = sum(call["arguments"])
        body = json.dumps(completion).encode() + b"\x1e"
        self.send_response(200 if is_known else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def process(upstream: str) -> Iterator[RunningEmulator]:
    with running_emulator("--upstream", upstream) as running:
        yield running


@pytest.fixture
def emulator(process: RunningEmulator) -> RunningEmulator:
    process.reset()
    return process


def call(
    emulator: RunningEmulator, path: str, body: Mapping[str, Any], *, status: int = 202
) -> Any:  # noqa: ANN401 - a test knows what it expects
    """Call a REST operation as an app with the connection string does."""
    access = Access.of(emulator.connection_string)
    url = f"{access.endpoint}/api/hubs/chat/{path}"
    now = emulator.advance_clock(0)
    answer = requests.post(
        url,
        params={"api-version": "2024-12-01"},
        headers={"Authorization": f"Bearer {access.rest_token(url, now)}"},
        json=body,
        timeout=10,
    )
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def say(emulator: RunningEmulator, path: str, target: str, *arguments: object) -> None:
    call(emulator, f"{path}:send", {"target": target, "arguments": arguments})
