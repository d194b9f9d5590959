"""Says whether the app can hand out connections."""

import json
from collections.abc import Mapping

import azure.functions as func

from ..aio import SignalRServiceClient
from .http_function import HttpFunction
from .problems import http_function, json_response

__all__ = ["health_functions"]


def health_functions(service: SignalRServiceClient) -> Mapping[str, HttpFunction]:
    """Return the function by its name.

    Args:
        service: Knows it.
    """

    @http_function("GET", "HEAD")
    async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        # Nothing else is told to an anonymous caller.
        return json_response(json.dumps({"status": "degraded" if service.degraded else "ok"}))

    return {"health": HttpFunction(health)}
