"""Scopes of role assignments: which resource ids are one, and of which level.

Source: "Understand scope for Azure RBAC" (the forms); "Naming rules and restrictions for Azure
resources" (characters).
"""

import re
from enum import Enum

__all__ = ["Level", "guid", "level", "subscription_of"]


class Level(Enum):
    """How wide a scope is."""

    ROOT = "root"
    MANAGEMENT_GROUP = "managementGroup"
    SUBSCRIPTION = "subscription"
    RESOURCE_GROUP = "resourceGroup"
    RESOURCE = "resource"


_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SUBSCRIPTION = rf"/subscriptions/{_GUID}"
_GROUP = rf"{_SUBSCRIPTION}/resourcegroups/[\w().-]{{1,90}}"
_FORMS = {
    Level.ROOT: "/?",
    Level.MANAGEMENT_GROUP: r"/providers/microsoft\.management/managementgroups/[\w().-]{1,90}",
    Level.SUBSCRIPTION: _SUBSCRIPTION,
    Level.RESOURCE_GROUP: _GROUP,
    # A namespace, then pairs of a type and a name.
    Level.RESOURCE: rf"{_GROUP}/providers/[\w.]+(?:/[\w.-]+/[^/\s]+)+",
}
_COMPILED = {level: re.compile(form, re.IGNORECASE) for level, form in _FORMS.items()}
_SUBSCRIPTION_AT_START = re.compile(rf"{_SUBSCRIPTION}(?=/|\Z)", re.IGNORECASE)
_ONLY_GUID = re.compile(_GUID, re.IGNORECASE)


def level(scope: str) -> Level | None:
    """Give the level of a scope, or None if no scope is written so."""
    return next((level for level, form in _COMPILED.items() if form.fullmatch(scope)), None)


def subscription_of(scope: str) -> str:
    """Give the subscription's resource id of a scope, or nothing if it is above subscriptions."""
    found = _SUBSCRIPTION_AT_START.match(scope)
    return found.group() if found else ""


def guid(text: str) -> str | None:
    """Give a GUID in lower case, or None if a text is none."""
    return text.lower() if _ONLY_GUID.fullmatch(text) else None
