"""azure.yaml, the parameters of azd, and what it deploys."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pathspec import GitIgnoreSpec

from tests.infra.bicep import ROOT, SOURCES, read
from tests.infra.cases import deployed

# What Python packages and modules the app is made of, and what Azure needs to run it.
DEPLOYED = {
    "broadcast",
    "constraints.txt",
    "demo",
    "events.py",
    "function_app.py",
    "host.json",
    "negotiate",
    "openapi",
    "policy.py",
    "problems.py",
    "requirements.txt",
    "shared",
    "upstream",
}


def package() -> Iterator[Path]:
    """Yield the files that are deployed; .funcignore follows the rules of .gitignore."""
    ignored = GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    for folder, folders, files in ROOT.walk():
        below = folder.relative_to(ROOT)
        folders[:] = [each for each in folders if not ignored.match_file(f"{below / each}/")]
        yield from (below / each for each in files if not ignored.match_file(below / each))


def test_the_app_and_nothing_else_is_deployed() -> None:
    found = {path.parts[0] for path in package()} - {".funcignore"}
    assert found == DEPLOYED


def test_the_app_imports_nothing_that_is_not_deployed() -> None:
    here = {each.stem for each in ROOT.iterdir() if each.is_dir() or each.suffix == ".py"}
    there = {each.removesuffix(".py") for each in DEPLOYED}
    for path in package():
        if path.suffix == ".py":
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert {each for each in _imported(tree) if each in here} <= there, path


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


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
