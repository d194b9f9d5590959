"""What happens when clients call methods of the hub `chat`."""

from shared.aio import SignalRServiceClient
from upstream import Events, MessageEvent

events = Events()


@events.on_message("chat", "sendMessage")
async def send_message(event: MessageEvent, service: SignalRServiceClient, text: str) -> None:
    """Send a text to everyone."""
    await service.send_to_all(event.hub, "newMessage", [event.user_id, text])


@events.on_message("chat", "joinGroup")
async def join_group(event: MessageEvent, service: SignalRServiceClient, group: str) -> None:
    """Add the client to a group."""
    await service.add_connection_to_group(event.hub, group, event.connection_id)


@events.on_message("chat", "sendToGroup")
async def send_to_group(
    event: MessageEvent, service: SignalRServiceClient, group: str, text: str
) -> None:
    """Send a text to a group."""
    await service.send_to_group(event.hub, group, "newMessage", [event.user_id, text])
