"""A setting, as those who read it and the configuration reference know it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..errors import SettingsError

__all__ = ["Setting"]

_SWITCH: Final = {"true": True, "false": False}


class Setting(NamedTuple):
    """A setting of the Function App.

    Args:
        name: Its name; for a part of a connection, what stands behind the connection's name.
        meaning: What it is for, in Markdown.
        example: A right value.
        default: What holds when it is not set, in Markdown.
    """

    name: str
    meaning: str
    example: str
    default: str = "none"

    def read(self, environment: Mapping[str, str]) -> str:
        """Return its value without white space around it, or "" when it is not set.

        Args:
            environment: Names and values, as in `os.environ`.
        """
        return environment.get(self.name, "").strip()

    def read_list(self, environment: Mapping[str, str]) -> list[str]:
        """Return its values, which commas separate."""
        values = (value.strip() for value in self.read(environment).split(","))
        return [value for value in values if value]

    def read_switch(self, environment: Mapping[str, str], *, default: bool) -> bool:
        """Return whether it says `true`, in any case.

        Args:
            environment: Names and values, as in `os.environ`.
            default: What holds when it is not set.

        Raises:
            SettingsError: It is neither true nor false.
        """
        value = self.read(environment).lower()
        if value and value not in _SWITCH:
            raise self.error(f"is {value!r}, and can be 'true' or 'false'")
        return _SWITCH[value] if value else default

    def error(self, problem: str, example: str = "") -> SettingsError:
        """Make the error that says what is wrong with its value.

        Args:
            problem: What is wrong, as the end of a sentence that begins with the name.
            example: A right value, when it is another one than usual.
        """
        return SettingsError(self.name, problem, example or self.example)

    def of(self, connection: str) -> "Setting":
        """Return this part as the setting of a connection."""
        return self._replace(name=f"{connection}__{self.name}")
