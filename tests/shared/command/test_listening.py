"""What a service may send that it should not, and how it ends a connection for good."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from aiohttp import web

ROOT = Path(__file__).parents[3]
CLOSE = json.dumps({"type": 7, "error": "Enough"})
PATIENCE = 30.0
COMMAND = (sys.executable, "-m", "shared", "listen", "--hub", "chat")


@contextlib.contextmanager
def service(*records: str, handshake: str = "{}", negotiation: int = 200) -> Iterator[str]:
    """Serve one hub, whose clients get these records; gives its address."""

    async def negotiate(_: web.Request) -> web.Response:
        return web.json_response({"connectionId": "c1"}, status=negotiation)

    async def connect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive_str()
        await socket.send_str("".join(f"{each}\x1e" for each in (handshake, *records)))
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.add_routes([web.post("/client/negotiate", negotiate), web.get("/client/", connect)])
    runner = web.AppRunner(app, shutdown_timeout=1)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port: int = runner.addresses[0][1]
        return port

    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
        yield f"Endpoint=http://127.0.0.1;Port={port};AccessKey={'k' * 44};Version=1.0;"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def listen(address: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND,
        env={"PYTHONPATH": str(ROOT), "AzureSignalRConnectionString": address},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def listening(address: str, folder: Path) -> str:
    """Listen until the connection was lost, and give what was told by then."""
    with subprocess.Popen(
        COMMAND,
        env={"PYTHONPATH": str(ROOT), "AzureSignalRConnectionString": address},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if "again" in line:
                break
        process.kill()
    return said


def targets(output: str) -> Sequence[str]:
    return [json.loads(line)["target"] for line in output.splitlines()]


def test_a_service_that_closes_for_good_ends_it(tmp_path: Path) -> None:
    message = json.dumps({"type": 1, "target": "last", "arguments": [1]})
    with service(json.dumps({"type": 6}), message, CLOSE) as address:
        ended = listen(address, tmp_path)
    assert targets(ended.stdout) == ["last"]
    assert ended.returncode == 1
    assert ended.stderr.endswith("The service has closed the connection: Enough\n")


@pytest.mark.parametrize("record", ["[]", "7", '{"type": "1"}', '{"type": 99, "target": 1}'])
def test_what_is_not_known_is_passed_over(record: str, tmp_path: Path) -> None:
    with service(record, CLOSE) as address:
        ended = listen(address, tmp_path)
    assert (ended.stdout, ended.returncode) == ("", 1)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("record", ["{", "[" * 100_000 + "]" * 100_000])
def test_what_cannot_be_read_is_told_and_ends_the_connection(record: str, tmp_path: Path) -> None:
    first = json.dumps({"type": 1, "target": "first", "arguments": []})
    with service(first, record) as address:
        said = listening(address, tmp_path)
    assert "What came is no message of SignalR; connecting again in" in said


@pytest.mark.parametrize("arguments", [None, "text", {"a": 1}])
def test_a_message_without_a_list_of_arguments_has_none(arguments: object, tmp_path: Path) -> None:
    message = json.dumps({"type": 1, "target": "odd", "arguments": arguments})
    with service(message, CLOSE) as address:
        ended = listen(address, tmp_path)
    assert json.loads(ended.stdout)["arguments"] == []


@pytest.mark.parametrize(
    ("negotiation", "said"),
    [
        (401, "the client token is not accepted. Check this machine's clock"),
        (403, "network access control"),
        (429, "429 to a client of http://127.0.0.1:"),
        (404, "404 to a client of http://127.0.0.1:"),
    ],
)
def test_a_refused_client_is_told_why(negotiation: int, said: str, tmp_path: Path) -> None:
    with service(negotiation=negotiation) as address:
        ended = listen(address, tmp_path)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "k" * 44 not in ended.stderr


def test_a_refused_handshake_has_the_services_words(tmp_path: Path) -> None:
    with service(handshake='{"error": "now in \'Default\' service mode"}') as address:
        ended = listen(address, tmp_path)
    assert ended.returncode == 1
    assert "refuses the handshake: now in 'Default' service mode" in ended.stderr
