import json
from typing import Any

import pytest
from signalr_emulator.errors import UpstreamSettingsError
from signalr_emulator.upstream.settings import (
    UpstreamTemplate,
    choose,
    parse_template,
    parse_upstream_settings,
)


def settings(*templates: dict[str, Any]) -> bytes:
    return json.dumps({"UpstreamSettings": {"Templates": templates}}).encode()


def test_placeholders_are_percent_encoded() -> None:
    template = UpstreamTemplate("http://x/{hub}/{category}/{Event}?e={event}&code=k")
    assert template.fill("chat", "messages", "a b/ü?") == (
        "http://x/chat/messages/a%20b%2F%C3%BC%3F?e=a%20b%2F%C3%BC%3F&code=k"
    )


@pytest.mark.parametrize(
    ("words", "event", "matches"),
    [
        ("", ("chat", "messages", "say"), True),
        ("hub=chat,news", ("news", "messages", "say"), True),
        ("hub=chat,news", ("sport", "messages", "say"), False),
        ("hub=Chat,NEWS", ("news", "messages", "say"), True),
        ("event=say", ("chat", "messages", "Say"), False),
        ("category=connections event=*", ("chat", "connections", "connected"), True),
        ("category=connections", ("chat", "messages", "say"), False),
    ],
)
def test_patterns(words: str, event: tuple[str, str, str], *, matches: bool) -> None:
    assert parse_template(f"http://x {words}").matches(*event) is matches


def test_first_match_counts() -> None:
    first = parse_template("http://x/1 event=say")
    second = parse_template("http://x/2")
    assert choose((first, second), "chat", "messages", "say") is first
    assert choose((first, second), "chat", "messages", "go") is second
    assert choose((first,), "chat", "messages", "go") is None


def test_managed_identity_of_an_option() -> None:
    assert parse_template("http://x").managed_identity is None
    assert parse_template("http://x managed-identity").managed_identity == ""
    assert parse_template("http://x managed-identity=api://a").managed_identity == "api://a"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "ftp://x",
        "http://",
        "http://x:port/",
        "http://x/{method}",
        "http://x/{@Microsoft.KeyVault(SecretUri=https://v)}",
        "http://x hub=",
        "http://x hub=a hub=b",
        "http://x hubs=a",
    ],
)
def test_wrong_options(text: str) -> None:
    with pytest.raises(UpstreamSettingsError):
        parse_template(text)


def test_settings_of_the_official_emulator() -> None:
    text = settings(
        {
            "UrlTemplate": "http://localhost:7071/runtime/webhooks/signalr",
            "EventPattern": "*",
            "HubPattern": "chat, News",
            "CategoryPattern": "messages",
            "Auth": {"Type": "ManagedIdentity", "ManagedIdentity": {"Resource": "api://app"}},
        },
        {"urlTemplate": "http://localhost/{hub}", "auth": {"type": "none"}},
        {"UrlTemplate": "http://localhost/", "Auth": {"Type": "ManagedIdentity"}},
    )
    first, second, third = parse_upstream_settings(b"\xef\xbb\xbf" + text)
    assert first.url == "http://localhost:7071/runtime/webhooks/signalr"
    assert first.matches("news", "messages", "say")
    assert not first.matches("news", "connections", "connected")
    assert first.managed_identity == "api://app"
    assert second.matches("sport", "connections", "connected")
    assert second.managed_identity is None
    assert third.managed_identity == ""


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        (b"[", "# "),
        (b'{"UpstreamSettings":\n {"Templates": [],}}', "# is not valid JSON in UTF-8: "),
        (b'{"UpstreamSettings": {}, "UpstreamSettings": {}}', '# has "UpstreamSettings" twice'),
        (b"[]", "# "),
        (b"{}", "#/UpstreamSettings "),
        (b'{"UpstreamSettings":{}}', "#/UpstreamSettings/Templates "),
        (settings({"UrlTemplate": "x"}), "#/UpstreamSettings/Templates/0/UrlTemplate "),
        (
            settings({"UrlTemplate": "http://x"}, {"UrlTemplate": 1}),
            "#/UpstreamSettings/Templates/1/UrlTemplate ",
        ),
        (
            settings({"UrlTemplate": "http://x", "HubPattern": " , "}),
            "#/UpstreamSettings/Templates/0/HubPattern ",
        ),
        (
            settings({"UrlTemplate": "http://x", "Auth": {"Type": "Key"}}),
            "#/UpstreamSettings/Templates/0/Auth/Type ",
        ),
    ],
)
def test_wrong_settings_name_the_property(text: bytes, pointer: str) -> None:
    with pytest.raises(UpstreamSettingsError) as caught:
        parse_upstream_settings(text)
    assert str(caught.value).startswith(pointer)


def test_text_that_is_no_json_has_line_and_column() -> None:
    with pytest.raises(UpstreamSettingsError, match=r"at line 2, column 16$"):
        parse_upstream_settings(b'\xef\xbb\xbf{"UpstreamSettings":\n {"Templates": ]}}')
