import pytest
from hypothesis import given
from hypothesis import strategies as st

from funchost.routing.constraints import constraint

_GUID = "CD2C1638-1638-72D5-1638-DEADBEEF1638"


@pytest.mark.parametrize(
    ("written", "accepted", "rejected"),
    [
        ("int", ["0", "-5", "2147483647", "+1", " 7 ", "-" + "0" * 5000 + "1"],
         ["2147483648", "1.0", "", "x", "1" * 5000, "\x1d7", "\u20037"]),
        ("INT", ["1"], ["a"]),
        ("long", ["9223372036854775807"], ["9223372036854775808", "٣"]),
        ("bool", ["true", "FALSE"], ["1", "yes", ""]),
        ("guid", [_GUID, _GUID.replace("-", ""), f"{{{_GUID}}}", f"({_GUID})"], [_GUID[1:], "x"]),
        ("alpha", ["Abc", ""], ["a1", "ä", "\u017f"]),
        ("double", ["1.5", "-1e3", ".5", "5.", "1,000", "NaN", "Infinity"], ["1.5.5", "e3", "."]),
        ("float", ["1.5"], ["x"]),
        ("decimal", ["49.99", "-1"], ["1e3", "NaN", "1" * 30, "\x1f5"]),
        ("datetime", ["2016-12-31", "2016-12-31T07:32:00Z", "12/31/2016", "12/31/2016 7:32 PM"],
         ["2016-13-31", "31/12/2016", "2016-W01-1", "20161231", "x"]),
        ("length(2)", ["ab"], ["a", "abc"]),
        ("length(2,3)", ["ab", "abc"], ["a", "abcd"]),
        ("minlength(2)", ["ab"], ["a"]),
        ("maxlength(2)", ["ab", ""], ["abc"]),
        ("min(18)", ["18", "19"], ["17", "x", "9223372036854775808"]),
        ("max(120)", ["120", "-1", "0" * 5000], ["121", "1.0"]),
        ("range(18,120)", ["18", "120"], ["17", "121"]),
        ("regex(^\\d{3}-x$)", ["123-X"], ["12-x", "0123-x"]),
        ("regex(b)", ["abc"], ["acd"]),
        ("required", ["a"], [""]),
        ("file", ["a.txt", "a/b.c"], ["a", "a.", "a.b/c"]),
        ("nonfile", ["a", "a.b/c"], ["a.txt"]),
    ],
)  # fmt: skip
def test_accepts_and_rejects(written: str, accepted: list[str], rejected: list[str]) -> None:
    name, parenthesis, rest = written.partition("(")
    check = constraint(name, rest.removesuffix(")") if parenthesis else None)
    assert [text for text in accepted if not check(text)] == []
    assert [text for text in rejected if check(text)] == []


@given(st.integers(-(2**31), 2**31 - 1))
def test_every_32_bit_integer_is_an_int(number: int) -> None:
    assert constraint("int", None)(str(number))


@given(st.text(), st.sampled_from(["int", "double", "decimal", "datetime", "guid", "bool", "file"]))
def test_checks_never_raise(text: str, name: str) -> None:
    assert constraint(name, None)(text) in {True, False}
