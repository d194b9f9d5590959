"""The licences of everything that is installed, as a page: `make licences`.

What a package's licence is, its metadata says: a License-Expression (PEP 639), or the older
License field and classifiers. Versions are left out, so that an update changes the page only if
it changes a licence or brings a package; they are in the locks.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_INTRODUCTION: Final = """\
# Licences

This project is under the MIT licence, the text of which is in the file `LICENSE`. It installs the \
packages below, and none of them is part of the repository. Which versions is in \
`constraints.txt`, `requirements-dev.txt` and the `package-lock.json` files. `make licences` \
writes this page."""

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = "docs/licences.md"
JAVASCRIPT: Final = {
    "The demo page": ("demo",),
    "Tests in JavaScript": ("tests/e2e", "emulator/tests/javascript"),
}

_PROJECT: Final = "this project"
_SHOWN: Final = 3

_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU General Public License (GPL)": "GPL",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "public domain",
    "Python Software Foundation License": "PSF-2.0",
}
_OLD_FIELDS: Final = {"Apache 2.0": "Apache-2.0", "MIT License": "MIT"}
_SPDX: Final = re.compile(r"[A-Za-z0-9.-]+-[0-9][A-Za-z0-9.-]*|MIT|ISC|MIT OR Apache-2\.0")
# Packages whose metadata names no licence, by the licence file that they bring.
_BY_FILE: Final = {"signalrcore": "MIT"}


def app_requirements() -> list[Requirement]:
    """What `requirements.txt` asks for."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    texts = (line.partition("#")[0].strip() for line in lines if not line.startswith("-c"))
    return [Requirement(text) for text in texts if text]


def distribution_requirements(folder: str) -> list[Requirement]:
    """What a distribution of its own depends on, extras included, by the folder that it lies in."""
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    return [Requirement(text) for texts in (project["dependencies"], *extras) for text in texts]


def development_requirements() -> list[Requirement]:
    """What the group `dev` asks for, and those that it includes."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return [Requirement(text) for text in _listed(groups, "dev")]


def _listed(groups: Mapping[str, list[Any]], name: str) -> Iterator[str]:
    for each in groups[name]:
        if isinstance(each, str):
            yield each
        else:
            yield from _listed(groups, each["include-group"])


def asked_for(requirements: Iterable[Requirement]) -> dict[str, set[str]]:
    """The packages that requirements bring on this machine, each with those that ask for it.

    Raises:
        PackageNotFoundError: A package is not installed.
    """
    found: dict[str, set[str]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(_PROJECT, requirement) for requirement in requirements]
    while waiting:
        parent, requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        found.setdefault(name, set()).add(parent)
        extras = frozenset(requirement.extras)
        if (name, extras) not in seen:
            seen.add((name, extras))
            waiting += [(name, each) for each in _needs(distribution(name), extras)]
    return found


def _needs(package: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in package.requires or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield requirement


def licence(name: str) -> str:
    """The licence of an installed package, as an SPDX expression where it says so.

    Raises:
        ValueError: Its metadata names none that is known here.
    """
    metadata = distribution(name).metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    field = str(metadata.get("License", ""))
    if known := _OLD_FIELDS.get(field) or (field if _SPDX.fullmatch(field) else None):
        return known
    lines = metadata.get_all("Classifier") or []
    classifiers = (line.rpartition(" :: ")[2] for line in lines if line.startswith("License"))
    named = sorted({_CLASSIFIERS[each] for each in classifiers if each in _CLASSIFIERS})
    if named:
        return " AND ".join(named)
    if name in _BY_FILE:
        return _BY_FILE[name]
    raise ValueError(
        f"The metadata of {name} names no licence. Look into its files, and add it here"
    )


def javascript_licences(folders: Iterable[str]) -> dict[str, str]:
    """The packages of the folders' locks, each with its licence."""
    found: dict[str, str] = {}
    for folder in folders:
        lock: Any = json.loads((ROOT / folder / "package-lock.json").read_text())
        for path, package in lock["packages"].items():
            if path:
                found[path.rpartition("node_modules/")[2]] = package["license"]
    return found


def page() -> str:
    """The page, in Markdown."""
    app = asked_for(app_requirements())
    emulator = asked_for(distribution_requirements("emulator"))
    local_host = asked_for(distribution_requirements("funchost"))
    development = asked_for(development_requirements())
    for name in app.keys() | emulator.keys() | local_host.keys():
        development.pop(name, None)
    lines = [
        _INTRODUCTION,
        *_python("The function app, as it is deployed", app),
        *_python("The emulator", emulator),
        *_python("The local Functions host", local_host),
        *_python("Development alone", development),
    ]
    for heading, folders in JAVASCRIPT.items():
        lines += _javascript(heading, javascript_licences(folders))
    return "\n".join(lines) + "\n"


def _python(heading: str, packages: dict[str, set[str]]) -> Iterator[str]:
    yield from ("", f"## {heading}", "", "| package | licence | for |", "|---|---|---|")
    for name, parents in sorted(packages.items()):
        yield f"| {name} | {licence(name)} | {_names(parents)} |"


def _names(parents: set[str]) -> str:
    """The project first, and no more than a reader wants to see."""
    first, *rest = sorted(parents, key=lambda name: (name != _PROJECT, name))
    more = len(rest) - _SHOWN
    if more > 1:
        return f"{', '.join([first, *rest[:_SHOWN]])} and {more} others"
    return ", ".join([first, *rest])


def _javascript(heading: str, packages: dict[str, str]) -> Iterator[str]:
    yield from ("", f"## {heading}", "", "| package | licence |", "|---|---|")
    for name, its_licence in sorted(packages.items()):
        yield f"| {name} | {its_licence} |"


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page())
