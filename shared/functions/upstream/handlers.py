"""Answers calls of the service."""

from collections.abc import Mapping

import azure.functions as func

from ...aio import SignalRServiceClient
from ...settings.hubs import Hubs
from ..events.registry import Events
from ..problems import Handler, http_function
from .answers import Answerer
from .settings import UpstreamSettings
from .verification import CallVerifier

__all__ = ["upstream_handlers"]


def upstream_handlers(
    service: SignalRServiceClient, hubs: Hubs, verification: UpstreamSettings | None, events: Events
) -> Mapping[str, Handler]:
    """Return the handler that the service calls when clients do something, by its function's name.

    Args:
        service: What handlers send with.
        hubs: Which hubs there are.
        verification: How the service proves that a call is its own; no call is accepted if not
            given.
        events: The handlers.
    """
    verifier = CallVerifier(verification or UpstreamSettings())
    answerer = Answerer(events, service, hubs)

    @http_function("POST")
    async def upstream(req: func.HttpRequest) -> func.HttpResponse:
        await verifier.verify(req.headers)
        return await answerer.answer(req)

    return {"upstream": upstream}
