"""Many conversations on one event loop, and what becomes of them when callers leave."""

import asyncio
import os
import threading

import pytest

from shared.transport.aio import LoopTransport
from shared.transport.flow import Request
from shared.transport.http import Transport
from tests.scripted_service import Received, Reply, scripted_service

PATIENCE = 10.0


def echo(request: Received) -> Reply:
    return Reply(200, {}, request.path.encode())


async def body(sender: LoopTransport, url: str) -> str:
    return (await sender.send(Request("POST", url, {}, b"body"))).body.decode()


async def test_each_of_many_gets_its_own_answer() -> None:
    sender = LoopTransport(Transport(), None)
    with scripted_service(echo) as service:
        paths = [f"/{number}" for number in range(200)]
        assert await asyncio.gather(*(body(sender, service.url + path) for path in paths)) == paths
    assert len({each.client_port for each in service.received}) <= 16
    sender.close()


async def test_the_answer_to_one_who_has_left_is_nobody_elses() -> None:
    sender = LoopTransport(Transport(), None)
    asked = threading.Event()
    release = threading.Event()

    def answer(request: Received) -> Reply:
        if request.path == "/left":
            asked.set()
            release.wait(PATIENCE)
        return echo(request)

    with scripted_service(answer) as service:
        assert await body(sender, f"{service.url}/first") == "/first"
        leaving = asyncio.create_task(body(sender, f"{service.url}/left"))
        assert await asyncio.to_thread(asked.wait, PATIENCE)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        release.set()
        assert await body(sender, f"{service.url}/next") == "/next"
    first, left, later = (each.client_port for each in service.received)
    assert first == left != later
    sender.close()


def test_one_event_loop_after_another_may_use_it() -> None:
    sender = LoopTransport(Transport(), None)
    with scripted_service(echo) as service:
        for path in ("/first", "/second"):
            assert asyncio.run(body(sender, service.url + path)) == path
    sender.close()


def test_event_loops_of_several_threads_may_use_it_at_once() -> None:
    sender = LoopTransport(Transport(), None)
    answers: list[str] = []

    async def several(url: str) -> None:
        answers.extend(await asyncio.gather(*(body(sender, url) for _ in range(20))))

    with scripted_service(echo) as service:
        threads = [
            threading.Thread(target=lambda url=url: asyncio.run(several(url)))
            for url in (f"{service.url}/a", f"{service.url}/b")
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(PATIENCE)
    assert sorted(answers) == ["/a"] * 20 + ["/b"] * 20
    sender.close()


async def test_what_is_closed_lets_what_is_under_way_end() -> None:
    sender = LoopTransport(Transport(), None)
    asked = threading.Event()
    release = threading.Event()

    def answer(request: Received) -> Reply:
        asked.set()
        release.wait(PATIENCE)
        return echo(request)

    with scripted_service(answer) as service:
        asking = asyncio.create_task(body(sender, f"{service.url}/late"))
        assert await asyncio.to_thread(asked.wait, PATIENCE)
        sender.close()
        release.set()
        assert await asking == "/late"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_process_leaves_the_connections_to_its_parent() -> None:
    sender = LoopTransport(Transport(), None)
    with scripted_service(echo) as service, asyncio.Runner() as runner:
        assert runner.run(body(sender, f"{service.url}/parent")) == "/parent"
        child = os.fork()
        if not child:
            try:
                sender.after_fork()
                answer = asyncio.run(body(sender, f"{service.url}/child"))
                os._exit(0 if answer == "/child" else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert runner.run(body(sender, f"{service.url}/parent")) == "/parent"
    ports = {each.path: each.client_port for each in service.received}
    first, _, last = (each.client_port for each in service.received)
    assert first == last != ports["/child"]
    sender.close()
