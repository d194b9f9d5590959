"""azure.yaml, the parameters of azd, and what it deploys."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pathspec import GitIgnoreSpec

from tests.infra.bicep import ROOT, SOURCES, read
from tests.infra.cases import deployed

# Beside the modules that `function_app.py` imports, whatever the owner adds to them.
NEEDED = {
    "constraints.txt",
    "demo/authentication-refresh.mjs",
    "demo/page.css",
    "demo/page.html",
    "demo/page.mjs",
    "demo/problems.mjs",
    "host.json",
    "requirements.txt",
}
NEVER = (
    ".env",
    ".env.production",
    ".venv/pyvenv.cfg",
    "venv/pyvenv.cfg",
    "app.pem",
    "certificates/app.pfx",
    "private.key",
    "debug.log",
    ".coverage",
    ".interop/python/pysignalr@1.3.3/pyvenv.cfg",
    "__blobstorage__/a",
    "__queuestorage__/a",
    "__azurite_db_blob__.json",
    "local.settings.json",
    "dist/keyless_signalr-0.1.0-py3-none-any.whl",
)


def ignored() -> GitIgnoreSpec:
    """Return what is left out; .funcignore follows the rules of .gitignore."""
    return GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())


def package() -> set[str]:
    """Return the files that are deployed from a fresh clone, and those that are not added yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    there = (each for each in listed if (ROOT / each).exists())
    return {each for each in there if not ignored().match_file(each)}


def test_the_package_holds_what_the_app_needs_and_nothing_else() -> None:
    assert package() == imported("function_app.py") | NEEDED


def test_what_set_up_has_made_for_the_demo_page_is_deployed_too() -> None:
    assert not ignored().match_file("demo/signalr.js")


@pytest.mark.parametrize("path", NEVER)
def test_what_is_secret_or_of_this_machine_stays_here(path: str) -> None:
    assert ignored().match_file(path)


def imported(first: str) -> set[str]:
    """Return a module and all of ours that it imports, at once or later."""
    found: set[str] = set()
    waiting = {first}
    while waiting:
        path = waiting.pop()
        found.add(path)
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        waiting |= {each for name in _names(tree, path) for each in _files(name)} - found
    return found


def _names(tree: ast.AST, path: str) -> Iterator[str]:
    """Give the dotted names of what a module imports, which may be members of modules."""
    package = Path(path).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            yield module
            yield from (f"{module}.{each.name}" for each in node.names)


def _files(name: str) -> Iterator[str]:
    """Give the files of a module of ours and of the packages around it."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        path = "/".join(parts[:count])
        yield from (
            each for each in (f"{path}.py", f"{path}/__init__.py") if (ROOT / each).exists()
        )


def azure_yaml() -> dict[str, Any]:
    described: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())
    return described


def test_azd_finds_the_site_of_the_service() -> None:
    ((name, service),) = azure_yaml()["services"].items()
    assert service == {"project": ".", "language": "python", "host": "function"}
    tagged = [
        (each.type, each.body["tags"]["azd-service-name"])
        for each in deployed("everything").resources
        if "azd-service-name" in each.body.get("tags", {})
    ]
    assert tagged == [("Microsoft.Web/sites", name)]


def test_every_parameter_comes_from_the_environment() -> None:
    given = json.loads(SOURCES["main.parameters.json"])["parameters"]
    declared = {each.name for each in read("main.bicep", SOURCES["main.bicep"]).of("parameter")}
    assert set(given) == declared
    # Without a default: azd leaves an unset one to main.bicep, or asks for it.
    variables = [re.fullmatch(r"\$\{([A-Z_]+)\}", each["value"]) for each in given.values()]
    assert all(variables)
    assert len({each[1] for each in variables if each}) == len(given)


def test_the_documentation_names_every_parameter() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    given = json.loads(SOURCES["main.parameters.json"])["parameters"]
    for each in given.values():
        assert f"`{each['value'][2:-1]}`" in page
    for name in deployed("least").outputs:
        assert f"`{name}`" in page
