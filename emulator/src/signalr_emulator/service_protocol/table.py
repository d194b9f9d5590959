"""Makes a row of the table of messages out of the declaration of a class."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from operator import attrgetter
from typing import Any, Final, NamedTuple, dataclass_transform, get_args

from .fields import Extension, Item

__all__ = ["BY_NUMBER", "LAYOUTS", "Layout", "Message", "row"]


class Message:
    """What one end of a server connection says to the other."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show what may be in a log: no token, no claim, and nothing that users wrote."""
        layout = LAYOUTS[type(self)]
        hidden = {name for name, kind in layout.items if kind and kind.is_secret}
        shown = (
            f"{each.name}={getattr(self, each.name)!r}"
            for each in fields(self)  # type: ignore[arg-type]  # `row` makes a dataclass of each
            if each.name not in hidden
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class Layout(NamedTuple):
    """Where the fields of a message stand.

    Args:
        message: Its class.
        number: Its first item.
        items: Its other items in turn, each with its field's name; the kind of the map of
            extensions is `None`.
        extensions: Those that it has, by their keys, which ascend: name, kind, and what is not
            written.
        lengths: How many items there may be, the most first.
        extended: Gives the values of its extensions together.
        plain: What that is if none is to be written.
    """

    message: type[Message]
    number: int
    items: tuple[tuple[str, Item | None], ...]
    extensions: dict[int, tuple[str, Extension, object]]
    lengths: tuple[int, ...]
    extended: Callable[[Message], object]
    plain: object


LAYOUTS: Final[dict[type[Message], Layout]] = {}
BY_NUMBER: Final[dict[int, Layout]] = {}


@dataclass_transform()
def row[M: Message](
    number: int, *, extensions_at: int | None = -1, lengths: tuple[int, ...] = ()
) -> Callable[[type[M]], type[M]]:
    """Declare a class as a message, whose fields say what its items and extensions are.

    Args:
        number: Its number, which is its first item.
        extensions_at: Which item the map of extensions is; -1 is the last one, `None` if there is
            none.
        lengths: How many items there may be, since older peers write less; empty: all of them. An
            array of another length is read as the next shorter one.
    """

    def declare(declared: type[M]) -> type[M]:
        message = dataclass(slots=True, repr=False)(declared)
        layout = _layout(message, number, extensions_at, lengths)
        LAYOUTS[message] = BY_NUMBER[number] = layout
        return message

    return declare


def _layout(
    message: type[Any], number: int, extensions_at: int | None, lengths: tuple[int, ...]
) -> Layout:
    items: list[tuple[str, Item | None]] = []
    extensions: dict[int, tuple[str, Extension, object]] = {}
    for each in fields(message):
        for kind in get_args(each.type):
            if isinstance(kind, Item):
                items.append((each.name, kind))
            elif isinstance(kind, Extension):
                absent = None if each.default is MISSING else each.default
                extensions[kind.key] = each.name, kind, absent
    if extensions_at is not None:
        at = extensions_at - 1 if extensions_at > 0 else len(items)
        items.insert(at, ("extensions", None))
    count = len(items) + 1
    ascending = dict(sorted(extensions.items()))
    names = [name for name, _, _ in ascending.values()]
    absent = tuple(each for _, _, each in ascending.values())
    return Layout(
        message,
        number,
        tuple(items),
        ascending,
        tuple(sorted(lengths or (count,), reverse=True)),
        attrgetter(*names) if names else lambda _message: absent,
        absent if len(absent) != 1 else absent[0],
    )
