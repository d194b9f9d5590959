"""What a handler takes: the event, perhaps the service client, and an invocation's arguments."""

import inspect
import typing
from collections.abc import Callable
from typing import Any, NamedTuple

from ...aio import SignalRServiceClient
from ...base_client import BaseClient
from ..places import placed

__all__ = ["Parameter", "Parameters", "parameters_of"]

_SERVICE = "service"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Parameter(NamedTuple):
    """One parameter that is filled from an argument.

    Args:
        name: Its name.
        type: What it is annotated with; `Any` for nothing.
        required: Whether it has no default.
    """

    name: str
    type: object
    required: bool


class Parameters(NamedTuple):
    """The parameters of a handler after the event.

    Args:
        service: Whether the service client comes first.
        arguments: Those that are filled from the arguments, in order.
        rest: What takes all further arguments (`*args`), or `None` if nothing does.
    """

    service: bool
    arguments: tuple[Parameter, ...]
    rest: Parameter | None


def parameters_of(handler: Callable[..., object]) -> Parameters:
    """Return what a handler takes.

    Args:
        handler: A function.

    Raises:
        TypeError: It takes no event, has parameters that no argument can fill, asks for the service
            client in a way in which it does not get it, or is a plain function that wants the
            service client, which only a coroutine can await.
        NameError: An annotation names nothing that is there when the function is made.
    """
    types = typing.get_type_hints(handler, include_extras=True)
    found = list(inspect.signature(handler).parameters.values())
    if not found or found[0].kind not in _POSITIONAL:
        raise TypeError(f"{placed(handler)} takes no event")
    filled = found[1:]
    service = bool(filled) and types.get(filled[0].name) is SignalRServiceClient
    if service and not inspect.iscoroutinefunction(handler):
        raise TypeError(f"{placed(handler)} must be async def to use the service client")
    rest: Parameter | None = None
    arguments: list[Parameter] = []
    for each in filled[1:] if service else filled:
        _refuse_client(handler, each, types.get(each.name))
        if each.kind in _POSITIONAL:
            arguments.append(_parameter(each, types))
        elif each.kind is inspect.Parameter.VAR_POSITIONAL:
            rest = _parameter(each, types)
        else:
            raise TypeError(f"{placed(handler)}: no argument can fill {each.name}")
    return Parameters(service, tuple(arguments), rest)


def _refuse_client(
    handler: Callable[..., object], found: inspect.Parameter, annotation: object
) -> None:
    """Refuse a parameter that wants the service client, and would wait for an argument."""
    wanted = (annotation, *typing.get_args(annotation))
    is_client = any(isinstance(each, type) and issubclass(each, BaseClient) for each in wanted)
    if is_client or (annotation is None and found.name == _SERVICE):
        raise TypeError(
            f"{placed(handler)}: {found.name} does not get the service client; make it the"
            " second parameter and annotate it with SignalRServiceClient of the module aio"
        )


def _parameter(found: inspect.Parameter, types: dict[str, Any]) -> Parameter:
    required = found.default is inspect.Parameter.empty
    return Parameter(found.name, types.get(found.name, Any), required)
