"""What happens when clients call methods of the hub `chat`, and when they go.

The demo page is the other half of it.

The app keeps no state. Who is online is known by the clients: one who enters is announced to all,
and all who are there greet it.
"""

from shared.aio import SignalRServiceClient
from shared.functions import DisconnectedEvent, Events, MessageEvent

events = Events()


@events.on_message("chat", "enter")
async def enter(event: MessageEvent, service: SignalRServiceClient) -> str:
    """Announce a client to all, and return the name that it goes by."""
    name = _name(event)
    await service.send_to_all(event.hub, "entered", [name, event.connection_id])
    return name


@events.on_message("chat", "greet")
async def greet(event: MessageEvent, service: SignalRServiceClient, connection_id: str) -> None:
    """Tell one client that another is there."""
    present = [_name(event), event.connection_id]
    await service.send_to_connection(event.hub, connection_id, "present", present)


@events.on_message("chat", "sendMessage")
async def send_message(event: MessageEvent, service: SignalRServiceClient, text: str) -> None:
    """Send a text to everyone."""
    await service.send_to_all(event.hub, "newMessage", [_name(event), text])


@events.on_message("chat", "joinGroup")
async def join_group(event: MessageEvent, service: SignalRServiceClient, group: str) -> None:
    """Add the client to a group."""
    await service.add_connection_to_group(event.hub, group, event.connection_id)


@events.on_message("chat", "sendToGroup")
async def send_to_group(
    event: MessageEvent, service: SignalRServiceClient, group: str, text: str
) -> None:
    """Send a text to a group."""
    await service.send_to_group(event.hub, group, "newMessage", [_name(event), text, group])


@events.on_disconnected("chat")
async def left(event: DisconnectedEvent, service: SignalRServiceClient) -> None:
    """Tell everyone that a client is gone."""
    await service.send_to_all(event.hub, "left", [_name(event), event.connection_id])


def _name(event: MessageEvent | DisconnectedEvent) -> str:
    return event.user_id or f"guest {event.connection_id[:4]}"
