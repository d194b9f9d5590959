"""No file of the repository holds a secret or names a server that packages come from."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The key of Microsoft's local emulator, which is published with it and opens nothing else.
PUBLISHED_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"

SECRETS = {
    "private key": "-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "access key": rf"(?i)accesskey=(?!{PUBLISHED_KEY}\b)[a-z0-9+/]{{20,}}",
    "storage key": r"(?i)accountkey=[a-z0-9+/]{20,}",
    "shared access signature": r"[?&]sig=[A-Za-z0-9%]{40,}",
    "token of a code host": r"\b(gh[pousr]|github_pat|glpat)[_-][A-Za-z0-9_]{20,}",
    "signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    "client secret of Entra": r"\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{34}\b",
    "token of a package registry": r"\b(npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40,})",
    "package registry": r"files\.python[h]osted|registry\.npm[j]s|/simple/[a-z]",
}
# The bar keeps this file from holding what it looks for.
EXAMPLES = {
    "private key": "-----BEGIN RSA PRI|VATE KEY-----",
    "access key": "Endpoint=https://a;access|key=aB3+/aB3+/aB3+/aB3+/aB3=;",
    "storage key": "Account|Key=aB3+/aB3+/aB3+/aB3+/aB3==",
    "shared access signature": f"https://a/b?sv=1&sig|={'a%2B' * 10}",
    "token of a code host": f"ghp|_{'a1' * 18}",
    "signed token": f"eyJ|{'a' * 20}.eyJ{'b' * 20}.{'c' * 43}",
    "client secret of Entra": f"aB~8|Q~{'x' * 34}",
    "token of a package registry": f"npm|_{'a1' * 18}",
    "package registry": "https://files.python|hosted.org/packages",
}


def tracked() -> Iterator[tuple[str, str]]:
    """Yield name and text of each file that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            yield name, path.read_text(errors="replace")


@pytest.mark.parametrize("kind", SECRETS)
def test_the_search_finds_what_it_looks_for(kind: str) -> None:
    assert re.search(SECRETS[kind], EXAMPLES[kind].replace("|", ""))


def test_no_file_holds_a_secret() -> None:
    found = [
        f"{name}: {kind}"
        for name, text in tracked()
        for kind, pattern in SECRETS.items()
        if re.search(pattern, text)
    ]
    assert found == []


def test_no_settings_of_one_person_are_tracked() -> None:
    names = {name for name, _ in tracked()}
    assert names & {"local.settings.json", ".env"} == set()
    assert not [name for name in names if name.startswith((".azure/", ".venv/", "node_modules/"))]
    assert not [name for name in names if name.endswith((".pem", ".key", ".pfx"))]
