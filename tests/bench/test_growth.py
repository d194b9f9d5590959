"""How costs grow: the program at small sizes, and what the last run of all sizes has left."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.growth.__main__ import main

ROOT = Path(__file__).parents[2]


def measured(*arguments: str, files: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program, with a limit on open files if there is one."""
    command = [sys.executable, "-m", "bench.growth", *arguments]
    if files is not None:
        command = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *command]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("only", "sizes", "curves"),
    [
        (
            "clients",
            "20,60",
            [
                "Connect, CPU, µs, by clients",
                "Memory of a connection, KB, by clients",
                "Longest garbage collection so far, CPU, ms, by clients",
                "Broadcast of 1 KB, CPU of a recipient, µs, by clients",
                "Send to a group of 10, CPU of a recipient, µs, by clients",
                "Disconnect, CPU, µs, by clients",
            ],
        ),
        (
            "hubs",
            "20,40",
            [
                "Connect to a new hub, CPU, µs, by hubs",
                "Memory of a hub and its client, KB, by hubs",
                "Send to a hub by REST, CPU, µs, by hubs",
            ],
        ),
        (
            "memberships",
            "40,80",
            [
                "Memory of a membership, bytes, by memberships",
                "Join by REST, CPU, µs, by memberships",
                "Leave by REST, CPU, µs, by memberships",
                "Send to a group of 10, CPU of a recipient, µs, by memberships",
                "Disconnect, CPU, µs, by groups of a client",
                "Connect again, CPU, µs, by groups of a client",
                "Join for an hour by REST, CPU, µs, by groups of a user",
                "Request when a membership ends, CPU, µs, by memberships",
            ],
        ),
    ],
)
def test_each_cost_is_measured_at_each_size(only: str, sizes: str, curves: list[str]) -> None:
    run = measured("--only", only, "--sizes", sizes)
    assert run.returncode == 0, run.stderr
    titles = [line for line in run.stdout.splitlines() if line and not line.startswith(" ")]
    assert titles == curves
    # Every size of every curve, and each of them told while it is measured.
    assert run.stdout.count("\n  ") == len(curves) * 2
    assert [line.partition(" ")[0] for line in run.stderr.splitlines()][:2] == sizes.split(",")


def test_clients_that_a_machine_cannot_have_are_named_and_fewer_are_measured() -> None:
    run = measured("--only", "clients", "--sizes", "20,2000", files=160)
    assert run.returncode == 0, run.stderr
    named, *measured_sizes = run.stderr.splitlines()
    assert named == (
        "2,000 clients are more than the hard limit on open files allows a process here: "
        "60 instead (ulimit -Hn has the limit)"
    )
    assert measured_sizes == ["20 clients", "60 clients"]


@pytest.mark.parametrize("sizes", ["", "0", "1,000", "40,20", "40,50", "10,20", "a"])
def test_wrong_sizes_are_refused_by_one_clear_line(
    sizes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "clients", f"--sizes={sizes}"])
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{sizes!r} is not a list of ascending multiples of its first" in said


def test_the_last_run_went_to_the_sizes_that_the_page_promises() -> None:
    families = json.loads((ROOT / "bench/growth/results.json").read_text())["curves"]
    points = {
        (name, curve["by"], curve["what"]): curve["points"]
        for name, curves in families.items()
        for curve in curves
    }
    largest = {(name, by): found[-1][0] for (name, by, _), found in points.items()}
    # The usual hard limit leaves a hundred less than 20,000 of that.
    assert largest.pop(("clients", "clients")) >= 19_900
    assert largest == {
        ("hubs", "hubs"): 1_000,
        ("memberships", "memberships"): 100_000,
        ("memberships", "groups of a client"): 100,
        ("memberships", "groups of a user"): 100_000,
    }
    for found in points.values():
        assert [size for size, *_ in found] == sorted({size for size, *_ in found})
        assert all(low <= middle <= high for _, low, middle, high in found)
