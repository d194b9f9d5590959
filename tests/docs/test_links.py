"""Every relative link of every page leads to a file, and to a heading where it names one."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|!?\[[^\]]*\]\([^)]*\))*\]\(([^()\s]+)\)")


def pages() -> list[str]:
    """Return what is in the repository, or will be: neither what is made nor what is installed."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = listed.stdout.split() or [
        str(page.relative_to(ROOT))
        for page in ROOT.rglob("*.md")
        if not {"node_modules", ".venv", "_build"} & set(page.parts)
    ]
    return sorted(each for each in found if (ROOT / each).exists())


def prose(text: str) -> str:
    """Return the text without code, in which brackets are no links."""
    text = re.sub(r"^(```+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<!`)`[^`\n]+`(?!`)", "code", text)


def links(page: str) -> Iterator[str]:
    text = prose((ROOT / page).read_text())
    nested = (inner for outer in LINK.finditer(text) for inner in LINK.findall(outer[0][1:]))
    for target in (*LINK.findall(text), *nested):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(path: Path) -> set[str]:
    """Return the names that a repository browser gives to headings."""
    text = re.sub(r"^(```+).*?^\1", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    names: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        names.append(f"{slug}-{names.count(slug)}" if slug in names else slug)
    return set(names)


@pytest.mark.parametrize("page", pages())
def test_links_of_a_page(page: str) -> None:
    broken = []
    for link in links(page):
        name, _, anchor = unquote(link).partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_links_are_found() -> None:
    assert "docs/overview.svg" in set(links("README.md"))
    assert "roles.md#at-which-scope" in set(links("docs/local-development.md"))
