"""The README's first minute, run as it stands there; only the ports are others."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Final, cast

import pytest

from tests.e2e.browser import browser
from tests.e2e.processes import E2E, ROOT, Process

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def started(ports: list[int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    options = ("--port", "--service-port", "--control-port")
    pairs = [part for pair in zip(options, map(str, ports), strict=True) for part in pair]
    process = Process(
        [sys.executable, "start.py", *pairs], tmp_path_factory.mktemp("start") / "log"
    )
    try:
        process.wait_for(r"^Ctrl-C stops both")
        yield process
    finally:
        process.stop()


def found(pattern: str, ports: list[int]) -> str:
    """Return the one place of the README that a pattern finds, with the test's ports in it."""
    (text,) = re.findall(pattern, README, re.MULTILINE | re.DOTALL)
    for written, port in zip((7071, 8888, 8889), ports, strict=True):
        text = text.replace(f"127.0.0.1:{written}", f"127.0.0.1:{port}")
    return cast("str", text)


def node(ports: list[int], then: str) -> list[str]:
    """Return the command that runs the README's JavaScript, and something after it."""
    return ["node", "--input-type=module", "--eval", found(r"^```js\n(.*?)^```", ports) + then]


@pytest.fixture
def sample(ports: list[int], started: Process) -> Iterator[subprocess.Popen[str]]:  # noqa: ARG001  what it connects to
    """The README's JavaScript, connected."""
    command = node(ports, 'console.log("connected");')
    with subprocess.Popen(command, cwd=E2E, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert said(process) == "connected"
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line that the sample prints; the SignalR client logs between its lines."""
    output = cast("IO[str]", process.stdout)
    return next(line for line in output if " Information: " not in line).rstrip("\n")


def curl(ports: list[int]) -> str:
    return found(r"^ *(curl [^\n]*)", ports)


def test_the_curl_line_makes_the_sample_print_what_the_text_says(
    ports: list[int], sample: subprocess.Popen[str]
) -> None:
    printed, answer = re.findall(r"print `([^`]+)`, and answers `([^`]+)`", README)[0]
    ran = subprocess.run(shlex.split(curl(ports)), capture_output=True, text=True, check=True)
    assert ran.stdout == answer
    assert said(sample) == printed == "curl: Hello"


def test_what_a_client_sends_to_everyone_has_its_name(
    ports: list[int], sample: subprocess.Popen[str]
) -> None:
    (invoke,) = re.findall(r"`(await connection\.invoke\([^`]+)`", README)
    command = node(ports, f"{invoke}; await connection.stop();")
    subprocess.run(command, cwd=E2E, check=True, capture_output=True)
    assert re.fullmatch(r"guest \S{4}: Hello", said(sample))


def test_make_start_shows_the_same_curl_line(ports: list[int], started: Process) -> None:
    assert f"  {curl(ports)}\n" in started.output


def test_the_curl_line_makes_the_open_demo_page_say_hello(
    ports: list[int], started: Process
) -> None:
    (url,) = re.findall(r"^  Demo +(\S+)$", started.output, re.MULTILINE)
    with browser() as chromium:
        pages = [
            chromium.open(f"{width} {scheme}", url, width=width, height=780, colorScheme=scheme)
            for width in (1000, 390)
            for scheme in ("light", "dark")
        ]
        for page in pages:
            page.see("#who", "You are guest ")
            assert page.read("#curl") == [curl(ports)], "an empty page tells the same"
        subprocess.run(shlex.split(curl(ports)), capture_output=True, check=True)
        for page in pages:
            page.see("#messages", "Hello")
            assert page.read("#messages b") == ["curl"]
            assert page.read("#messages .text") == ["Hello"]
            assert page.read("#empty") == []
        assert chromium.errors == []
