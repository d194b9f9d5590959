"""The functions of an app as the host knows them, and how they fail."""

import traceback
from dataclasses import dataclass, field

__all__ = ["Function", "IndexingError", "InvocationError", "failed_by"]


class _AppError(Exception):
    """The app's own code fails.

    Args:
        message: What it says, with the name of its exception type.
        stack_trace: The formatted trace, empty when there is none.
    """

    def __init__(self, message: str, stack_trace: str = "") -> None:
        super().__init__(message)
        self.stack_trace = stack_trace


class IndexingError(_AppError):
    """The app could not be imported or indexed, or not in the way that was asked for."""


class InvocationError(_AppError):
    """A function raised, or returned what its bindings cannot carry."""


def failed_by(error: BaseException) -> InvocationError:
    """Return the failure of a function by an exception that the worker library let through."""
    stack_trace = "".join(traceback.format_exception(error))
    return InvocationError(stack_trace.splitlines()[-1], stack_trace)


@dataclass(frozen=True, slots=True)
class Function:
    """An indexed function. Of one that is not called by HTTP only the first three are known.

    Args:
        name: Its name.
        id: What the worker library calls it.
        trigger: Type of its trigger.
        route: The route template without the route prefix; its name when the app gives none.
        methods: HTTP methods in upper case; none means all.
        auth_level: `ANONYMOUS`, `FUNCTION` or `ADMIN`.
        request_parameter: Name of the parameter that takes the request.
        response_binding: Name of the binding that holds the response.
        unserved: Bindings (`name: type`) that this host neither fills nor writes.
        is_http: Whether it is called by HTTP.
    """

    name: str
    id: str
    trigger: str
    route: str = ""
    methods: tuple[str, ...] = ()
    auth_level: str = ""
    request_parameter: str = ""
    response_binding: str = ""
    unserved: tuple[str, ...] = ()
    is_http: bool = field(default=False, kw_only=True)
