import pytest

from docs.page import with_tables


def test_a_table_goes_between_its_marks_and_nothing_else_changes() -> None:
    page = "a\n<!-- table: one -->\nold\n<!-- end -->\nb\n<!-- table: two --><!-- end -->\n"
    assert with_tables(page, {"one": "| 1 |", "two": "| 2 |"}) == (
        "a\n<!-- table: one -->\n\n| 1 |\n\n<!-- end -->\nb\n"
        "<!-- table: two -->\n\n| 2 |\n\n<!-- end -->\n"
    )
    with pytest.raises(KeyError):
        with_tables(page, {"one": ""})
