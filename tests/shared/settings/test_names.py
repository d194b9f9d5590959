import pytest

from shared.errors import InvalidArgumentError
from shared.settings.names import check_application, check_hub, check_name, prefixed_hub


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chat", "chat"),
        ("Chat", "chat"),
        ("a", "a"),
        ("a_1`,.[]", "a_1`,.[]"),
        ("A" * 128, "a" * 128),
    ],
)
def test_hub_names_are_lowered(name: str, expected: str) -> None:
    assert check_hub(name) == expected


@pytest.mark.parametrize(
    "name", ["", "1chat", "_chat", "chat room", "chat/room", "chät", "a" * 129, "chat\n"]
)
def test_hub_names_that_the_service_refuses(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^hub "):
        check_hub(name)


@pytest.mark.parametrize(
    ("application", "hub", "expected"),
    [("", "Chat", "chat"), ("alice", "Chat", "alice_chat"), ("a" * 126, "c", "a" * 126 + "_c")],
)
def test_hubs_of_an_application(application: str, hub: str, expected: str) -> None:
    assert prefixed_hub(application, hub) == expected


@pytest.mark.parametrize(
    ("application", "hub"), [("alice", "1chat"), ("alice", ""), ("a" * 127, "c")]
)
def test_hubs_that_no_application_can_have(application: str, hub: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^hub "):
        prefixed_hub(application, hub)


def test_application_names() -> None:
    assert [check_application(name) for name in ("", "Alice", "a1.b_c")] == ["", "alice", "a1.b_c"]
    for name in ("1a", "_a", "a b", "a/b", "a" * 129):
        with pytest.raises(InvalidArgumentError, match=r"^application "):
            check_application(name)


@pytest.mark.parametrize("name", ["a", "a/b", "ä b", "日本", "a" * 1024, "..."])
def test_other_names_are_kept(name: str) -> None:
    assert check_name("group", name) == name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        (" \t", "empty"),
        ("a" * 1025, "longer than 1024"),
        (".", "path step"),
        ("..", "path step"),
        ("\ud800", "surrogate"),
        *((f"a{each}b", "control character") for each in "\0\r\n\t\x1b\x7f\x85"),
    ],
)
def test_other_names_that_cannot_be_sent(name: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^group .*{problem}"):
        check_name("group", name)
