"""`python -m bench --against COMMIT`: the command line, the other build, and the pairs."""

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.against import comparison
from bench.against.build import PRESENT, Build, other_build, resolve
from bench.against.inside.answers import foreign
from bench.against.measurement import Figure, Measurement, Slice, Surroundings, take_pairs
from bench.against.process import UnmeasurableError, program, server
from bench.against.rows import MEASUREMENTS

ROOT = Path(__file__).parents[2]
NOTHING = Surroundings({}, {})


def git(*arguments: str) -> str:
    return subprocess.check_output(("git", *arguments), cwd=ROOT, text=True).strip()


def is_known(build: Build) -> bool:
    return f"worktree {build.root}" in git("worktree", "list", "--porcelain").splitlines()


@pytest.fixture(scope="module")
def other() -> Iterator[Build]:
    with other_build(resolve("HEAD")) as build:
        assert is_known(build)
        yield build
    assert not build.root.parent.exists()
    assert not is_known(build)


@pytest.fixture
def without_sources(tmp_path: Path) -> Build:
    return Build("empty", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against", "no-such-commit"], "there is no commit 'no-such-commit'"),
        (["--against=--all"], "there is no commit '--all'"),
        (
            ["--against", "HEAD", "--rows", "import,imports"],
            "there is no imports; there are import",
        ),
        (["--against", "HEAD", "rest"], "--rows chooses"),
        (["--against", "HEAD", "--pairs", "0"], "'0' is not a number from 1 on"),
        (["--rows", "import"], "belong to --against"),
        (["--pairs", "20"], "belong to --against"),
        (["imports"], "there is no imports; there are negotiate"),
    ],
)
def test_a_wrong_command_line_is_refused_by_one_clear_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert said in output.err.splitlines()[-1]
    assert not output.out


def test_the_rows_and_the_number_of_pairs_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, list[str], int]] = []

    def compare(commit: str, chosen: Mapping[str, Measurement], *, pairs: int) -> int:
        asked.append((commit, list(chosen), pairs))
        return 0

    monkeypatch.setattr("bench.__main__.compare", compare)
    assert main(["--against", "HEAD"]) == 0
    assert main(["--against", "HEAD", "--rows", "token,import", "--pairs", "40"]) == 0
    head = git("rev-parse", "--short", "HEAD")
    assert asked == [(head, list(MEASUREMENTS), 15), (head, ["token", "import"], 40)]


def test_the_other_build_has_the_sources_of_its_commit(other: Build) -> None:
    assert other.name == git("rev-parse", "--short", "HEAD")
    assert (other.root / "function_app.py").read_text() == git(
        "show", "HEAD:function_app.py"
    ) + "\n"
    # Nobody adds it to a commit by mistake.
    assert git("check-ignore", str(other.root)) == str(other.root)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_other_build_is_cleared_away_after_ctrl_c_and_errors(
    error: type[BaseException],
) -> None:
    with pytest.raises(error), other_build(resolve("HEAD")) as build:
        raise error
    assert not build.root.parent.exists()
    assert not is_known(build)


@pytest.mark.parametrize("module", ["shared", "signalr_emulator", "funchost", "function_app"])
def test_each_build_finds_its_own_sources(other: Build, module: str) -> None:
    script = f"from importlib.util import find_spec; print(find_spec({module!r}).origin)"
    for build in (PRESENT, other):
        found = subprocess.check_output(
            (sys.executable, "-P", "-c", script), env=build.environment({}), text=True
        )
        assert Path(found.strip()).is_relative_to(build.root)
        assert Path(found.strip()).is_relative_to(other.root) is (build is other)


def test_modules_of_the_present_build_are_noticed_in_another() -> None:
    present, build = Path("/present"), Path("/present/.against-1/other")
    files = {
        "__main__": "/present/bench/against/inside/start.py",
        "bench.senders": "/present/bench/senders.py",
        "funchost": "/present/funchost/__init__.py",
        "json": "/python/json.py",
        "requests": f"{sys.prefix}/lib/requests.py",
        "shared": "/present/.against-1/other/shared/__init__.py",
        "sys": None,
    }
    assert foreign(files, build=build, present=present) == []
    files["shared.errors"] = "/present/shared/errors.py"
    assert foreign(files, build=build, present=present) == ["shared.errors"]
    assert foreign(files, build=present, present=present) == []


def test_a_program_measures_the_other_build(other: Build) -> None:
    with program(other, "imported", settings={}) as process:
        milliseconds, of_cpu = process.answer()
    assert milliseconds > 0
    assert of_cpu > 0


def test_a_server_tells_the_processor_time_that_it_takes(other: Build) -> None:
    options = ("--service-port", "0", "--control-port", "0")
    with server(other, "signalr_emulator", *options, settings={}) as process:
        process.until(re.compile("ready"))
        assert process.cpu() > 0


@pytest.mark.parametrize("arguments", [("imported",), ("library", "token"), ("app", "index")])
def test_what_a_build_does_not_have_is_named(
    without_sources: Build, arguments: tuple[str, ...]
) -> None:
    with (
        program(without_sources, *arguments, settings={}) as process,
        pytest.raises(
            UnmeasurableError, match=r"^empty: not in that build: .*(shared|function_app)"
        ),
    ):
        process.answer()


def test_a_module_that_a_build_does_not_have_is_named(tmp_path: Path) -> None:
    with (
        server(Build("empty", tmp_path), "no_such_server", settings={}) as process,
        pytest.raises(UnmeasurableError, match=r"^empty: not in that build: .*no_such_server"),
    ):
        process.line()


def test_sides_take_turns_and_change_who_comes_first() -> None:
    asked: list[str] = []

    @contextmanager
    def start(build: Build, _around: Surroundings) -> Iterator[Slice]:
        asked.append(f"start {build.name}")

        def measure() -> list[float]:
            asked.append(build.name)
            return [3.0 if build.name == "present" else 2.0]

        yield measure

    measurement = Measurement([Figure("what", "µs")], start, slices=2)
    other = Build("other", ROOT)
    taken = list(itertools.islice(take_pairs(measurement, PRESENT, other, NOTHING), 2))
    assert [pair.ratio for (pair,) in taken] == [1.5, 1.5]
    # The first pair does not count.
    one = ["start other", "start present", *["other", "present"] * 2]
    two = ["start present", "start other", *["present", "other"] * 2]
    assert asked == [*one, *two, *one]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare without a second worktree, an emulator and a server."""

    @contextmanager
    def nothing() -> Iterator[Surroundings]:
        yield NOTHING

    @contextmanager
    def elsewhere(commit: str) -> Iterator[Build]:
        yield Build(commit, ROOT)

    monkeypatch.setattr(comparison, "surroundings", nothing)
    monkeypatch.setattr(comparison, "other_build", elsewhere)


def swinging(*present: float) -> Measurement:
    """Return what is as often one value of the present build as another, against 1."""
    values = itertools.cycle(present)

    @contextmanager
    def start(build: Build, _around: Surroundings) -> Iterator[Slice]:
        yield lambda: [next(values) if build is PRESENT else 1.0]

    return Measurement([Figure("what", "µs", 1.03)], start)


def measurement_of(present: float | None, other: float | None, limit: float | None) -> Measurement:
    @contextmanager
    def start(build: Build, _around: Surroundings) -> Iterator[Slice]:
        value = present if build is PRESENT else other
        if value is None:
            raise UnmeasurableError(build, "not in that build: no module")
        yield lambda: [value]

    return Measurement([Figure("what", "µs", limit)], start)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("measurement", "status", "said"),
    [
        (measurement_of(1.02, 1.0, 1.03), 0, "1.020×  1.020 to 1.020     15  ≤ 1.03×: met"),
        (measurement_of(1.04, 1.0, 1.03), 1, "1.040×  1.040 to 1.040     15  ≤ 1.03×: MISSED"),
        (measurement_of(2.0, 1.0, None), 0, "2.000×  2.000 to 2.000     15"),
        (measurement_of(1.0, None, 1.03), 0, "not in that build: no module"),
    ],
)
def test_a_missed_limit_ends_the_comparison_with_1(
    measurement: Measurement,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert comparison.compare("abc1234", {"row": measurement}, pairs=15) == status
    output = capsys.readouterr()
    assert output.out.splitlines()[-1].endswith(said)
    assert output.err.startswith("row ")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("pairs", "taken", "verdict"),
    [(15, 60, "not decided"), (4, 4, "not judged by fewer than 15 pairs")],
)
def test_pairs_are_doubled_where_they_decide_nothing(
    pairs: int, taken: int, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert comparison.compare("abc1234", {"row": swinging(1.0, 1.1)}, pairs=pairs) == 0
    output = capsys.readouterr()
    assert output.out.splitlines()[-1].endswith(f"{taken}  ≤ 1.03×: {verdict}")
    assert output.err == f"row {'.' * taken}\n"


@pytest.mark.usefixtures("alone")
def test_what_the_present_build_does_not_have_is_an_error() -> None:
    with pytest.raises(UnmeasurableError, match="present: not in that build: no module"):
        comparison.compare("abc1234", {"row": measurement_of(None, 1.0, 1.03)}, pairs=15)
