"""Hands out the description of the functions."""

from collections.abc import Iterable, Mapping

import azure.functions as func

from ...settings.hubs import Hubs
from ..http_function import RoutedFunction
from ..problems import Handler, http_function, json_response
from .document import document_text

__all__ = ["openapi_handlers"]


def openapi_handlers(
    registered: Iterable[RoutedFunction], path: str, hubs: Hubs
) -> Mapping[str, Handler]:
    """Return the handler that hands out the description, by the name of its function.

    Args:
        registered: The functions that there are; they may come later.
        path: Its own route below the host's route prefix.
        hubs: Which hubs there are.
    """

    @http_function("GET")
    async def openapi(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        has_default = bool(hubs.default)
        return json_response(document_text(registered, path, has_default_hub=has_default))

    return {"openapi": openapi}
