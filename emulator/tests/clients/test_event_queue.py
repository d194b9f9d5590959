import asyncio
from collections.abc import Awaitable, Callable

from signalr_emulator.clients.event_queue import MAX_WAITING_BYTES, EventQueue


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


async def test_more_of_a_client_is_read_when_there_is_room() -> None:
    queue, handled = EventQueue(), Handled()
    queue.put("a", handled.event("first"), 2 * MAX_WAITING_BYTES)
    await asyncio.sleep(0)
    # It is under way, and no longer waits.
    assert queue.has_room("a")
    queue.put("a", handled.event("second"), 2 * MAX_WAITING_BYTES)
    assert (queue.has_room("a"), queue.has_room("b"), queue.clients) == (False, True, 1)
    room = asyncio.create_task(queue.room("a"))
    await asyncio.sleep(0)
    assert not room.done()
    handled.release.set()
    async with asyncio.timeout(5):
        await room
    await queue.finish(5)
    assert (handled.names, queue.clients) == (["first", "second"], 0)


async def test_events_without_a_body_take_room_too() -> None:
    queue, handled = EventQueue(), Handled()
    while queue.has_room("a"):
        queue.put("a", handled.event("call"))
    assert 1_000 < queue.size < 10_000
    handled.release.set()
    await queue.finish(5)
    assert (len(handled.names) > 1_000, queue.size) == (True, 0)


async def test_nobody_waits_for_a_client_that_is_gone() -> None:
    queue, handled = EventQueue(), Handled()
    queue.put("a", handled.event("first"))
    await asyncio.sleep(0)
    queue.put("a", handled.event("second"), 2 * MAX_WAITING_BYTES)
    room = asyncio.create_task(queue.room("a"))
    await asyncio.sleep(0)
    queue.release("a")
    async with asyncio.timeout(5):
        await room
    assert not queue.has_room("a")
    await queue.finish(0)


async def test_finish_gives_up_after_its_time() -> None:
    queue, handled = EventQueue(), Handled()
    queue.put("a", handled.event("never"))
    queue.put("a", handled.event("never"))
    await queue.finish(0.01)
    handled.release.set()
    await asyncio.sleep(0)
    assert (handled.names, queue.size) == ([], 0)
