from pathlib import Path

import pytest

from funchost.json_file import SettingsError, parse_json_file, read_json_file


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', "f:3:3: a comma is missing before this"),
        ('{\n  "a": 1,\n}', "f:2:9: this comma is one too many; nothing comes after it"),
        ('{\n  // why\n  "a": 1}', "f:2:3: JSON has no comments; remove this one"),
        ('{"a": 1 /* why */}', "f:1:9: JSON has no comments; remove this one"),
        ('{"a": 1\n# why\n}', "f:2:1: JSON has no comments; remove this one"),
        ("{'a': 1}", "f:1:2: Expecting property name enclosed in double quotes"),
        ('{"a": "two\nlines"}', "f:1:11: Invalid control character at"),
        ('{"a": 1}}', "f:1:9: Extra data"),
        (" \n", "f:2:1: the file is empty; it must hold a JSON object"),
        ("\n[]", "f:2:1: the file must hold a JSON object"),
        ('{"a": 1,\n "b": {"a": 1},\n "a": 2}', 'f:3:2: "a" is there a second time'),
        ('[{"é": ["a", {}]}, {"a": 1, "\\u0061": 1}]', 'f:1:29: "\\u0061" is there a second time'),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_json_file(text, "f")
    assert str(error.value).startswith(told)


def test_a_value_has_a_place() -> None:
    text = '{\n  "a": {"b}\\"": [1, {"c": null}],\n    "d": -1.5e3}, "e": "x"}'
    file = parse_json_file(text, "f")
    assert file.root["e"] == "x"
    assert file.place() == "f:1:1"
    assert file.place("a") == "f:2:8"
    assert file.place("a", 'b}"') == "f:2:17"
    assert file.place("a", "d") == "f:3:10"
    assert file.place("e") == "f:3:24"
    assert file.place("a", "missing", "deeper") == "f:2:8"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    file = read_json_file(path)
    assert file is not None
    assert (file.root, file.place("a")) == ({"a": 1}, f"{path}:1:7")


def test_a_file_that_is_no_utf_8_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    # What PowerShell makes of a redirection, and what older editors make of an umlaut.
    for content, place in (('{"a": 1}'.encode("utf-16"), "1:1"), (b'{\n"a": "\xfc"}', "2:7")):
        path.write_bytes(content)
        with pytest.raises(SettingsError) as error:
            read_json_file(path)
        assert str(error.value) == f"{path}:{place}: this is no UTF-8; save the file as UTF-8"
    assert read_json_file(tmp_path / "missing.json") is None
