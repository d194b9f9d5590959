"""Turns of requests at an endpoint, over HTTP to a service that can be held."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from shared import Endpoint, SignalRServiceClient, aio
from shared.transport.threads import MAX_CONCURRENCY
from tests.scripted_service import Received, Reply, scripted_service

_PATIENCE = 10.0


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        return AccessToken("e30.e30.sig", 2**40)


class HeldService:
    """Answers nothing until it is released, and knows how many requests it has had at a time."""

    def __init__(self) -> None:
        self.full = threading.Event()
        self.released = threading.Event()
        self.most = 0
        self._lock = threading.Lock()
        self._now = 0

    def answer(self, request: Received) -> Reply:
        if request.method == "HEAD":
            return Reply(200)
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            if self._now == MAX_CONCURRENCY:
                self.full.set()
        self.released.wait(_PATIENCE)
        with self._lock:
            self._now -= 1
        return Reply(202)

    async def is_full(self) -> None:
        assert await asyncio.to_thread(self.full.wait, _PATIENCE)


@pytest.fixture
def held() -> Iterator[HeldService]:
    service = HeldService()
    yield service
    service.released.set()


async def test_an_endpoint_has_so_many_requests_at_a_time_and_no_more(held: HeldService) -> None:
    with scripted_service(held.answer) as service:
        async with aio.SignalRServiceClient(service.url, Credential()) as client:
            sends = [client.send_to_all("chat", "t") for _ in range(3 * MAX_CONCURRENCY)]
            sending = asyncio.gather(*sends)
            await held.is_full()
            held.released.set()
            await sending
    assert held.most == MAX_CONCURRENCY
    assert len(service.received) == 3 * MAX_CONCURRENCY


async def test_a_send_that_is_cancelled_before_its_turn_is_not_sent(held: HeldService) -> None:
    with scripted_service(held.answer) as service:
        async with aio.SignalRServiceClient(service.url, Credential()) as client:
            first = [
                asyncio.create_task(client.send_to_all("chat", "first"))
                for _ in range(MAX_CONCURRENCY)
            ]
            await held.is_full()
            cancelled = asyncio.create_task(client.send_to_all("chat", "cancelled"))
            last = asyncio.create_task(client.send_to_all("chat", "last"))
            await asyncio.sleep(0)
            cancelled.cancel()
            held.released.set()
            await asyncio.gather(*first, last)
            with pytest.raises(asyncio.CancelledError):
                await cancelled
    assert not any(b"cancelled" in each.body for each in service.received)


def test_a_loop_that_ended_with_requests_under_way_takes_no_turns_along(held: HeldService) -> None:
    async def leave(client: aio.SignalRServiceClient) -> None:
        sends = [
            asyncio.create_task(client.send_to_all("chat", "left")) for _ in range(MAX_CONCURRENCY)
        ]
        await held.is_full()
        for each in sends:
            each.cancel()

    async def send(client: aio.SignalRServiceClient) -> None:
        async with asyncio.timeout(_PATIENCE), client:
            await client.send_to_all("chat", "t")

    with scripted_service(held.answer) as service:
        client = aio.SignalRServiceClient(service.url, Credential())
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(leave(client))
        held.released.set()
        asyncio.run(send(client))
    assert len(service.received) == MAX_CONCURRENCY + 1


def test_a_blocking_client_is_closed_after_what_is_under_way(held: HeldService) -> None:
    with (
        scripted_service(held.answer) as one,
        scripted_service(held.answer) as other,
        ThreadPoolExecutor(MAX_CONCURRENCY) as threads,
    ):
        endpoints = [Endpoint(one.url, name="one"), Endpoint(other.url, name="other")]
        client = SignalRServiceClient(endpoints, Credential())
        sends = [
            threads.submit(client.send_to_user, "chat", "ann", "t")
            for _ in range(MAX_CONCURRENCY // 2)
        ]
        assert held.full.wait(_PATIENCE)
        closing = threads.submit(client.close)
        held.released.set()
        for each in [*sends, closing]:
            each.result(_PATIENCE)
