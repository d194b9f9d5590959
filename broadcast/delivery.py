"""Sends a list of messages at once and keeps each recipient's order."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from broadcast.messages import Message, RecipientKind
from shared.aio import SignalRServiceClient
from shared.errors import EndpointsError, SignalRError

__all__ = ["Outcome", "deliver"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message.

    Args:
        error: Why it was not accepted, or `None` when it was.
    """

    error: SignalRError | None = None

    @property
    def is_partial(self) -> bool:
        """Whether some of several endpoints have accepted it and others have not."""
        return isinstance(self.error, EndpointsError) and bool(self.error.succeeded)


async def deliver(service: SignalRServiceClient, messages: Sequence[Message]) -> list[Outcome]:
    """Send messages, different recipients at the same time.

    Messages to one recipient leave in the order of the list, each after the one before it was
    answered. A message to everyone waits for all before it in its hub, and all after it wait for
    it, since everyone is among their recipients.

    Args:
        service: Sends them.
        messages: The messages, in order.

    Returns:
        An outcome for each message, in the same order.
    """
    predecessors = _predecessors(messages)
    tasks: list[asyncio.Task[Outcome]] = []
    for message, indexes in zip(messages, predecessors, strict=True):
        before = [tasks[index] for index in indexes]
        tasks.append(asyncio.create_task(_after(before, service, message)))
    return await asyncio.gather(*tasks)


def _predecessors(messages: Sequence[Message]) -> list[list[int]]:
    """Return for each message the indexes of those that must have been sent before it."""
    latest: dict[str, dict[tuple[RecipientKind, str], int]] = {}
    everyone = (RecipientKind.EVERYONE, "")
    predecessors: list[list[int]] = []
    for index, message in enumerate(messages):
        hub = latest.setdefault(message.hub, {})
        recipient = (message.kind, message.recipient)
        if recipient == everyone:
            predecessors.append(list(hub.values()))
            hub.clear()
        elif recipient in hub:
            predecessors.append([hub[recipient]])
        else:
            predecessors.append([hub[everyone]] if everyone in hub else [])
        hub[recipient] = index
    return predecessors


async def _after(
    before: Sequence[asyncio.Task[Outcome]], service: SignalRServiceClient, message: Message
) -> Outcome:
    if before:
        await asyncio.wait(before)
    try:
        await _send(service, message)
    except SignalRError as error:
        _logger.warning("Not sent to %s in hub %s: %s", message.kind.value, message.hub, error)
        return Outcome(error)
    return Outcome()


async def _send(service: SignalRServiceClient, message: Message) -> None:
    hub, target, arguments = message.hub, message.target, message.arguments
    match message.kind:
        case RecipientKind.EVERYONE:
            await service.send_to_all(hub, target, arguments, excluded=message.excluded)
        case RecipientKind.GROUP:
            await service.send_to_group(
                hub, message.recipient, target, arguments, excluded=message.excluded
            )
        case RecipientKind.USER:
            await service.send_to_user(hub, message.recipient, target, arguments)
        case RecipientKind.CONNECTION:
            await service.send_to_connection(hub, message.recipient, target, arguments)
