"""The files of Visual Studio Code name what there is."""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".vscode"


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return content


LAUNCH, TASKS, SETTINGS, EXTENSIONS = (
    read(f"{name}.json") for name in ("launch", "tasks", "settings", "extensions")
)
TASK = {task["label"]: task for task in TASKS["tasks"]}


def texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from texts(each)
        case dict():
            for each in value.values():
                yield from texts(each)


def test_what_is_launched_is_there() -> None:
    for each in LAUNCH["configurations"]:
        if each["request"] == "launch":
            assert find_spec(each["module"]), each["name"]
        assert each.get("preLaunchTask", "emulator") in TASK
    assert all(task.get("dependsOn", "emulator") in TASK for task in TASK.values())


def test_tasks_call_targets_of_make() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = [word[1] for word in re.finditer(r"\bmake (\S+)", " ".join(texts(TASKS)))]
    assert called
    assert set(called) <= set(targets)


def test_files_are_there() -> None:
    (copied,) = re.findall(r"\bcp (\S+) ", TASK["settings"]["command"])
    assert (ROOT / copied).exists()
    for folder in SETTINGS["python.testing.pytestArgs"]:
        assert (ROOT / folder).is_dir()


def test_the_emulator_is_waited_for_until_it_says_that_it_is_ready() -> None:
    background = TASK["emulator"]["problemMatcher"]["background"]
    said = (ROOT / "emulator" / "README.md").read_text()
    for pattern in (background["beginsPattern"], background["endsPattern"]):
        assert re.search(pattern, said, re.MULTILINE)


def test_what_the_settings_need_is_recommended() -> None:
    assert SETTINGS["[python]"]["editor.defaultFormatter"] in EXTENSIONS["recommendations"]


def test_the_page_names_the_configurations() -> None:
    page = (ROOT / "docs" / "local-development.md").read_text()
    assert all(f"| {each['name']} |" in page for each in LAUNCH["configurations"])
