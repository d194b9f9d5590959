"""Says whether the app can hand out connections."""

import json
from collections.abc import Mapping

import azure.functions as func

from ..aio import SignalRServiceClient
from .problems import Handler, http_function, json_response

__all__ = ["health_handlers"]


def health_handlers(service: SignalRServiceClient) -> Mapping[str, Handler]:
    """Return the handler by the name of its function.

    Args:
        service: Knows it.
    """

    @http_function("GET", "HEAD")
    async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        # Nothing else is told to an anonymous caller.
        return json_response(json.dumps({"status": "degraded" if service.degraded else "ok"}))

    return {"health": health}
