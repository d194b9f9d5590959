"""Hands out the description of the functions."""

from collections.abc import Mapping

import azure.functions as func

from ...settings.description import Setting
from ..http_function import HttpFunction
from ..problems import http_function, json_response

__all__ = ["OFFERED", "openapi_functions"]

OFFERED = Setting(
    "SIGNALR_OPENAPI",
    "`true` or `false`: whether anybody may read `/api/openapi.json`",
    "true",
    "`true` on a developer's machine, `false` in Azure",
)


def openapi_functions(registered: Mapping[str, str]) -> Mapping[str, HttpFunction]:
    """Return the function that hands out the description, by its name.

    Args:
        registered: Routes of the functions that there are, by their names; they may come later.
    """

    @http_function("GET")
    async def openapi(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        # Made when somebody asks, so that no start of the app waits for it.
        from .document import document_text  # noqa: PLC0415  see above

        return json_response(document_text(registered))

    return {"openapi": HttpFunction(openapi)}
