"""Which upstream URL an event goes to: of an ordered list of templates, the first that matches.

Sources: "Upstream endpoints in Azure SignalR Service" (placeholders, patterns, order);
`ServerlessUpstreamSettings` of the resource provider and settings.json of the official emulator
(`UpstreamSettings.Templates`), which have the same properties.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

from ..documents.json_text import Json, decode_file
from ..errors import JsonError, UpstreamSettingsError

__all__ = [
    "ANYTHING",
    "SERVICE_RETRY_DELAYS",
    "Pattern",
    "UpstreamConfig",
    "UpstreamTemplate",
    "choose",
    "parse_template",
    "parse_upstream_settings",
]

SERVICE_RETRY_DELAYS = (1.0, 3.0, 5.0)
"""After how many seconds Microsoft's emulator of Web PubSub, a sister of SignalR, repeats a
request, by its own words as the service does."""

_ANY = "*"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = ("hub", "category", "event")
_MANAGED_IDENTITY = "managedidentity"
_NO_AUTH = "none"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a name has to be: one of `names`; None stands for anything."""

    names: frozenset[str] | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `*`, one name or names with commas between them.

        Raises:
            UpstreamSettingsError: There is no name in it.
        """
        names = frozenset(name.strip() for name in text.split(",")) - {""}
        if not names:
            raise UpstreamSettingsError("has to be *, a name or names with commas between them")
        return cls() if _ANY in names else cls(names)

    def matches(self, name: str) -> bool:
        """Tell whether a name is meant."""
        return self.names is None or name in self.names

    def __str__(self) -> str:
        return _ANY if self.names is None else ",".join(sorted(self.names))


ANYTHING = Pattern()


@dataclass(frozen=True, slots=True)
class UpstreamTemplate:
    """Where events of some hubs, categories and names go.

    Attributes:
        url: May hold `{hub}`, `{category}` and `{event}`. Its query may hold a key, so that it
            is not shown.
        hub: Names of hubs, in lower case as the service keeps them.
        category: `connections` or `messages`.
        event: `connected`, `disconnected` or the target of an invocation.
        managed_identity: Audience of the service's own Entra token that goes along; empty for the
            audience that the service chooses, None for no token.
    """

    url: str = field(repr=False)
    hub: Pattern = ANYTHING
    category: Pattern = ANYTHING
    event: Pattern = ANYTHING
    managed_identity: str | None = None

    def __post_init__(self) -> None:
        """Check the URL.

        Raises:
            UpstreamSettingsError: It is no HTTP URL, or holds an unknown placeholder.
        """
        for name in _PLACEHOLDER.findall(self.url):
            if name.lower() not in _PLACEHOLDERS:
                raise UpstreamSettingsError(
                    f"holds {{{name}}}: only {{hub}}, {{category}} and {{event}} are filled in"
                )
        if not _is_http(self.fill("hub", "category", "event")):
            raise UpstreamSettingsError("has to be a URL that begins with http:// or https://")

    def matches(self, hub: str, category: str, event: str) -> bool:
        """Tell whether events of this kind go here."""
        return (
            self.hub.matches(hub) and self.category.matches(category) and self.event.matches(event)
        )

    def fill(self, hub: str, category: str, event: str) -> str:
        """Give the URL for an event; what is put in is percent-encoded."""
        values = dict(zip(_PLACEHOLDERS, (hub, category, event), strict=True))
        return _PLACEHOLDER.sub(
            # A lone surrogate, which JSON can bring, has no UTF-8 form.
            lambda found: quote(values[found[1].lower()], safe="", errors="replace"),
            self.url,
        )


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """What is chosen about upstream requests.

    Attributes:
        templates: Where events go; the first that matches counts.
        settings_file: The official emulator's settings.json, whose templates come after these.
            It is read again when it changes.
        timeout: How long one request may take, in seconds.
        concurrency: Requests that one template has under way at most.
        max_waiting_clients: Clients with events that wait or are under way, from which on no other
            client may connect.
        retry_delays: After how many seconds a request that failed is sent again, for each time;
            none to send every request once.
        whole_query: Whether an upstream is shown the client token and the connection token in the
            query with which a client has connected.
    """

    templates: tuple[UpstreamTemplate, ...] = ()
    settings_file: Path | None = None
    timeout: float = 100.0
    concurrency: int = 64
    max_waiting_clients: int = 10_000
    retry_delays: tuple[float, ...] = ()
    whole_query: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether events go anywhere, or may do so after a change of the file."""
        return bool(self.templates) or self.settings_file is not None


def choose(
    templates: tuple[UpstreamTemplate, ...], hub: str, category: str, event: str
) -> UpstreamTemplate | None:
    """Give the first template that matches an event, or None."""
    for template in templates:
        if template.matches(hub, category, event):
            return template
    return None


def parse_template(text: str) -> UpstreamTemplate:
    """Read a template as the command line has it.

    Args:
        text: The URL template, then any of `hub=`, `category=`, `event=` with a pattern and
            `managed-identity` or `managed-identity=AUDIENCE`, with spaces between them.

    Raises:
        UpstreamSettingsError: The text is something else.
    """
    url, *words = text.split() or [""]
    options: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in {*_PLACEHOLDERS, "managed-identity"} or name in options:
            raise UpstreamSettingsError(
                f"holds {word!r}: after the URL come hub=, category=, event= and"
                " managed-identity, each at most once"
            )
        options[name] = value
    return UpstreamTemplate(
        url,
        **{name: _pattern(name, options[name]) for name in _PLACEHOLDERS if name in options},
        managed_identity=options.get("managed-identity"),
    )


def parse_upstream_settings(text: bytes) -> tuple[UpstreamTemplate, ...]:
    """Read the official emulator's settings.json; names of properties count in any case.

    Raises:
        UpstreamSettingsError: The text is something else; the message names the property.
    """
    try:
        settings = _properties(decode_file(text), "#")
    except JsonError as error:
        raise UpstreamSettingsError(f"# {error}") from error
    pointer = "#/UpstreamSettings"
    templates = _properties(settings.get("upstreamsettings"), pointer).get("templates")
    if not isinstance(templates, list):
        raise UpstreamSettingsError(f"{pointer}/Templates has to be an array")
    return tuple(
        _template(template, f"{pointer}/Templates/{number}")
        for number, template in enumerate(templates)
    )


def _template(value: Json, pointer: str) -> UpstreamTemplate:
    properties = _properties(value, pointer)
    url = _text(properties, "UrlTemplate", pointer, "")
    patterns: dict[str, Pattern] = {}
    for name in _PLACEHOLDERS:
        property_name = f"{name.capitalize()}Pattern"
        pattern = _text(properties, property_name, pointer, _ANY)
        try:
            patterns[name] = _pattern(name, pattern)
        except UpstreamSettingsError as error:
            raise UpstreamSettingsError(f"{pointer}/{property_name} {error}") from error
    managed_identity = _managed_identity(properties.get("auth"), f"{pointer}/Auth")
    try:
        return UpstreamTemplate(url, **patterns, managed_identity=managed_identity)
    except UpstreamSettingsError as error:
        raise UpstreamSettingsError(f"{pointer}/UrlTemplate {error}") from error


def _pattern(part: str, text: str) -> Pattern:
    # The name of a hub has no case, so that one with capitals would match nothing.
    return Pattern.parse(text.lower() if part == "hub" else text)


def _managed_identity(value: Json, pointer: str) -> str | None:
    if value is None:
        return None
    auth = _properties(value, pointer)
    kind = _text(auth, "Type", pointer, _NO_AUTH).lower()
    if kind == _NO_AUTH:
        return None
    if kind != _MANAGED_IDENTITY:
        raise UpstreamSettingsError(f"{pointer}/Type has to be None or ManagedIdentity")
    identity = auth.get("managedidentity")
    if identity is None:
        return ""
    pointer = f"{pointer}/ManagedIdentity"
    return _text(_properties(identity, pointer), "Resource", pointer, "")


def _properties(value: Json, pointer: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise UpstreamSettingsError(f"{pointer} has to be an object")
    return {name.lower(): item for name, item in value.items()}


def _text(properties: Mapping[str, Json], name: str, pointer: str, default: str) -> str:
    value = properties.get(name.lower())
    if value is None:
        return default
    if not isinstance(value, str):
        raise UpstreamSettingsError(f"{pointer}/{name} has to be a string")
    return value


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
