"""Some of what is connected, as the body of a command names them."""

from collections.abc import Callable, Iterable, Mapping
from random import Random

from .fields import integer, number, properties, text
from .json_text import Json

__all__ = ["chosen"]


def chosen[T](
    document: Json, among: Iterable[T], names: Mapping[str, Callable[[T], str | None]]
) -> list[T]:
    """Give those that a document means; an empty object means all of them.

    Args:
        document: Any of `names` and `hub` with the text that it has to be, and as `share` from 0 to
            1 which part of these is meant, picked by a generator that begins with `seed`.
        among: What there is.
        names: By property, what to compare with its text; with that of `hub` in lower case.

    Raises:
        DocumentError: A property is wrong.
    """
    fields = properties(document, (*names, "share", "seed"))
    wanted = {name: text(fields, name) for name in names}
    if (hub := wanted.get("hub")) is not None:
        wanted["hub"] = hub.lower()
    share = number(fields, "share", 1.0, 1.0)
    random = Random(integer(fields, "seed", 0, 2**31, 0))  # noqa: S311 - repeatable, not secret
    return [
        each
        for each in among
        if all(wanted[name] in {None, value(each)} for name, value in names.items())
        and random.random() < share
    ]
