"""Runs the JavaScript clients of the folder javascript, which speak JSON lines."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent / "javascript"


class RealClient:
    """A JavaScript client that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    async def event(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            line = await self._stdout.readline()
        assert line, "the client has ended"
        event: dict[str, Any] = json.loads(line)
        return event

    async def go_on(self, line: str = "") -> None:
        """Release a script that waits for its standard input."""
        self._stdin.write(f"{line}\n".encode())
        await self._stdin.drain()

    async def end(self) -> None:
        self._stdin.close()


def require_javascript() -> None:
    """Fail, with what to do about it, if the clients cannot run."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.fail("Node.js 20 or later with npm is needed for the tests with real clients")
    if not (_FOLDER / "node_modules").is_dir():
        done = subprocess.run(
            ["npm", "ci", "--silent", "--no-audit", "--no-fund"],
            cwd=_FOLDER,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"npm ci failed in {_FOLDER}: {done.stderr}")


@asynccontextmanager
async def javascript(
    script: str, *arguments: str, trusted: Path | None = None
) -> AsyncIterator[RealClient]:
    """Run a script of the folder until the context ends.

    Args:
        script: Its name.
        arguments: What it is given.
        trusted: File with a certificate that it trusts too, in PEM.
    """
    require_javascript()
    process = await asyncio.create_subprocess_exec(
        "node",
        script,
        *arguments,
        cwd=_FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | ({} if trusted is None else {"NODE_EXTRA_CA_CERTS": str(trusted)}),
    )
    client = RealClient(process)
    try:
        yield client
        await client.end()
        async with asyncio.timeout(20):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def started(client: RealClient) -> str:
    """Give the id of a client that has connected and was refused its invocation."""
    connected, refused = await client.event(), await client.event()
    assert connected["event"] == "connected"
    assert refused["event"] == "refused"
    assert "No upstream is configured" in refused["error"]
    connection_id: str = connected["connectionId"]
    return connection_id
