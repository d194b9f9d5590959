import pytest
from signalr_emulator.errors import InvalidRequestError
from signalr_emulator.operations.parameters import (
    check_api_version,
    effective_hub,
    group_name,
)
from signalr_emulator.operations.table import OPERATIONS, Operation


def operation(method: str, path: str) -> Operation:
    (found,) = [o for o in OPERATIONS if (o.method, o.path) == (method, path)]
    return found


SEND_TO_HUB = operation("POST", "/api/hubs/{hub}/:send")
GET_ACCESS_KEY = operation("GET", "/api/auth/accessKey")
GET_ACCESS_KEY_V1 = operation("GET", "/api/v1/auth/accessKey")


@pytest.mark.parametrize(
    ("called", "accepted"),
    [
        (SEND_TO_HUB, ["2022-06-01", "2022-11-01", "2023-07-01", "2024-12-01", "2026-07-01"]),
        (GET_ACCESS_KEY, ["2023-07-01", "2024-12-01", "2026-07-01"]),
        (GET_ACCESS_KEY_V1, ["2022-06-01", "anything", None]),
    ],
)
def test_accepted_api_versions(called: Operation, accepted: list[str | None]) -> None:
    for version in accepted:
        check_api_version(called, version)


@pytest.mark.parametrize(
    ("called", "version"),
    [
        (SEND_TO_HUB, None),
        (SEND_TO_HUB, ""),
        (SEND_TO_HUB, "2021-10-01"),
        (GET_ACCESS_KEY, "2022-11-01"),
        (GET_ACCESS_KEY, None),
    ],
)
def test_refused_api_versions(called: Operation, version: str | None) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_api_version(called, version)
    assert caught.value.target == "api-version"


def test_effective_hub() -> None:
    assert effective_hub("Chat") == "chat"
    assert effective_hub("Chat", "App") == "app_chat"
    assert effective_hub("a" * 128) == "a" * 128
    assert effective_hub("a_`,.[]9") == "a_`,.[]9"


@pytest.mark.parametrize("hub", ["", "1chat", "chat room", "chat/1", "a" * 129, "é", "chat\n"])
def test_refused_hubs(hub: str) -> None:
    with pytest.raises(InvalidRequestError):
        effective_hub(hub)
    with pytest.raises(InvalidRequestError):
        effective_hub("chat", hub)


def test_groups() -> None:
    assert group_name("a/b c") == "a/b c"
    assert group_name("g" * 1024)
    for name in ("", "  ", "\t", "g" * 1025, "a\nb", "a\n", "\na", "a\r", "a\u2028b", "a\u2029"):
        with pytest.raises(InvalidRequestError):
            group_name(name)
