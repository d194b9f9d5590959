import pytest
from hypothesis import given
from hypothesis import strategies as st

from funchost.routing.routes import decode_path
from funchost.routing.templates import TemplateError, parse_template

_MATCHES = [
    ("a", "/a", {}),
    ("A/b", "/a/B/", {}),
    ("a", "/a/b", None),
    ("a/b", "/a", None),
    ("/a/", "/a", {}),
    ("ä", "/%C3%84", {}),
    ("{x}", "/1", {"x": "1"}),
    ("{X}/y", "/1/y", {"X": "1"}),
    ("{x}", "/", None),
    ("{x}", "//", None),
    ("a/{x?}", "/a", {}),
    ("a/{x?}", "/a/", {}),
    ("a/{x?}", "/a/1", {"x": "1"}),
    ("a/{x?}/b", "/a/1/b", {"x": "1"}),
    ("a/{x?}/b", "/a/b", None),
    ("a/{x=7}", "/a", {"x": "7"}),
    ("a/{x=7}", "/a/8", {"x": "8"}),
    ("a/{x:int=7}", "/a/b", None),
    ("{x:int?}", "/", {}),
    ("{x:int?}", "/a", None),
    ("{*x}", "/", {}),
    ("{*x}", "/a/b", {"x": "a/b"}),
    ("{**x}", "/a/b/", {"x": "a/b/"}),
    ("a/{*x}", "/a", {}),
    ("a/{*x=none}", "/a", {"x": "none"}),
    ("a/{*x:minlength(3)}", "/a/bc", None),
    ("a/{*x:minlength(3)}", "/a/b/c", {"x": "b/c"}),
    ("{f}.{e}", "/a.b.c", {"f": "a.b", "e": "c"}),
    ("{f}.{e}", "/a", None),
    ("{f}.{e?}", "/a", {"f": "a"}),
    ("{f}.{e?}", "/a.b", {"f": "a", "e": "b"}),
    ("v{n:int}", "/V12", {"n": "12"}),
    ("v{n:int}", "/vx", None),
    ("{a}-{b}x", "/1-2X", {"a": "1", "b": "2"}),
    ("{{a}}", "/{a}", {}),
    ("{x:regex(^\\d{{2}}$)}", "/12", {"x": "12"}),
    ("{x:regex(^\\d{{2}}$)}", "/123", None),
    ("{x:regex(^(a|b)$):length(1)}", "/B", {"x": "B"}),
    ("{x:regex(^a:b=c$)}", "/a:b=c", {"x": "a:b=c"}),
    ("{x:regex(^a/b$)}", "/a", None),
    ("{x:int:min(3):max(5)}", "/4", {"x": "4"}),
    ("{x:int:min(3):max(5)}", "/6", None),
    ("{x}", "/a%2Fb", {"x": "a%2Fb"}),
    ("{x}", "/%252F", {"x": "%2F"}),
    ("{x}", "/%E2%82%AC%20", {"x": "€ "}),
    ("{x}", "/%FF%zz", {"x": "%FF%zz"}),
    ("", "/", {}),
]


@pytest.mark.parametrize(("template", "path", "values"), _MATCHES)
def test_matches(template: str, path: str, values: dict[str, str] | None) -> None:
    assert parse_template(template).match(decode_path(path)) == values


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{x", "no closing"),
        ("x}", "outside of a parameter"),
        ("a?", "outside of a parameter"),
        ("a//b", "empty segment"),
        ("{}", "no parameter"),
        ("{a{b}", "literal brace"),
        ("{a}{b}", "no text between"),
        ("{a}/{A}", "twice"),
        ("{*a}/b", "last segment"),
        ("x{*a}", "stand alone"),
        ("{*a?}", "cannot be optional"),
        ("{a=1?}", "has a default"),
        ("{a?}.{b}", "after '.'"),
        ("{a}-{b?}", "after '.'"),
        ("{a:whole}", "no constraint 'whole'"),
        ("{a:whole(1)}", "no constraint 'whole'"),
        ("{a:int(1)}", "takes no arguments"),
        ("{a:length}", "needs arguments"),
        ("{a:range(1)}", "takes 2"),
        ("{a:length(1,2,3)}", "takes 1 or 2"),
        ("{a:min(x)}", "whole number"),
        ("{a:regex([)}", "no regular expression"),
        ("{a:regex(x}", "no parameter"),
    ],
)
def test_refuses(template: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        parse_template(template)


def test_precedence_goes_from_precise_to_open() -> None:
    sorted_by_hand = ["a", "a/b", "a/{x:int}", "a/{x}", "a/{*x:int}", "a/{*x}", "{x}"]
    backwards = sorted_by_hand[::-1]
    backwards.sort(key=lambda text: parse_template(text).precedence)
    assert backwards == sorted_by_hand
    assert parse_template("a/{x}.y").precedence == parse_template("a/{x:int}").precedence


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("a", "b", False),
        ("a", "{x}", True),
        ("a/b", "{x}", False),
        ("a", "a/{x?}", True),
        ("a", "a/{x=1}", True),
        ("a", "a/{x}", False),
        ("a/b/c", "a/{*x}", True),
        ("{*x}", "a", True),
        ("a/{x}", "{y}/b", True),
        ("a/{x}", "{y:int}/b", False),
        ("orders/{x}", "{hub:regex(^(chat|news)$)}/negotiate", False),
        ("Chat/{x}", "{hub:regex(^(chat|news)$)}/negotiate", True),
    ],
)
def test_overlap(one: str, other: str, *, overlap: bool) -> None:
    first, second = parse_template(one), parse_template(other)
    assert first.overlaps(second) is overlap
    assert second.overlaps(first) is overlap


_SEGMENT = st.text(st.characters(codec="utf-8", exclude_characters="/%"), min_size=1, max_size=8)


@given(st.lists(_SEGMENT, min_size=1, max_size=5))
def test_a_literal_template_matches_its_own_text(segments: list[str]) -> None:
    escaped = "/".join(segments).replace("{", "{{").replace("}", "}}").replace("?", "")
    if "//" in f"/{escaped}/":
        return
    path = escaped.replace("{{", "{").replace("}}", "}").split("/")
    assert parse_template(escaped).match(path) == {}


@given(st.lists(_SEGMENT, min_size=1, max_size=5))
def test_parameters_return_what_the_path_holds(segments: list[str]) -> None:
    names = [f"p{index}" for index in range(len(segments))]
    template = parse_template("/".join(f"{{{name}}}" for name in names))
    assert template.match(segments) == dict(zip(names, segments, strict=True))
    assert parse_template("{*rest}").match(segments) == {"rest": "/".join(segments)}


@given(st.text(max_size=30))
def test_parsing_either_succeeds_or_explains(text: str) -> None:
    try:
        parse_template(text)
    except TemplateError as error:
        assert str(error)


@given(st.text(max_size=30))
def test_decoding_never_fails_and_keeps_the_segments(path: str) -> None:
    assert len(decode_path(path)) == path.removeprefix("/").count("/") + 1
