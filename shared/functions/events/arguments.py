"""The arguments of an invocation, read as what the handler takes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from .parameters import Parameter, Parameters

__all__ = ["ArgumentError", "Arguments", "Read", "fill"]

type Read = Callable[[Raw, Any], Any]
"""Gives what is written as a type, with `Any` for whatever it may be; raises `ValueError`, or
`TypeError` for a map with a key that no dictionary can have."""


class ArgumentError(Exception):
    """An argument is missing, wrong or one too many; the text says which, for the client."""


class Arguments(NamedTuple):
    """The arguments of an invocation.

    Args:
        given: What the client gave.
        filled: The same as the handler takes it.
    """

    given: tuple[object, ...]
    filled: tuple[object, ...]


def fill(parameters: Parameters, arguments: Sequence[Raw], read: Read) -> Arguments:
    """Return the arguments as the handler takes them, read as its types.

    Each is read from what is written and not from what Python makes of it, so that a `Decimal` has
    all digits of its number.

    Args:
        parameters: What the handler takes.
        arguments: What the client gave, as it is written.
        read: Reads it.

    Raises:
        ArgumentError: The client gave something else, or what Python cannot hold.
    """
    named = parameters.arguments
    missing = named[len(arguments) :]
    if missing and missing[0].required:
        raise ArgumentError(f"Argument {len(arguments) + 1} ({missing[0].name}) is missing.")
    if len(arguments) > len(named) and parameters.rest is None:
        raise ArgumentError(f"Argument {len(named) + 1} is one too many.")
    takers = _takers(parameters, len(arguments))
    pairs = [
        _read(number, taker, argument, read)
        for number, (taker, argument) in enumerate(zip(takers, arguments, strict=True), start=1)
    ]
    return Arguments(tuple(given for given, _ in pairs), tuple(filled for _, filled in pairs))


def _takers(parameters: Parameters, count: int) -> Iterator[Parameter]:
    yield from parameters.arguments[:count]
    if parameters.rest is not None:
        yield from [parameters.rest] * (count - len(parameters.arguments))


def _read(number: int, parameter: Parameter, written: Raw, read: Read) -> tuple[object, object]:
    name = f"Argument {number} ({parameter.name})"
    try:
        given = read(written, Any)
    except UnicodeDecodeError:
        raise ArgumentError(f"{name} has text that is not Unicode") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise ArgumentError(f"{name} cannot be read: {error}") from error
    if parameter.type is Any:
        return given, given
    try:
        return given, read(written, parameter.type)
    except ValueError as error:
        raise ArgumentError(f"{name}: {error}") from error
