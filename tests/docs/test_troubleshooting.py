"""The texts of docs/troubleshooting.md are those that people see."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "troubleshooting.md").read_text()
OURS = ("When the app starts", "In the app's log", "In the app's answer")
FOLDERS = ("shared", "negotiate", "broadcast", "funchost")
CLIENT = ROOT / "tests/e2e/node_modules/@microsoft/signalr/dist/browser/signalr.js"
EMULATED = ("Invocation failed, status code …",)
BROWSERS = ("… has been blocked by CORS policy: …",)


def sections() -> dict[str, str]:
    parts = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    return {title: body for title, _, body in (part.partition("\n") for part in parts)}


def quoted(section: str) -> list[str]:
    headings = re.findall(r"^### (.*)$", sections()[section], re.MULTILINE)
    reasons = re.findall(r"^\| `(.*?)` \|", sections()[section], re.MULTILINE)
    return [text for each in headings for text in re.findall(r"`(.*?)`", each)] + reasons


def fragments(text: str) -> list[str]:
    """Return what stands between the parts of a text that differ."""
    settings = r"\b(?:AzureSignalRConnectionString__\w+|[A-Z]+(?:_[A-Z]+)+)\b"
    parts = re.split(rf"…|^{settings}|'[\w-]+'|\w+Error: ", text)
    return [part.strip(" :") for part in parts if part.strip(" :,;.()")]


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values):
                # What is inserted is either part of the text, as a constant's name, or differs.
                yield "".join(
                    str(each.value) if isinstance(each, ast.Constant) else "…" for each in values
                )


SOURCE = [
    text for name in FOLDERS for path in (ROOT / name).rglob("*.py") for text in strings(path)
]


def test_every_section_has_texts() -> None:
    assert all(quoted(section) for section in (*OURS, "In the browser's console"))


@pytest.mark.parametrize("text", [text for section in OURS for text in quoted(section)])
def test_a_text_of_ours_is_in_the_source(text: str) -> None:
    for fragment in fragments(text):
        assert any(fragment in each for each in SOURCE), fragment


@pytest.mark.parametrize("text", quoted("In the browser's console"))
def test_a_text_of_the_client_is_in_the_client(text: str) -> None:
    if text in BROWSERS:
        return
    emulator = ROOT / "emulator/src/signalr_emulator/upstream/messages.py"
    source = (emulator if text in EMULATED else CLIENT).read_text()
    for fragment in fragments(text):
        assert fragment in source, fragment
