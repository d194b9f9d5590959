"""Does a list of errands at once and keeps each recipient's order."""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from broadcast.items import EVERYONE, Errand, Recipient
from shared.aio import SignalRServiceClient
from shared.attributes import log_fields
from shared.errors import EndpointsError, SignalRError

__all__ = ["Outcome", "deliver"]

_logger = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of one errand.

    Args:
        error: Why it was not accepted, or `None` when it was.
    """

    error: SignalRError | None = None

    @property
    def is_partial(self) -> bool:
        """Whether some of several endpoints have accepted it and others have not."""
        return isinstance(self.error, EndpointsError) and bool(self.error.succeeded)


async def deliver(service: SignalRServiceClient, errands: Sequence[Errand]) -> list[Outcome]:
    """Do errands, those for different recipients at the same time.

    Errands for one recipient are done in the order of the list, each after the one before it was
    answered. One for everyone waits for all before it in its hub, and all after it wait for it,
    since everyone is among their recipients. The service's client bounds how many requests there
    are at a time.

    Args:
        service: Does them.
        errands: The errands, in order.

    Returns:
        An outcome for each errand, in the same order.
    """
    tasks: list[asyncio.Task[Outcome]] = []
    for errand, indexes in zip(errands, _predecessors(errands), strict=True):
        before = [tasks[index] for index in indexes]
        tasks.append(asyncio.create_task(_after(before, service, errand)))
    return await asyncio.gather(*tasks)


def _predecessors(errands: Sequence[Errand]) -> list[list[int]]:
    """Return for each errand the indexes of those that must have been done before it."""
    latest: dict[str, dict[Recipient, int]] = {}
    predecessors: list[list[int]] = []
    for index, errand in enumerate(errands):
        hub = latest.setdefault(errand.hub, {})
        recipient = errand.recipient
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
    before: Sequence[asyncio.Task[Outcome]], service: SignalRServiceClient, errand: Errand
) -> Outcome:
    if before:
        await asyncio.wait(before)
    try:
        await errand.run(service)
    except SignalRError as error:
        fields = log_fields(error, hub=errand.hub)
        _logger.warning("Not %s in hub %s: %s", errand.done, errand.hub, error, extra=fields)
        return Outcome(error)
    return Outcome()
