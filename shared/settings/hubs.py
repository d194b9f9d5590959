"""The hubs that an app serves."""

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import InvalidArgumentError, UnknownHubError
from .names import check_hub

__all__ = ["Hubs"]


class Hubs(NamedTuple):
    """The hubs that an app serves; no other can be reached.

    Args:
        names: Their names, in lower case.
        default: The hub of a request that names none.
    """

    names: frozenset[str]
    default: str

    @classmethod
    def of(cls, names: Iterable[str]) -> "Hubs":
        """Return hubs by their names in any case, of which the first is the default.

        Raises:
            InvalidArgumentError: There is none, or one is no name of a hub.
        """
        if isinstance(names, str):
            raise InvalidArgumentError("hubs", f"is a text; a list of names is [{names!r}]")
        checked = [check_hub(name) for name in names]
        if not checked:
            raise InvalidArgumentError("hubs", "must name one")
        return cls(frozenset(checked), checked[0])

    def find(self, name: str | None) -> str:
        """Return the hub that a request means, in lower case.

        Args:
            name: The hub's name as the request has it, or `None` for the default hub.

        Raises:
            UnknownHubError: This app does not serve the hub.
        """
        if name is None:
            return self.default
        hub = name.lower()
        if hub not in self.names:
            raise UnknownHubError(name)
        return hub
