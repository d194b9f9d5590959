"""The load of bench/locustfile.py on the running app: a few clients for a few seconds."""

import asyncio
import csv
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.e2e.processes import ROOT, FunctionApp, free_ports

LISTENERS = 5
KEY = "function-key-of-the-test"


def drive(url: str, folder: Path, *options: str) -> tuple[dict[str, tuple[int, int]], str]:
    """Return requests and failures by name, and all that was printed."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(ROOT / "bench/locustfile.py")),
            *("--headless", "--users", str(LISTENERS + 1), "--spawn-rate", "10"),
            *("--run-time", "5s", "--host", url),
            *("--csv", str(folder / "load"), "--broadcast-every", "0.5", *options),
        ],
        cwd=folder,
        env={**os.environ, "LOCUST_FUNCTION_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 0, printed
    with (folder / "load_stats.csv").open() as rows:
        counts = {
            row["Name"]: (int(row["Request Count"]), int(row["Failure Count"]))
            for row in csv.DictReader(rows)
        }
    return counts, printed


def test_clients_negotiate_connect_and_receive_broadcasts(
    anonymous_app: FunctionApp, tmp_path: Path
) -> None:
    counts, printed = drive(anonymous_app.url, tmp_path)
    for name in ("negotiate", "negotiate with the service", "connect"):
        assert counts[name] == (LISTENERS, 0)
    broadcasts, failures = counts["broadcast"]
    assert broadcasts > 0
    assert failures == 0
    deliveries, failures = counts["delivery"]
    # The last broadcast can be cut off by the end of the run before it is counted.
    assert 0 < deliveries <= (broadcasts + 1) * LISTENERS
    assert failures == 0
    assert counts["Aggregated"][1] == 0
    assert f"Driving {anonymous_app.url}, hub (default)" in printed
    assert KEY not in printed
    assert not re.search(r"eyJ[\w-]+\.", printed), "no token is shown"


def test_clients_that_leave_negotiate_anew(anonymous_app: FunctionApp, tmp_path: Path) -> None:
    counts, _ = drive(anonymous_app.url, tmp_path, "--stay", "1", "--hub", "news")
    assert counts["negotiate"][0] > LISTENERS
    assert counts["connect"][0] > LISTENERS
    assert counts["Aggregated"][1] == 0


@asynccontextmanager
async def silent_service() -> AsyncIterator[str]:
    """Run an app and a service in one, which never says goodbye to a client that does."""
    is_over = asyncio.Event()

    async def negotiate(request: web.Request) -> web.Response:
        url = f"http://{request.host}/client/?hub=chat"
        return web.json_response({"url": url, "accessToken": "token", "connectionToken": "id"})

    async def broadcast(_request: web.Request) -> web.Response:
        return web.Response(status=202)

    async def connect(request: web.Request) -> web.WebSocketResponse:
        connected = web.WebSocketResponse(autoclose=False)
        await connected.prepare(request)
        await connected.receive()
        await connected.send_str("{}\x1e")
        await is_over.wait()
        return connected

    app = web.Application()
    app.router.add_post("/negotiate", negotiate)
    app.router.add_post("/client/negotiate", negotiate)
    app.router.add_get("/client/", connect)
    app.router.add_post("/broadcast", broadcast)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        is_over.set()
        await runner.cleanup()


async def test_a_run_ends_while_clients_leave(tmp_path: Path) -> None:
    # Each waits a second for a goodbye that does not come, so the end of the run finds some of
    # them there.
    async with silent_service() as url:
        counts, _ = await asyncio.to_thread(drive, url, tmp_path, "--stay", "0.1")
    assert counts["connect"][0] > 0
    assert counts["Aggregated"][1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers of one machine are forked")
def test_several_processes_drive_together(anonymous_app: FunctionApp, tmp_path: Path) -> None:
    port = str(*free_ports(1))
    counts, _ = drive(
        anonymous_app.url,
        tmp_path,
        *("--processes", "2", "--master-bind-port", port, "--master-port", port),
    )
    assert counts["connect"] == (LISTENERS, 0)
    assert counts["broadcast"][0] > 0
    assert counts["delivery"][0] > 0
    assert counts["Aggregated"][1] == 0
