"""Values of an app where msgspec is not installed, which the library does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
sys.modules["msgspec"] = None  # which makes every import of it fail
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from shared.errors import InvalidArgumentError
from shared.rest.messages import encode_message
@dataclass
class Price: value: int
try:
    print(encode_message("t", [{}]).body.decode())
except InvalidArgumentError as error:
    print(error)
"""
INSTALL = (
    ". With the package msgspec, bytes, times and dataclasses can be sent as well:"
    " pip install 'keyless-signalr[messagepack]'"
)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("{'a': [Decimal('12.50'), 1.5]}", '{"target":"t","arguments":[{"a":[12.50,1.5]}]}'),
        ("b'x'", f"arguments cannot be written as JSON: [0] is a value of type bytes{INSTALL}"),
        (
            "{'at': datetime(2026, 1, 2)}",
            f"arguments cannot be written as JSON: [0]['at'] is a value of type datetime{INSTALL}",
        ),
        (
            "Price(1)",
            f"arguments cannot be written as JSON: [0] is a value of type Price{INSTALL}",
        ),
        ("float('nan')", "arguments cannot be written as JSON: [0] is NaN"),
    ],
)
def test_what_needs_msgspec_says_how_to_get_it(argument: str, said: str) -> None:
    program = [sys.executable, "-c", PROGRAM.replace("{}", argument)]
    ran = subprocess.run(program, cwd=ROOT, check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == said


def test_nobody_pays_for_what_is_not_used() -> None:
    code = (
        "import sys; from shared.rest.messages import encode_message;"
        "encode_message('t', [1.5, {'a': 'b'}]);"
        "print({'msgspec', 'decimal', '_decimal'} & sys.modules.keys())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "set()"
