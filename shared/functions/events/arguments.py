"""The arguments of an invocation, checked against what the handler takes."""

from collections.abc import Iterator, Sequence

import msgspec

from .parameters import Parameter, Parameters

__all__ = ["ArgumentError", "fill"]


class ArgumentError(Exception):
    """An argument is missing, wrong or one too many; the text says which, for the client."""


def fill(parameters: Parameters, arguments: Sequence[object]) -> list[object]:
    """Return the arguments as the handler takes them, converted to its types.

    Args:
        parameters: What the handler takes.
        arguments: What the client gave.

    Raises:
        ArgumentError: The client gave something else.
    """
    named = parameters.arguments
    missing = named[len(arguments) :]
    if missing and missing[0].required:
        raise ArgumentError(f"Argument {len(arguments) + 1} ({missing[0].name}) is missing.")
    if len(arguments) > len(named) and parameters.rest is None:
        raise ArgumentError(f"Argument {len(named) + 1} is one too many.")
    takers = _takers(parameters, len(arguments))
    return [
        _converted(number, taker, argument)
        for number, (taker, argument) in enumerate(zip(takers, arguments, strict=True), start=1)
    ]


def _takers(parameters: Parameters, count: int) -> Iterator[Parameter]:
    yield from parameters.arguments[:count]
    if parameters.rest is not None:
        yield from [parameters.rest] * (count - len(parameters.arguments))


def _converted(number: int, parameter: Parameter, argument: object) -> object:
    try:
        return msgspec.convert(argument, parameter.type)
    except msgspec.ValidationError as error:
        raise ArgumentError(f"Argument {number} ({parameter.name}): {error}") from error
