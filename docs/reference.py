"""What the API reference needs beyond what autodoc sees by itself."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, get_args

import shared
import shared.aio
from shared.base_client import EndpointOperation
from shared.rest.api import RestApi

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["AsWritten", "document_client_methods", "resolve_exported_name"]

_VALUES: Final = ("attribute", "data", "property")
_CLIENTS: Final = (shared.SignalRServiceClient, shared.aio.SignalRServiceClient)


class AsWritten:
    """Keeps the docstrings of attributes from napoleon, which takes a colon for the end of a type.

    An instance's two methods listen before and after it.
    """

    def __init__(self) -> None:
        self._written: dict[str, list[str]] = {}

    def save(self, what: str, name: str, lines: list[str]) -> None:
        """Remember the docstring of an attribute; arguments are those of the event."""
        if what in _VALUES:
            self._written[name] = list(lines)

    def restore(self, what: str, name: str, lines: list[str]) -> None:
        """Put back what was remembered."""
        if what in _VALUES:
            lines[:] = self._written.pop(name)


def document_client_methods() -> None:
    """Put plain functions in the place of the clients' descriptors.

    Both clients have their methods from the flows of `RestApi`, by a descriptor. Autodoc
    takes that for a value, and this for what a caller sees: same name, arguments and docstring,
    and the result instead of the flow.
    """
    for client in _CLIENTS:
        for name, operation in list(vars(client).items()):
            if isinstance(operation, EndpointOperation):
                setattr(client, name, _method(client, name))


def resolve_exported_name(
    app: "Sphinx", env: "BuildEnvironment", node: "pending_xref", text: "Element"
) -> "Element | None":
    """Find what a package exports and an annotation names by a module further down."""
    *package, name = node.get("reftarget", "").split(".")
    if node.get("refdomain") != "py":
        return None
    domain = env.domains.python_domain
    for length in range(len(package) - 1, 0, -1):
        exported = ".".join((*package[:length], name))
        if exported in domain.objects:
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, node["reftype"], exported, node, text
            )
    return None


def _method(client: type, name: str) -> Callable[..., Any]:
    operation = getattr(client, name).operation(RestApi)
    signature = inspect.signature(operation)
    (result,) = get_args(signature.return_annotation)

    def blocking() -> None: ...
    async def awaitable() -> None: ...

    method = awaitable if client is shared.aio.SignalRServiceClient else blocking
    method.__module__, method.__name__ = client.__module__, name
    method.__qualname__ = f"{client.__name__}.{name}"
    method.__doc__ = operation.__doc__
    method.__annotations__ = {**operation.__annotations__, "return": result}
    # inspect believes this attribute before it looks at the function.
    vars(method)["__signature__"] = signature.replace(return_annotation=result)
    return method
