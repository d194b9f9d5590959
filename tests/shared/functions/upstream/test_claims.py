import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.functions.upstream.claims import parse_claims

NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ("", {}),
        ("name: Ann", {"name": ("Ann",)}),
        ("name: Ann, role: a, role: b", {"name": ("Ann",), "role": ("a", "b")}),
        ("name: Ann,role: a", {"name": ("Ann",), "role": ("a",)}),
        ("name: Doe, Ann, role: a", {"name": ("Doe, Ann",), "role": ("a",)}),
        ("name: a,b,,c,, role: x", {"name": ("a,b,,c,",), "role": ("x",)}),
        (f"{NAME}: Ann, role: a", {NAME: ("Ann",), "role": ("a",)}),
        (
            "at: 12:30, 13:45, url: https://a.bc",
            {"at": ("12:30, 13:45",), "url": ("https://a.bc",)},
        ),
        ("a: b: c, d: e", {"a": ("b: c",), "d": ("e",)}),
        ("a: , b: x", {"a": ("",), "b": ("x",)}),
        ("a: x, b:", {"a": ("x",), "b": ("",)}),
        ("a:", {"a": ("",)}),
        ('groups: ["x", "y"], b: 1', {"groups": ('["x", "y"]',), "b": ("1",)}),
        ('json: {"a": "b", "c": 1}, b: 1', {"json": ('{"a": "b", "c": 1}',), "b": ("1",)}),
        ("a:  two spaces , b: x ", {"a": (" two spaces ",), "b": ("x ",)}),
        ("no claim", {}),
        ("junk, a: b", {"a": ("b",)}),
        (": x", {}),
        (", , ,", {}),
        ("name: Grüße, 你好", {"name": ("Grüße, 你好",)}),
    ],
)
def test_claims(header: str, claims: dict[str, tuple[str, ...]]) -> None:
    assert parse_claims(header) == claims


def test_a_value_that_looks_like_a_claim_cannot_be_told_from_one() -> None:
    """Nothing in the header parts them, as the documentation warns."""
    assert parse_claims("name: Ann, role: admin")["role"] == ("admin",)


types = st.from_regex(r"\A[a-z_]+(:[/a-z]+)?\Z")
values = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=20)


@given(st.lists(st.tuples(types, values.filter(lambda value: "," not in value))))
def test_what_was_joined_is_parted_again(pairs: list[tuple[str, str]]) -> None:
    expected: dict[str, tuple[str, ...]] = {}
    for kind, value in pairs:
        expected[kind] = (*expected.get(kind, ()), value)
    assert parse_claims(", ".join(f"{kind}: {value}" for kind, value in pairs)) == expected


@given(types, st.lists(values.filter(lambda value: not value.endswith(":")), min_size=1))
def test_commas_and_colons_stay_in_a_value(kind: str, parts: list[str]) -> None:
    value = ", ".join(parts) + "."
    assert parse_claims(f"{kind}: {value}, last: x") == {kind: (value,), "last": ("x",)}


@given(st.text())
def test_any_text_gives_types_and_texts(header: str) -> None:
    for kind, found in parse_claims(header).items():
        assert kind
        assert not any(each.isspace() or each == "," for each in kind)
        assert all(f"{kind}:" in header and value in header for value in found)
