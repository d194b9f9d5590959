"""What an argument on the command line means."""

import pytest

from shared.command.sending import parse_argument


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Hello", "Hello"),
        ('"Hello"', "Hello"),
        ("7", 7),
        ("-1.5", -1.5),
        ("007", "007"),
        ("true", True),
        ("null", None),
        ('{"pizza": [1]}', {"pizza": [1]}),
        ("{pizza}", "{pizza}"),
        ("", ""),
        # Python reads them, and JSON has no such numbers.
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        # More digits than Python makes a number of, and deeper than it goes.
        ("9" * 5000, "9" * 5000),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_json_where_it_is_json_and_else_text(text: str, value: object) -> None:
    found = parse_argument(text)
    assert (type(found), found) == (type(value), value)
