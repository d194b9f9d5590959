"""Each way to fuzz, for a given time."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Final
from xml.etree import ElementTree as ET

from fuzz.examples import FindingError, examples_for, save
from fuzz.rows import Row
from fuzz.target import Target

__all__ = ["described", "guided", "properties", "property_tests"]

_ROOT: Final = Path(__file__).parents[1]
_FOLDER: Final = _ROOT / ".fuzz"
_FINDINGS: Final = _FOLDER / "findings"
_LONGEST_INPUT: Final = 20
"""Seconds after which an input counts as one that never ends."""

_EXECUTIONS: Final = re.compile(r"stat::number_of_executed_units: (\d+)")
_WRITTEN: Final = re.compile(r"Test unit written to (\S+)")
_STATISTICS: Final = re.compile(
    r"- (\d+) passing\b[^,\n]*, (\d+) failing\b[^,\n]*, (?:and )?(\d+) invalid\b"
)
_TEST: Final = re.compile(r"^(\S+\.py)::\S+:$", re.MULTILINE)
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def guided(target: Target, seconds: float) -> Row:
    """Fuzz a target with atheris; inputs that reached new code are kept for the next time."""
    if find_spec("atheris") is None:
        return Row("coverage (no atheris here)", target.name, 0)
    corpus = _FOLDER / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    _FINDINGS.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    told = _run(
        "fuzz.guided",
        target.name,
        str(corpus),
        f"-max_total_time={max(1, round(seconds))}",
        f"-timeout={_LONGEST_INPUT}",
        f"-artifact_prefix={_FINDINGS}/{target.name}-",
        "-print_final_stats=1",
    )
    found = _EXECUTIONS.search(told.stdout)
    executions = int(found[1]) if found else 0
    if told.returncode == 0:
        return Row("coverage", target.name, executions)
    sys.stdout.write(told.stdout[-4000:])
    written = _WRITTEN.search(told.stdout)
    again = _again(target, Path(written[1])) if written else f"python -m fuzz {target.name}"
    return Row("coverage", target.name, executions, (again,))


def properties(target: Target, seconds: float) -> Row:
    """Fuzz a target with hypothesis."""
    try:
        return Row("properties", target.name, examples_for(target, seconds))
    except FindingError as finding:
        file = save(finding.data, target, _FINDINGS)
        return Row("properties", target.name, finding.number, (_again(target, file),))


def property_tests(seconds: float, *files: str) -> list[Row]:
    """Run the property tests of the repository at depth, as often as the time allows.

    Args:
        seconds: The time; they run once at least.
        files: Those whose tests run, if not all.
    """
    executions: Counter[str] = Counter()
    findings: set[str] = set()
    for told in _rounds(seconds, *files, "-m", "hypothesis", "--hypothesis-show-statistics"):
        blocks = _TEST.split(told.stdout)
        for file, block in zip(blocks[1::2], blocks[2::2], strict=True):
            executions[file] += sum(sum(map(int, each)) for each in _STATISTICS.findall(block))
        findings.update(_failures(told))
    return _rows("property tests", executions, findings)


def described(seconds: float) -> list[Row]:
    """Hold emulator and app against their OpenAPI descriptions, as often as the time allows."""
    report = _FOLDER / "described.xml"
    report.parent.mkdir(exist_ok=True)
    tests = ("tests/e2e/test_openapi.py", "emulator/tests/rest/test_contract.py", "-k", "conform")
    executions: Counter[str] = Counter()
    findings: set[str] = set()
    for told in _rounds(seconds, *tests, f"--junitxml={report}"):
        for case in ET.parse(report).iter("testcase"):  # noqa: S314  pytest wrote it
            count = sum(int(each.get("value", "0")) for each in case.iter("property"))
            executions[f"{case.get('classname', '').replace('.', '/')}.py"] += count
        findings.update(_failures(told))
    return _rows("descriptions", executions, findings)


def _rounds(seconds: float, *arguments: str) -> Iterator[subprocess.CompletedProcess[str]]:
    """Run pytest again while another round fits into the time, once at least."""
    end = monotonic() + seconds
    longest = 0.0
    while longest == 0.0 or monotonic() + longest < end:
        began = monotonic()
        options = ("-q", "--timeout=0", "-p", "no:cacheprovider")
        yield _run("pytest", *options, *arguments, environment={"HYPOTHESIS_PROFILE": "deep"})
        longest = max(longest, monotonic() - began)


def _run(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own modules
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
    )


def _failures(told: subprocess.CompletedProcess[str]) -> Sequence[str]:
    if told.returncode == 0:
        return ()
    sys.stdout.write(told.stdout[-8000:])
    return _FAILED.findall(told.stdout) or ("pytest",)


def _rows(how: str, executions: Mapping[str, int], findings: set[str]) -> list[Row]:
    files = sorted({*executions, *(each.partition("::")[0] for each in findings)})
    return [
        Row(
            how,
            file,
            executions.get(file, 0),
            tuple(f"pytest {each}" for each in sorted(findings) if each.startswith(file)),
        )
        for file in files
    ]


def _again(target: Target, file: Path) -> str:
    return f"python -m fuzz {target.name} --file {file.relative_to(_ROOT)}"
