"""An app with a hub for each tenant: its policy chooses it, and who connects joins groups."""

import os
from dataclasses import replace

import azure.functions as func

from shared.aio import SignalRServiceClient
from shared.functions import (
    BROADCAST,
    NEGOTIATE,
    UPSTREAM,
    Caller,
    ConnectedEvent,
    Connection,
    Events,
    NegotiateRequest,
    NotAllowedError,
    SignalRFunctions,
)

events = Events()


async def admit(
    caller: Caller,
    hub: str,
    connection: Connection,
    request: NegotiateRequest,
    service: SignalRServiceClient,
) -> Connection:
    """Choose the hub by the query, and let nobody in twice."""
    (tenant,) = request.query.get("tenant", ("",))
    chosen = f"tenant_{tenant}" if tenant else hub
    if chosen and await service.user_exists(chosen, str(caller.user_id)):
        raise NotAllowedError("You are here already.")
    return replace(connection, hub=chosen or None)


@events.on_connected("tenant_*")
async def connected(event: ConnectedEvent, service: SignalRServiceClient) -> None:
    """Join two groups, and tell those in the one."""
    await event.join(service, "everyone", f"only/{event.user_id}")
    await service.send_to_group(event.hub, "everyone", "newMessage", [event.hub, event.user_id])


app = func.FunctionApp()
app.register_functions(
    SignalRFunctions.from_environment(os.environ, policy=admit, events=events).blueprint(
        {**NEGOTIATE, **BROADCAST, **UPSTREAM}
    )
)
