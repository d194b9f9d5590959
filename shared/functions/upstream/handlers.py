"""Answers calls of the service."""

from collections.abc import Mapping

import azure.functions as func

from ...aio import SignalRServiceClient
from ...settings.hubs import Hubs
from ..events.registry import Events
from ..http_function import HttpFunction
from ..problems import http_function
from .settings import UpstreamSettings
from .verification import CallVerifier

__all__ = ["upstream_functions"]


def upstream_functions(
    service: SignalRServiceClient, hubs: Hubs, verification: UpstreamSettings, events: Events
) -> Mapping[str, HttpFunction]:
    """Return the function that the service calls when clients do something, by its name.

    Args:
        service: What handlers send with.
        hubs: Which hubs there are.
        verification: How the service proves that a call is its own.
        events: The handlers.
    """
    verifier = CallVerifier(verification)

    @http_function("POST")
    async def upstream(req: func.HttpRequest) -> func.HttpResponse:
        await verifier.verify(req.headers)
        # Not above, since it imports msgspec, for which no cold negotiation should wait.
        from .answers import Answerer  # noqa: PLC0415

        return await Answerer(events, service, hubs).answer(req)

    return {"upstream": HttpFunction(upstream)}
