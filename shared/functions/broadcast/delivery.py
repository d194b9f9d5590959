"""Makes a list of deliveries at once and keeps each recipient's order."""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from ...aio import SignalRServiceClient
from ...errors import EndpointsError, SignalRError
from ...telemetry import log_fields
from .items import EVERYONE, Delivery, Recipient

__all__ = ["Outcome", "deliver"]

_logger = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of one delivery.

    Args:
        error: Why it was not accepted, or `None` when it was.
    """

    error: SignalRError | None = None

    @property
    def is_partial(self) -> bool:
        """Whether some of several endpoints have accepted it and others have not."""
        return isinstance(self.error, EndpointsError) and bool(self.error.succeeded)


async def deliver(service: SignalRServiceClient, deliveries: Sequence[Delivery]) -> list[Outcome]:
    """Do deliveries, those for different recipients at the same time.

    Deliveries for one recipient are done in the order of the list, each after the one before it was
    answered. One for everyone waits for all before it in its hub, and all after it wait for it,
    since everyone is among their recipients. The service's client bounds how many requests there
    are at a time.

    Args:
        service: Does them.
        deliveries: The deliveries, in order.

    Returns:
        An outcome for each delivery, in the same order.
    """
    tasks: list[asyncio.Task[Outcome]] = []
    for delivery, indexes in zip(deliveries, _predecessors(deliveries), strict=True):
        before = [tasks[index] for index in indexes]
        tasks.append(asyncio.create_task(_after(before, service, delivery)))
    return await asyncio.gather(*tasks)


def _predecessors(deliveries: Sequence[Delivery]) -> list[list[int]]:
    """Return for each delivery the indexes of those that must have been done before it."""
    latest: dict[str, dict[Recipient, int]] = {}
    predecessors: list[list[int]] = []
    for index, delivery in enumerate(deliveries):
        hub = latest.setdefault(delivery.hub, {})
        recipient = delivery.recipient
        if recipient == EVERYONE:
            predecessors.append(list(hub.values()))
            hub.clear()
        elif recipient in hub:
            predecessors.append([hub[recipient]])
        else:
            predecessors.append([hub[EVERYONE]] if EVERYONE in hub else [])
        hub[recipient] = index
    return predecessors


async def _after(
    before: Sequence[asyncio.Task[Outcome]], service: SignalRServiceClient, delivery: Delivery
) -> Outcome:
    if before:
        await asyncio.wait(before)
    try:
        await delivery.run(service)
    except SignalRError as error:
        fields = log_fields(error, hub=delivery.hub)
        _logger.warning("Not %s in hub %s: %s", delivery.done, delivery.hub, error, extra=fields)
        return Outcome(error)
    return Outcome()
