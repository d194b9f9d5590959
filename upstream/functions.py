"""The upstream function."""

import azure.functions as func

from problems import http_function
from shared.aio import SignalRServiceClient
from shared.settings import Settings
from upstream.registry import Events
from upstream.settings import UpstreamSettings
from upstream.verification import CallVerifier

__all__ = ["blueprint"]


def blueprint(
    service: SignalRServiceClient,
    settings: Settings,
    verification: UpstreamSettings,
    events: Events,
) -> func.Blueprint:
    """Return the function that the service calls when clients do something.

    Args:
        service: What handlers send with.
        settings: Which hubs there are.
        verification: How the service proves that a call is its own.
        events: The handlers.
    """
    functions = func.Blueprint()
    verifier = CallVerifier(verification)

    @functions.route("upstream/{hub}/{category}/{event}", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("POST")
    async def upstream(req: func.HttpRequest) -> func.HttpResponse:
        await verifier.verify(req.headers)
        # Not above, since it imports msgspec, for which no cold negotiation should wait.
        from upstream.answers import Answerer  # noqa: PLC0415

        return await Answerer(events, service, settings.hubs).answer(req)

    return functions
