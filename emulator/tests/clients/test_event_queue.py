import asyncio
from collections.abc import Awaitable, Callable

from signalr_emulator.clients.event_queue import EventQueue


class Handled:
    """What has run, each event only after it was let go."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.release = asyncio.Event()
        self._changed = asyncio.Event()

    def event(self, name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.release.wait()
            self.names.append(name)
            self._changed.set()

        return run

    async def until(self, name: str) -> None:
        while name not in self.names:
            self._changed.clear()
            await self._changed.wait()


async def test_one_client_waits_and_others_do_not() -> None:
    queue, slow, quick = EventQueue(), Handled(), Handled()
    quick.release.set()
    for name in ("connected", "message", "disconnected"):
        queue.put("a", slow.event(name))
        queue.put("b", quick.event(name))
    async with asyncio.timeout(5):
        await quick.until("disconnected")
    assert (slow.names, quick.names) == ([], ["connected", "message", "disconnected"])
    slow.release.set()
    await queue.finish(5)
    assert slow.names == ["connected", "message", "disconnected"]
    assert queue.size == 0


async def test_what_waits_of_one_client_is_bounded() -> None:
    queue, handled = EventQueue(), Handled()
    answered = unanswered = 0
    while queue.has_room("a", is_answered=False):
        answered += queue.has_room("a", is_answered=True)
        unanswered += 1
        queue.put("a", handled.event("call"))
    # One is under way.
    assert (answered, unanswered) == (101, 1001)
    assert queue.has_room("b", is_answered=True)
    await queue.finish(0)


async def test_finish_gives_up_after_its_time() -> None:
    queue, handled = EventQueue(), Handled()
    queue.put("a", handled.event("never"))
    queue.put("a", handled.event("never"))
    await queue.finish(0.01)
    handled.release.set()
    await asyncio.sleep(0)
    assert (handled.names, queue.size) == ([], 0)
