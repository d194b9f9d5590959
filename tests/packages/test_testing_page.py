"""The page about testing one's app, run as it stands with the installed distributions."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from signalr_emulator.testing import running_emulator

from load.processes import ROOT
from tests.packages.conftest import Environment, clean_environment

PAGE = (ROOT / "docs" / "testing-your-app.md").read_text()
APP, FIXTURES, TESTS, METHODS, UNITTEST = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(JAVASCRIPT,) = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)
(MESSAGE,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


class Rename(BaseHTTPRequestHandler):
    """Answers a call of `rename` as the app of another page does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"type":3,"invocationId":"1","result":"Ann"}\x1e'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Rename) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pizzeria.py").write_text(APP)
    (tmp_path / "conftest.py").write_text(FIXTURES)
    return tmp_path


def test_the_pizzeria(environment: Environment, folder: Path) -> None:
    (folder / "test_pizzeria.py").write_text(TESTS)
    assert "4 passed" in environment.run("-m", "pytest", folder=folder)


def test_a_failure_reads_as_on_the_page(environment: Environment, folder: Path) -> None:
    (folder / "test_pizzeria.py").write_text("""
import pytest

def test_ready(signalr_emulator, pizzeria):
    with signalr_emulator.client("orders", user_id="ann") as ann:
        pizzeria.order("ann", "Margherita")
        with pytest.raises(AssertionError) as caught:
            ann.wait_for("ready")
        print(caught.value)
""")
    assert MESSAGE in environment.run("-m", "pytest", "--capture=no", folder=folder)


def test_methods(environment: Environment, tmp_path: Path) -> None:
    assert "127.0.0.1:7071" in METHODS
    with upstream() as address:
        (tmp_path / "test_methods.py").write_text(METHODS.replace("127.0.0.1:7071", address))
        assert "1 passed" in environment.run("-m", "pytest", folder=tmp_path)


def test_unittest(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "test_orders.py").write_text(UNITTEST)
    environment.run("-W", "error", "-m", "unittest", folder=tmp_path)


def test_javascript(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(ROOT / "tests" / "e2e" / "node_modules")
    (tmp_path / "pizzeria.test.mjs").write_text(JAVASCRIPT)
    with running_emulator() as emulator:
        urls = {"SERVICE": emulator.service_url, "CONTROL": emulator.control_url}
        ended = subprocess.run(
            ["node", "--test"],
            cwd=tmp_path,
            env=clean_environment(**urls),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout
    assert re.search(r"^. pass 2$", ended.stdout, re.MULTILINE), ended.stdout
