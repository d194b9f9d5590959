"""Hands out the description of the functions."""

from collections.abc import Iterable

import azure.functions as func

from ...settings.description import Setting
from ...settings.hubs import Hubs
from ..http_function import HttpFunction, RoutedFunction
from ..problems import http_function, json_response

__all__ = ["OFFERED", "openapi_function"]

OFFERED = Setting(
    "SIGNALR_OPENAPI",
    "`true` or `false`: whether anybody may read `openapi.json`",
    "true",
    "`true` on a developer's machine, `false` in Azure",
)


def openapi_function(registered: Iterable[RoutedFunction], path: str, hubs: Hubs) -> HttpFunction:
    """Return the function that hands out the description.

    Args:
        registered: The functions that there are; they may come later.
        path: Its own route below the host's route prefix.
        hubs: Which hubs there are.
    """

    @http_function("GET")
    async def openapi(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        # Made when somebody asks, so that no start of the app waits for it.
        from .document import document_text  # noqa: PLC0415  see above

        has_default = bool(hubs.default)
        return json_response(document_text(registered, path, has_default_hub=has_default))

    return HttpFunction(openapi)
