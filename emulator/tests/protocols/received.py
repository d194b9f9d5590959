"""What is read of a message that a client has written."""

from signalr_emulator.protocols.messages import (
    Invocation,
    Message,
    Received,
    ReceivedInvocation,
    ReceivedStreamItem,
    StreamInvocation,
    StreamItem,
)


def received(message: Message) -> Received:
    """Give a message without the values that are not looked at."""
    match message:
        case Invocation():
            return ReceivedInvocation(message.target, message.invocation_id)
        case StreamInvocation():
            return ReceivedInvocation(message.target, message.invocation_id, is_stream=True)
        case StreamItem():
            return ReceivedStreamItem(message.invocation_id)
        case _:
            return message
