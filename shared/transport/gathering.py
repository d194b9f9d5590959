"""Runs coroutines at once, and waits no longer than what they come to needs."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from ..errors import ServiceError, ServiceUnavailableError

__all__ = ["settled_outcomes"]


async def settled_outcomes[T](
    outcomes: Sequence[Coroutine[Any, Any, T]], settles: Callable[[T], bool], grace: float
) -> Sequence[T | ServiceError]:
    """Run coroutines at once and return what each comes to, in their order.

    Args:
        outcomes: The coroutines. What they raise is raised at once.
        settles: Tells of an outcome whether the others need not be waited for.
        grace: Seconds that they have all the same. What has no outcome by then is given up, and
            comes to a `ServiceUnavailableError`.
    """
    tasks = [asyncio.create_task(each) for each in outcomes]
    waiting: Collection[asyncio.Task[T]] = tasks
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            # An error of the caller's own is raised here, whatever the others come to.
            if any(settles(task.result()) for task in done) and waiting:
                await asyncio.wait(waiting, timeout=grace)
                break
        return [task.result() if task.done() else _not_waited_for() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()


def _not_waited_for() -> ServiceError:
    return ServiceUnavailableError("It had not answered when another endpoint had done it")
