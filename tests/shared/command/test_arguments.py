"""The command line, where what it names comes from elsewhere."""

import pytest

from shared.command.arguments import read_arguments
from shared.command.sending import Recipient

DASHED = "--RxYz-1"
"""One of 64 ids of connections begins with a hyphen."""


@pytest.mark.parametrize("kind", ["user", "group", "connection"])
def test_a_recipient_may_begin_with_a_hyphen(kind: str) -> None:
    for given in ([f"--{kind}", DASHED], [f"--{kind}={DASHED}"]):
        read = read_arguments(["send", "--hub", "chat", *given, "--text", "say", "7"], "1")
        assert read.recipient == Recipient(kind, DASHED)
        assert (read.target, read.arguments, read.text) == ("say", ["7"], True)


def test_groups_and_users_of_listen_may_begin_with_a_hyphen() -> None:
    read = read_arguments(["listen", "--user", "-1", "--group", "-a", "--group", "b"], "1")
    assert (read.user, read.groups) == ("-1", ["-a", "b"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "--user", "--text", "say"],
        ["send", "--user", "ann", "--all", "say"],
        ["listen", "--group"],
        ["listen", "--user", "--json"],
    ],
)
def test_a_value_that_is_missing_is_no_value(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_arguments(arguments, "1")
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
