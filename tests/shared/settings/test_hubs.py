"""The hubs of an app, by name and by pattern."""

import pytest

from shared import Hubs, InvalidArgumentError, UnknownHubError
from shared.settings.hubs import fitting

TENANTS = Hubs.of(["Tenant_*", "Chat"])


@pytest.mark.parametrize("name", ["tenant_1", "TENANT_1", "tenant_", "tenant_a.b", "chat"])
def test_a_pattern_stands_for_what_begins_like_it(name: str) -> None:
    assert TENANTS.find(name) == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        "tenan", "other", "chat_1", "tenant_a/b", "tenant_%2F", "tenant_*", "tenant_ü",
        "tenant_a\n", "tenant_" + "x" * 122,
    ],
)  # fmt: skip
def test_nothing_else_is_served_that_no_hub_may_be_called(name: str) -> None:
    with pytest.raises(UnknownHubError):
        TENANTS.find(name)


def test_a_name_that_is_too_long_with_the_applications_is_none() -> None:
    longest = "tenant_" + "x" * (128 - len("alice_tenant_"))
    served = TENANTS._replace(application="alice")
    assert served.find(longest) == longest
    with pytest.raises(UnknownHubError):
        served.find(longest + "x")


@pytest.mark.parametrize("name", ["*", "ten*ant", "*_tenant", "tenant_**", "te*nant_*", "1*", " *"])
def test_a_star_ends_a_pattern_and_stands_nowhere_else(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^hub .*(as in 'tenant_\*'|not a hub name)"):
        Hubs.of(["chat", name])


def test_the_first_name_is_the_default_and_no_pattern_is() -> None:
    assert TENANTS.listed == ["chat", "tenant_*"]
    assert TENANTS.find(None) == "chat"
    with pytest.raises(InvalidArgumentError, match=r"^hub is missing, .* no default one: name it"):
        Hubs.of(["tenant_*"]).find(None)


@pytest.mark.parametrize(
    ("hubs", "is_for_one"),
    [
        ("chat", True), ("tenant_7", True), ("tenant_*", True), ("tenant_vip_*", True),
        ("t*", True), ("ch*", True), ("chat_*", False), ("news", False), ("n*", False),
    ],
)  # fmt: skip
def test_what_is_for_one_of_the_hubs(hubs: str, is_for_one: bool) -> None:
    assert TENANTS.overlap(hubs) is is_for_one


def test_what_says_most_of_a_hub_comes_first() -> None:
    hubs = ["t*", "tenant_*", "tenant_1", "tenant_1*", "other", "o*"]
    assert fitting("tenant_1", hubs) == ["tenant_1", "tenant_1*", "tenant_*", "t*"]
    assert fitting("chat", hubs) == []
