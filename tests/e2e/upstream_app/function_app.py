"""An app whose handlers say what they see, to all clients of the hub or in the log."""

import os

import azure.functions as func

from shared.aio import SignalRServiceClient
from shared.functions import (
    NEGOTIATE,
    UPSTREAM,
    ClientError,
    ConnectedEvent,
    DisconnectedEvent,
    Events,
    MessageEvent,
    SignalRFunctions,
)

events = Events()


@events.on_connected("chat")
async def connected(event: ConnectedEvent, service: SignalRServiceClient) -> None:
    """Tell everyone in the group `watchers`."""
    seen = ["connected", event.connection_id, event.user_id, event.query]
    await service.send_to_group(event.hub, "watchers", "newMessage", seen)


@events.on_disconnected("chat")
async def disconnected(event: DisconnectedEvent, service: SignalRServiceClient) -> None:
    """Tell everyone in the group `watchers`."""
    seen = ["disconnected", event.connection_id, event.user_id, event.error]
    await service.send_to_group(event.hub, "watchers", "newMessage", seen)


@events.on_message("chat", "watch")
async def watch(event: MessageEvent, service: SignalRServiceClient) -> None:
    """Add the client to the group `watchers`."""
    await service.add_connection_to_group(event.hub, "watchers", event.connection_id)


@events.on_message("chat", "echo")
async def echo(event: MessageEvent, *values: object) -> dict[str, object]:
    """Say who called with what."""
    return {"user": event.user_id, "claims": event.claims, "values": values}


@events.on_message("chat", "add")
def add(event: MessageEvent, one: int, other: int) -> int:  # noqa: ARG001  every handler takes it
    """Add in a thread."""
    return one + other


@events.on_message("chat", "grüße/an")
async def greet(event: MessageEvent, text: str) -> str:
    """Answer under a name that needs escapes in a URL."""
    return f"{event.target} {text}"


@events.on_message("chat", "refuse")
async def refuse(event: MessageEvent) -> None:
    """Fail on purpose."""
    raise ClientError(f"Not for {event.user_id}.")


@events.on_message("chat", "crash")
async def crash(event: MessageEvent) -> None:
    """Fail by mistake."""
    raise RuntimeError(f"secret of {event.user_id}")


@events.on_message("chat", "close")
async def close(event: MessageEvent, service: SignalRServiceClient) -> None:
    """Close the client's connection."""
    await service.close_connection(event.hub, event.connection_id, reason="goodbye")


app = func.FunctionApp()
signalr = SignalRFunctions.from_environment(os.environ, events=events)
app.register_functions(signalr.blueprint({**NEGOTIATE, **UPSTREAM}))
