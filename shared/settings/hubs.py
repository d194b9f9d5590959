"""The hubs that an app serves."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..errors import InvalidArgumentError, UnknownHubError
from .names import check_hub, prefixed_hub

__all__ = ["Hubs", "check_hubs", "fitting"]

_ANY: Final = "*"


class Hubs(NamedTuple):
    """The hubs that an app serves; no other can be reached.

    Args:
        names: Their names, in lower case.
        default: The hub of a request that names none, or "" where each has to name one.
        patterns: What more names may be, in lower case, such as `tenant_*`.
        application: Name in lower case of the application whose hubs they are, or "" for none: with
            it a name of a pattern may be too long.
    """

    names: frozenset[str]
    default: str
    patterns: tuple[str, ...] = ()
    application: str = ""

    @classmethod
    def of(cls, names: Iterable[str]) -> "Hubs":
        """Return hubs by their names in any case, of which the first is the default.

        Args:
            names: Names, and patterns such as `tenant_*`, of which none is a default.

        Raises:
            InvalidArgumentError: There is none, or one is neither a hub's name nor a pattern.
        """
        if isinstance(names, str):
            raise InvalidArgumentError("hubs", f"is a text; a list of names is [{names!r}]")
        checked = [check_hubs(name) for name in names]
        if not checked:
            raise InvalidArgumentError("hubs", "must name one")
        plain = [each for each in checked if _ANY not in each]
        patterns = tuple(sorted({each for each in checked if _ANY in each}))
        return cls(frozenset(plain), plain[0] if plain else "", patterns)

    @property
    def listed(self) -> Sequence[str]:
        """Names and patterns, as a setting has them."""
        return [*sorted(self.names), *self.patterns]

    def serves(self, hub: str) -> bool:
        """Tell whether a name in lower case is that of a hub of the app."""
        if hub in self.names:
            return True
        if not any(_fits(hub, each) for each in self.patterns):
            return False
        try:
            prefixed_hub(self.application, hub)
        except InvalidArgumentError:
            return False
        return True

    def overlap(self, hubs: str) -> bool:
        """Tell whether what is for some hubs is for one of the app's.

        Args:
            hubs: A name or a pattern, in lower case.
        """
        if _ANY not in hubs:
            return self.serves(hubs)
        start = hubs.removesuffix(_ANY)
        return any(
            each.startswith(start) or (_ANY in each and start.startswith(each.removesuffix(_ANY)))
            for each in self.listed
        )

    def find(self, name: str | None) -> str:
        """Return the hub that a request means, in lower case.

        Args:
            name: The hub's name as the request has it, or `None` for the default hub.

        Raises:
            UnknownHubError: This app does not serve the hub.
            InvalidArgumentError: It is none, and there is no default hub.
        """
        if name is None:
            if not self.default:
                raise InvalidArgumentError(
                    "hub", "is missing, and this app has no default one: name it in the path or the"
                    " query"
                )  # fmt: skip
            return self.default
        hub = name.lower()
        if not self.serves(hub):
            raise UnknownHubError(name)
        return hub


def check_hubs(name: str) -> str:
    """Return what stands for one hub or for many, in lower case.

    Args:
        name: A hub's name, or a pattern such as `tenant_*`: how names begin.

    Raises:
        InvalidArgumentError: It is neither.
    """
    start = name.removesuffix(_ANY)
    if start == name and _ANY not in name:
        return check_hub(name)
    if not start or _ANY in start:
        raise InvalidArgumentError(
            "hub", f"{name[:40]!r} is no pattern of hubs: one * ends it, after what the names begin"
            " with, as in 'tenant_*'"
        )  # fmt: skip
    return check_hub(start) + _ANY


def fitting(hub: str, hubs: Iterable[str]) -> Sequence[str]:
    """Return the names and patterns that are for a hub, of which the first says most.

    Args:
        hub: The hub's name, in lower case.
        hubs: Names and patterns, in lower case.
    """
    found = [each for each in hubs if each == hub or _fits(hub, each)]
    return sorted(found, key=lambda each: (each == hub, len(each)), reverse=True)


def _fits(hub: str, pattern: str) -> bool:
    return pattern.endswith(_ANY) and hub.startswith(pattern.removesuffix(_ANY))
