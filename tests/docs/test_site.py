"""The site that `make docs` builds."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it; a link, a name or a directive that is wrong is an error."""
    folder = tmp_path_factory.mktemp("site")
    (options,) = re.findall(
        r"^sphinx := \$\(python\) -m sphinx (.*) -d \S+ \.$",
        (ROOT / "Makefile").read_text(),
        re.MULTILINE,
    )
    command = (*options.split(), "-d", str(folder / "doctrees"), ".", str(folder / "html"))
    built = subprocess.run(
        (sys.executable, "-m", "sphinx", *command),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


def text_of(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.read_text()))


@pytest.mark.parametrize(
    ("client", "begin"),
    [("shared.SignalRServiceClient", ""), ("shared.aio.SignalRServiceClient", "async ")],
)
def test_methods_of_the_clients_show_what_a_caller_sees(
    site: Path, client: str, begin: str
) -> None:
    page = (site / "docs/api/client.html").read_text()
    shown = page[page.index(f'id="{client}.send_to_user"') :]
    text = " ".join(re.sub(r"<[^>]+>", " ", shown[: shown.index("</dl>\n</dd>")]).split())
    assert re.sub(r"\s", "", text).startswith(
        re.sub(r"\s", "", f'id="{client}.send_to_user"> {begin} send_to_user (')
    )
    assert "Send a message to every connection of a user" in text


def test_a_link_to_a_file_of_the_repository_gives_the_file(site: Path) -> None:
    page = (site / "docs/api/negotiate.html").read_text()
    (target,) = re.findall(r'href="([^"]+/policy\.py)"', page)
    downloaded = (site / "docs/api" / target).resolve()
    assert downloaded.read_text() == (ROOT / "negotiate" / "policy.py").read_text()


def test_the_folder_itself_leads_to_the_first_page(site: Path) -> None:
    (target,) = re.findall(r"url=(\S+)\"", (site / "index.html").read_text())
    assert "Keyless SignalR" in text_of(site / target)


def test_the_last_line_of_make_docs_names_a_page_that_opens(site: Path) -> None:
    made = subprocess.run(
        ("make", "--dry-run", "docs"), cwd=ROOT, capture_output=True, text=True, check=True
    )
    (address,) = re.findall(r'^echo "Open file://(.+)"$', made.stdout, re.MULTILINE)
    page = Path(address)
    assert page.parent == ROOT / "docs/_build/html"
    assert (site / page.name).is_file()


def test_links_between_pages_need_no_server(site: Path) -> None:
    lost = [
        f"{page.relative_to(site)}: {target}"
        for page in site.rglob("*.html")
        for target in re.findall(r'(?:href|src)="([^"]*)"', page.read_text())
        if not re.match(r"[a-z]+:|#", target)
        if target and not (page.parent / unquote(re.split("[?#]", target)[0])).is_file()
    ]
    assert lost == []
