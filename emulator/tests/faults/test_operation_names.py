"""The names by which faults select operations: those of the code, the inspector, the README."""

import re
from pathlib import Path

from signalr_emulator.faults.disturbances import ALLOWED
from signalr_emulator.faults.middleware import OPERATION_NAMES

from emulator.tests.faults.test_rules import control
from emulator.tests.wire import Wire

README = (Path(__file__).parents[2] / "README.md").read_text()


def names_in_first_column(text: str) -> set[str]:
    rows = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_readme_names_every_operation() -> None:
    served = section("What it serves").split("\nControl plane:\n")[0]
    disturbed = section("Disturb it").split("\n| operation |")[1].split("\n\n")[0]
    assert "`poll`" in served
    named = names_in_first_column(served) | names_in_first_column(disturbed)
    assert named | {"identity", "poll"} == OPERATION_NAMES


def test_the_readme_says_what_may_happen_to_a_server_connection() -> None:
    table = section("Disturb it").split("\n| operation |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", table, re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", actions)) for name, actions in rows} == {
        name: {action.value for action in actions} for name, actions in ALLOWED.items()
    }


async def test_the_inspector_offers_every_operation(wire: Wire) -> None:
    async with wire.session.get(f"{wire.emulator.control_url}/emulator/events") as events:
        state = await events.content.readline()
    refused = await control(wire, "POST", "/emulator/faults", {"operation": "fly", "status": 500})
    [error] = refused.json["errors"]
    assert error["detail"] == f"has to be of {', '.join(sorted(OPERATION_NAMES))}"
    for name in OPERATION_NAMES:
        assert f'"{name}"'.encode() in state
