"""Licences are listed, and those of what is deployed are such that anybody may deploy it."""

import re

import pytest

from docs.licences import (
    JAVASCRIPT,
    PAGE,
    ROOT,
    app_requirements,
    asked_for,
    distribution_requirements,
    javascript_licences,
    licence,
    page,
)
from tests.upkeep.test_locks import APP, DISTRIBUTIONS, versions

# Permissive, or, as the Mozilla licence, with duties for changes of its own files alone.
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
}


def parts(expression: str) -> set[str]:
    return set(re.split(r" AND | OR |[()]", expression)) - {""}


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / PAGE).read_text() == page(), "Run: make licences"


def test_the_page_has_all_that_is_deployed() -> None:
    deployed = re.split(r"^## ", (ROOT / PAGE).read_text(), flags=re.MULTILINE)[1]
    assert "deployed" in deployed.splitlines()[0]
    listed = re.findall(r"^\| ([a-z0-9-]+) \|", deployed, re.MULTILINE)
    assert versions(APP).keys() <= set(listed)


def test_what_is_deployed_may_be_used_by_anybody() -> None:
    licences = {name: licence(name) for name in asked_for(app_requirements())}
    assert {name: its for name, its in licences.items() if not parts(its) <= ALLOWED} == {}


@pytest.mark.parametrize("folder", DISTRIBUTIONS)
def test_what_a_distribution_brings_may_be_used_by_anybody(folder: str) -> None:
    licences = {name: licence(name) for name in asked_for(distribution_requirements(folder))}
    assert {name: its for name, its in licences.items() if not parts(its) <= ALLOWED} == {}


def test_what_the_demo_page_brings_may_be_used_by_anybody() -> None:
    licences = javascript_licences(JAVASCRIPT["The demo page"])
    assert {name: its for name, its in licences.items() if not parts(its) <= ALLOWED} == {}
